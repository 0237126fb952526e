//! From the payload's JSON to [`Claims`], in one pass and strictly.
//!
//! Claims that decide about the token (`iss`, `aud`, `exp`, …) fail on a wrong type. Claims that only describe or enable
//! the user (names, roles, groups) count as absent on a wrong type: a mapper that an administrator set up oddly must not
//! lock users out, and an absent role grants nothing.

use std::{borrow::Cow, ops::Range, sync::OnceLock};

use smallvec::SmallVec;

use super::{
    Claims, Elements, List, Seconds, Text,
    element::{self, Element},
    known::{DateClaim, Known, TextClaim},
    position,
    scratch::Scratch,
};
use crate::strict_json::{Kind, Malformed, Members, Reader, Value};

/// Why a payload gives no claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InvalidPayload {
    /// Not one JSON object without duplicate members.
    Malformed,
    /// The named registered claim has a wrong type or an impossible value.
    Claim(&'static str),
}

/// The last second of the year 9999: no token lives longer, and sums with a leeway stay far from an overflow.
const LATEST: u64 = 253_402_300_799;

impl Claims {
    /// Parses the payload of a token whose signature has been verified: `json` is what `payload`, a part of `token`, says.
    pub(crate) fn of_token(token: &str, payload: Range<usize>, json: &str) -> Result<Self, InvalidPayload> {
        Builder::new(token, Some(Text::new(payload.start, payload.end)), json).parse()
    }

    /// Parses the claims that Keycloak told.
    pub(crate) fn parse(json: &str) -> Result<Self, InvalidPayload> {
        Builder::new(json, None, json).parse()
    }
}

struct Builder<'p> {
    json: &'p str,
    /// What the text of the claims begins with: the token, or the JSON.
    source: &'p str,
    /// Where in a token its payload is. Without one, strings are left where they are in the JSON.
    payload: Option<Text>,
    /// The strings that follow.
    copied: Scratch,
    elements: Elements,
    texts: [Option<Text>; TextClaim::COUNT],
    dates: [Option<Seconds>; DateClaim::COUNT],
    audience: Option<List>,
    realm_roles: List,
    groups: List,
    clients: List,
    is_bound: bool,
    email_verified: Option<bool>,
    invalid: Option<&'static str>,
}

impl<'p> Builder<'p> {
    #[inline]
    fn new(source: &'p str, payload: Option<Text>, json: &'p str) -> Self {
        Self {
            json,
            source,
            payload,
            copied: Scratch::new(),
            elements: SmallVec::new(),
            texts: [None; TextClaim::COUNT],
            dates: [None; DateClaim::COUNT],
            audience: None,
            realm_roles: List::default(),
            groups: List::default(),
            clients: List::default(),
            is_bound: false,
            email_verified: None,
            invalid: None,
        }
    }

    #[inline]
    fn parse(mut self) -> Result<Claims, InvalidPayload> {
        let reader = Reader::new(self.json);
        let read = match reader.plain() {
            Some(reader) => self.payload(reader),
            None => self.payload(reader),
        };
        if read == Err(Malformed) {
            return Err(InvalidPayload::Malformed);
        }
        if let Some(claim) = self.invalid {
            return Err(InvalidPayload::Claim(claim));
        }
        Ok(Claims {
            dates: self.dates,
            text: [self.source, self.copied.text()].concat().into(),
            source_length: position(self.source.len()),
            is_bound: self.is_bound,
            email_verified: self.email_verified,
            payload: self.payload,
            realm_roles: self.realm_roles,
            clients: self.clients,
            groups: self.groups,
            audience: self.audience,
            elements: self.elements,
            texts: self.texts,
            json: OnceLock::new(),
        })
    }

    #[inline(always)]
    fn payload<K: Kind>(&mut self, mut reader: Reader<'p, K>) -> Result<(), Malformed> {
        if !reader.object()? {
            return Err(Malformed);
        }
        let mut seen = 0;
        let mut others = Members::default();
        let mut first = true;
        while let Some(name) = reader.next_name(first)? {
            first = false;
            let Some(known) = Known::named(&name) else {
                if !others.insert(name) {
                    return Err(Malformed);
                }
                reader.skip_value()?;
                continue;
            };
            if seen & known.bit() != 0 {
                return Err(Malformed);
            }
            seen |= known.bit();
            match known {
                Known::Text(claim) => {
                    let text = reader.text()?.map(|text| self.keep(text));
                    self.texts[claim as usize] = text;
                    if text.is_none() {
                        self.note_invalid(claim.required());
                    }
                }
                Known::Date(claim) => {
                    let date = date(&reader.scalar()?, claim);
                    self.dates[claim as usize] = date;
                    if date.is_none() {
                        self.note_invalid(claim.required());
                    }
                }
                Known::Audience => {
                    (self.audience, reader) = self.audience(reader)?;
                    if self.audience.is_none() {
                        self.note_invalid(Some("aud"));
                    }
                }
                Known::Groups => (self.groups, _, reader) = self.strings(reader)?,
                Known::RealmAccess => (self.realm_roles, reader) = self.roles(reader)?,
                Known::ResourceAccess => (self.clients, reader) = self.clients(reader)?,
                Known::Confirmation => {
                    self.is_bound = true;
                    reader.skip_value()?;
                }
                Known::EmailVerified => {
                    self.email_verified = match reader.scalar()? {
                        Value::Boolean(verified) => Some(verified),
                        _ => None,
                    };
                }
            }
        }
        reader.end()
    }

