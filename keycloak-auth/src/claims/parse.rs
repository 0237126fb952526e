//! From the payload's JSON to [`Claims`], in one pass and strictly.
//!
//! Claims that decide about the token (`iss`, `aud`, `exp`, …) fail on a wrong type. Claims that only describe or enable
//! the user (names, roles, groups) count as absent on a wrong type: a mapper that an administrator set up oddly must not
//! lock users out, and an absent role grants nothing.

use std::{borrow::Cow, ops::Range, sync::OnceLock};

use super::{
    Claims, List, Registered, Source, Text,
    element::{self, Element},
    known::{Known, Scalar},
    position,
};
use crate::strict_json::{Malformed, Members, Reader, Value};

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

/// How much text the claims of a usual token have, in bytes. Allocators are quicker with blocks below a kilobyte.
const USUAL_TEXT: usize = 768;

impl Claims {
    /// Parses the payload of a token whose signature has been verified: `json` is what `payload`, a part of `token`, says.
    pub(crate) fn of_token(token: &str, payload: Range<usize>, json: &str) -> Result<Self, InvalidPayload> {
        let source = Source::Token {
            length: position(token.len()),
            payload: Text::new(payload.start, payload.end),
            json: OnceLock::new(),
        };
        let builder = Builder::new(json, token.len(), false, String::with_capacity(USUAL_TEXT));
        builder.parse(token, source)
    }

    /// Parses the claims that Keycloak told.
    pub(crate) fn parse(json: &str) -> Result<Self, InvalidPayload> {
        let source = Source::Json {
            length: position(json.len()),
        };
        Builder::new(json, json.len(), true, String::new()).parse(json, source)
    }
}

struct Builder<'p> {
    json: &'p str,
    /// Whether strings are left where they are in the JSON.
    in_place: bool,
    /// How much text stands before `copied`.
    copied_from: usize,
    copied: String,
    elements: Vec<Element>,
    registered: Registered,
    invalid: Option<&'static str>,
}

impl<'p> Builder<'p> {
    fn new(json: &'p str, copied_from: usize, in_place: bool, copied: String) -> Self {
        Self {
            json,
            in_place,
            copied_from,
            copied,
            elements: Vec::with_capacity(32),
            registered: Registered::default(),
            invalid: None,
        }
    }

    fn parse(mut self, source_text: &str, source: Source) -> Result<Claims, InvalidPayload> {
        let mut reader = Reader::new(self.json);
        let read = self.payload(&mut reader).and_then(|()| reader.end());
        if read == Err(Malformed) {
            return Err(InvalidPayload::Malformed);
        }
        if let Some(claim) = self.invalid {
            return Err(InvalidPayload::Claim(claim));
        }
        Ok(Claims {
            text: [source_text, &self.copied].concat().into(),
            source,
            elements: self.elements.into(),
            registered: self.registered,
        })
    }

    fn payload(&mut self, reader: &mut Reader<'p>) -> Result<(), Malformed> {
        let Value::Object = reader.value()? else {
            return Err(Malformed);
        };
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
            let value = reader.value()?;
            match known {
                Known::Audience => {
                    let audience = self.strings(reader, value, Shape::StringOrArrayOfStrings)?;
                    self.registered.audience = self.required("aud", audience);
                }
                Known::Groups => {
                    let groups = self.strings(reader, value, Shape::ArrayKeepingStrings)?;
                    self.registered.groups = groups.unwrap_or_default();
                }
                Known::RealmAccess => self.registered.realm_roles = self.roles(reader, value)?,
                Known::ResourceAccess => self.registered.clients = self.clients(reader, value)?,
                Known::Scalar(scalar) => {
                    reader.skip(&value)?;
                    self.claim(scalar, value);
                }
            }
        }
        Ok(())
    }

    /// A list of strings, appended to the elements. `None`: not of that shape.
    fn strings(&mut self, reader: &mut Reader<'p>, value: Value<'p>, shape: Shape) -> Result<Option<List>, Malformed> {
        let start = position(self.elements.len());
        let fits = match value {
            Value::String(text) if shape == Shape::StringOrArrayOfStrings => {
                self.push(text);
                true
            }
            Value::Array => {
                let mut strings_only = true;
                let mut first = true;
                while reader.next_element(first)? {
                    first = false;
                    match reader.value()? {
                        Value::String(text) => self.push(text),
                        other => {
                            reader.skip(&other)?;
                            strings_only = false;
                        }
                    }
                }
                strings_only || shape == Shape::ArrayKeepingStrings
            }
            other => {
                reader.skip(&other)?;
                false
            }
        };
        let end = position(self.elements.len());
        Ok(fits.then_some(List { start, end }))
    }

    /// `{"roles": […]}`; anything else has no roles.
    fn roles(&mut self, reader: &mut Reader<'p>, value: Value<'p>) -> Result<List, Malformed> {
        let mut roles = List::default();
        if value != Value::Object {
            reader.skip(&value)?;
            return Ok(roles);
        }
        let mut members = Members::default();
        while let Some(name) = reader.next_member(&mut members)? {
            if name == "roles" {
                let value = reader.value()?;
                let strings = self.strings(reader, value, Shape::ArrayKeepingStrings)?;
                roles = strings.unwrap_or_default();
            } else {
                reader.skip_value()?;
            }
        }
        Ok(roles)
    }

    /// `{"client": {"roles": […]}, …}`; anything else has no clients.
    fn clients(&mut self, reader: &mut Reader<'p>, value: Value<'p>) -> Result<List, Malformed> {
        if value != Value::Object {
            reader.skip(&value)?;
            return Ok(List::default());
        }
        let start = position(self.elements.len());
        let mut members = Members::default();
        while let Some(name) = reader.next_member(&mut members)? {
            self.push(name);
            let at = self.elements.len();
            // The positions of the roles stand in this place as soon as they are known.
            self.elements.push(Element::of_list(List::default()));
            let value = reader.value()?;
            let start = position(at + 1);
            self.roles(reader, value)?;
            let end = position(self.elements.len());
            self.elements[at] = Element::of_list(List { start, end });
        }
        let end = position(self.elements.len());
        Ok(List { start, end })
    }

    fn push(&mut self, text: Cow<'p, str>) {
        let mark = element::mark(&text);
        let text = self.keep(text);
        self.elements.push(Element::new(text, mark));
    }

    /// The positions of `text`: those in the JSON it was borrowed from, or of a copy behind it.
    fn keep(&mut self, text: Cow<'p, str>) -> Text {
        match text {
            Cow::Borrowed(text) if self.in_place => {
                let start = text.as_ptr().addr() - self.json.as_ptr().addr();
                Text::new(start, start + text.len())
            }
            text => {
                let start = self.copied_from + self.copied.len();
                self.copied.push_str(&text);
                Text::new(start, start + text.len())
            }
        }
    }

    fn keep_string(&mut self, value: Value<'p>) -> Option<Text> {
        match value {
            Value::String(text) => Some(self.keep(text)),
            _ => None,
        }
    }

    fn claim(&mut self, claim: Scalar, value: Value<'p>) {
        match claim {
            Scalar::Issuer => self.registered.issuer = self.required_string("iss", value),
            Scalar::Subject => self.registered.subject = self.required_string("sub", value),
            Scalar::TokenType => self.registered.token_type = self.required_string("typ", value),
            Scalar::AuthorizedParty => self.registered.authorized_party = self.required_string("azp", value),
            Scalar::ExpiresAt => self.registered.expires_at = self.required("exp", date(&value, f64::floor)),
            Scalar::NotBefore => self.registered.not_before = self.required("nbf", date(&value, f64::ceil)),
            Scalar::IssuedAt => self.registered.issued_at = self.required("iat", date(&value, f64::ceil)),
            Scalar::AuthTime => self.registered.auth_time = date(&value, f64::floor),
            Scalar::Confirmation => self.registered.is_bound = true,
            Scalar::TokenId => self.registered.token_id = self.keep_string(value),
            Scalar::SessionId => self.registered.session_id = self.keep_string(value),
            Scalar::Scope => self.registered.scope = self.keep_string(value),
            Scalar::Acr => self.registered.acr = self.keep_string(value),
            Scalar::Username => self.registered.username = self.keep_string(value),
            Scalar::Email => self.registered.email = self.keep_string(value),
            Scalar::EmailVerified => {
                self.registered.email_verified = if let Value::Boolean(verified) = value {
                    Some(verified)
                } else {
                    None
                };
            }
            Scalar::Name => self.registered.name = self.keep_string(value),
            Scalar::GivenName => self.registered.given_name = self.keep_string(value),
            Scalar::FamilyName => self.registered.family_name = self.keep_string(value),
        }
    }

    fn required_string(&mut self, claim: &'static str, value: Value<'p>) -> Option<Text> {
        let text = self.keep_string(value);
        self.required(claim, text)
    }

    /// Notes the claim as invalid when it has no value.
    fn required<T>(&mut self, claim: &'static str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.invalid = self.invalid.or(Some(claim));
        }
        value
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// `aud`: anything else is an error.
    StringOrArrayOfStrings,
    /// Roles and groups: other elements are left out.
    ArrayKeepingStrings,
}

/// A NumericDate in seconds (RFC 7519 §2); fractions go where they shorten the token's life.
fn date(value: &Value<'_>, whole: fn(f64) -> f64) -> Option<u64> {
    match *value {
        Value::Integer(seconds) => Some(seconds),
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the range is checked"
        )]
        Value::Float(seconds) if (0.0..=LATEST as f64).contains(&seconds) => Some(whole(seconds) as u64),
        _ => None,
    }
    .filter(|seconds| *seconds <= LATEST)
}