    /// One string or an array of nothing else; `None`: not of that shape.
    fn audience<K: Kind>(&mut self, reader: Reader<'p, K>) -> Result<(Option<List>, Reader<'p, K>), Malformed> {
        let mut reader = reader.in_registers();
        if reader.is_at(b'"')? {
            let start = self.elements.len();
            if let Some(text) = reader.text()? {
                self.push(text);
            }
            return Ok((Some(self.list_from(start)), reader));
        }
        let (list, strings_only, reader) = self.strings(reader)?;
        Ok((strings_only.then_some(list), reader))
    }

    /// The strings of an array, appended to the elements, and whether it is an array of nothing else. What is none has none.
    #[inline(never)]
    fn strings<K: Kind>(&mut self, reader: Reader<'p, K>) -> Result<(List, bool, Reader<'p, K>), Malformed> {
        let mut reader = reader.in_registers();
        let start = self.elements.len();
        let mut strings_only = reader.array()?;
        if strings_only {
            let mut first = true;
            while reader.next_element(first)? {
                first = false;
                match reader.text()? {
                    Some(text) => self.push(text),
                    None => strings_only = false,
                }
            }
        }
        Ok((self.list_from(start), strings_only, reader))
    }

    /// `{"roles": […]}`; anything else has no roles.
    fn roles<K: Kind>(&mut self, reader: Reader<'p, K>) -> Result<(List, Reader<'p, K>), Malformed> {
        let mut reader = reader.in_registers();
        let mut roles = List::default();
        if reader.object()? {
            let mut members = Members::default();
            while let Some(name) = reader.next_member(&mut members)? {
                if name == "roles" {
                    (roles, _, reader) = self.strings(reader)?;
                } else {
                    reader.skip_value()?;
                }
            }
        }
        Ok((roles, reader))
    }

    /// `{"client": {"roles": […]}, …}`; anything else has no clients.
    fn clients<K: Kind>(&mut self, reader: Reader<'p, K>) -> Result<(List, Reader<'p, K>), Malformed> {
        let mut reader = reader.in_registers();
        let start = self.elements.len();
        if reader.object()? {
            let mut members = Members::default();
            while let Some(name) = reader.next_member(&mut members)? {
                self.push(name);
                let at = self.elements.len();
                // The positions of the roles stand in this place as soon as they are known.
                self.elements.push(Element::of_list(List::default()));
                (_, reader) = self.roles(reader)?;
                self.elements[at] = Element::of_list(self.list_from(at + 1));
            }
        }
        Ok((self.list_from(start), reader))
    }

    /// The elements from `start` on.
    fn list_from(&self, start: usize) -> List {
        List {
            start: position(start),
            end: position(self.elements.len()),
        }
    }

    #[inline(always)]
    fn push(&mut self, text: Cow<'p, str>) {
        let mark = element::mark(&text);
        let text = self.keep(text);
        self.elements.push(Element::new(text, mark));
    }

    /// The positions of `text`: those in the JSON it was borrowed from, or of a copy behind it.
    #[inline(always)]
    fn keep(&mut self, text: Cow<'p, str>) -> Text {
        let copy_from = self.source.len() + self.copied.len;
        match text {
            Cow::Borrowed(text) => {
                let start = text.as_ptr().addr() - self.json.as_ptr().addr();
                if self.payload.is_none() {
                    return Text::new(start, start + text.len());
                }
                self.copied.push_from(self.json.as_bytes(), start, text.len());
                Text::new(copy_from, copy_from + text.len())
            }
            Cow::Owned(text) => {
                self.copied.push(text.as_bytes());
                Text::new(copy_from, copy_from + text.len())
            }
        }
    }

    /// Notes a claim that decides about the token as invalid.
    #[cold]
    fn note_invalid(&mut self, claim: Option<&'static str>) {
        self.invalid = self.invalid.or(claim);
    }
}

/// A NumericDate in seconds (RFC 7519 §2).
#[inline]
fn date(value: &Value<'_>, claim: DateClaim) -> Option<Seconds> {
    let seconds = match *value {
        Value::Integer(seconds) => seconds,
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the range is checked"
        )]
        Value::Float(seconds) if (0.0..=LATEST as f64).contains(&seconds) => claim.whole(seconds) as u64,
        _ => return None,
    };
    if seconds <= LATEST { Seconds::new(seconds) } else { None }
}
