//! From the payload's JSON to [`Claims`], in one pass and strictly.
//!
//! Claims that decide about the token (`iss`, `aud`, `exp`, …) fail on a wrong type. Claims that only describe or enable
//! the user (names, roles, groups) count as absent on a wrong type: a mapper that an administrator set up oddly must not
//! lock users out, and an absent role grants nothing.

use std::{borrow::Cow, fmt, num::NonZeroU32, ops::Range, sync::OnceLock};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{Claims, List, Registered, Source, Text};
use crate::strict_json::{Members, Name, Skipped};

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
    elements: Vec<Text>,
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
        let mut deserializer = serde_json::Deserializer::from_str(self.json);
        let read = Payload(&mut self)
            .deserialize(&mut deserializer)
            .and_then(|()| deserializer.end());
        if read.is_err() {
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
            Scalar::ExpiresAt => self.registered.expires_at = self.required("exp", value.date(f64::floor)),
            Scalar::NotBefore => self.registered.not_before = self.required("nbf", value.date(f64::ceil)),
            Scalar::IssuedAt => self.registered.issued_at = self.required("iat", value.date(f64::ceil)),
            Scalar::AuthTime => self.registered.auth_time = value.date(f64::floor),
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

fn position(index: usize) -> u32 {
    u32::try_from(index).expect("tokens are capped far below 4 GiB")
}

impl Text {
    fn new(start: usize, end: usize) -> Self {
        Self {
            start: position(start),
            end: NonZeroU32::new(position(end)).expect("the JSON's brace, or a token, stands before every string"),
        }
    }
}

/// A member of the payload that means something here.
#[derive(Clone, Copy)]
enum Known {
    Audience,
    Groups,
    RealmAccess,
    ResourceAccess,
    Scalar(Scalar),
}

#[derive(Clone, Copy)]
enum Scalar {
    Issuer,
    Subject,
    TokenType,
    AuthorizedParty,
    ExpiresAt,
    NotBefore,
    IssuedAt,
    AuthTime,
    Confirmation,
    TokenId,
    SessionId,
    Scope,
    Acr,
    Username,
    Email,
    EmailVerified,
    Name,
    GivenName,
    FamilyName,
}

impl Known {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "aud" => Self::Audience,
            "groups" => Self::Groups,
            "realm_access" => Self::RealmAccess,
            "resource_access" => Self::ResourceAccess,
            "iss" => Self::Scalar(Scalar::Issuer),
            "sub" => Self::Scalar(Scalar::Subject),
            "typ" => Self::Scalar(Scalar::TokenType),
            "azp" => Self::Scalar(Scalar::AuthorizedParty),
            "exp" => Self::Scalar(Scalar::ExpiresAt),
            "nbf" => Self::Scalar(Scalar::NotBefore),
            "iat" => Self::Scalar(Scalar::IssuedAt),
            "auth_time" => Self::Scalar(Scalar::AuthTime),
            "cnf" => Self::Scalar(Scalar::Confirmation),
            "jti" => Self::Scalar(Scalar::TokenId),
            "sid" => Self::Scalar(Scalar::SessionId),
            "scope" => Self::Scalar(Scalar::Scope),
            "acr" => Self::Scalar(Scalar::Acr),
            "preferred_username" => Self::Scalar(Scalar::Username),
            "email" => Self::Scalar(Scalar::Email),
            "email_verified" => Self::Scalar(Scalar::EmailVerified),
            "name" => Self::Scalar(Scalar::Name),
            "given_name" => Self::Scalar(Scalar::GivenName),
            "family_name" => Self::Scalar(Scalar::FamilyName),
            _ => return None,
        })
    }

    /// A bit of its own, by which it is noticed when it stands twice.
    fn bit(self) -> u32 {
        1 << match self {
            Self::Audience => 0,
            Self::Groups => 1,
            Self::RealmAccess => 2,
            Self::ResourceAccess => 3,
            Self::Scalar(scalar) => 4 + scalar as u32,
        }
    }
}

/// The payload as a whole.
struct Payload<'b, 'p>(&'b mut Builder<'p>);

impl<'p> DeserializeSeed<'p> for Payload<'_, 'p> {
    type Value = ();

    fn deserialize<D: Deserializer<'p>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'p> Visitor<'p> for Payload<'_, 'p> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JWT claims set")
    }

    fn visit_map<A: MapAccess<'p>>(self, mut map: A) -> Result<(), A::Error> {
        let builder = self.0;
        let mut seen = 0;
        let mut others = Members::default();
        while let Some(Name(name)) = map.next_key()? {
            let Some(known) = Known::named(&name) else {
                map.next_value::<Skipped>()?;
                others.insert::<A::Error>(name)?;
                continue;
            };
            if seen & known.bit() != 0 {
                return Err(A::Error::custom("duplicate member"));
            }
            seen |= known.bit();
            match known {
                Known::Audience => {
                    let audience = map.next_value_seed(Strings {
                        builder,
                        shape: Shape::StringOrArrayOfStrings,
                    })?;
                    builder.registered.audience = builder.required("aud", audience);
                }
                Known::Groups => {
                    let groups = map.next_value_seed(Strings {
                        builder,
                        shape: Shape::ArrayKeepingStrings,
                    })?;
                    builder.registered.groups = groups.unwrap_or_default();
                }
                Known::RealmAccess => builder.registered.realm_roles = map.next_value_seed(Roles(builder))?,
                Known::ResourceAccess => builder.registered.clients = map.next_value_seed(Clients(builder))?,
                Known::Scalar(scalar) => {
                    let value = map.next_value_seed(ScalarSeed)?;
                    builder.claim(scalar, value);
                }
            }
        }
        Ok(())
    }
}

/// The value of a scalar claim.
enum Value<'p> {
    String(Cow<'p, str>),
    Integer(u64),
    Float(f64),
    Boolean(bool),
    Other,
}

impl Value<'_> {
    /// A NumericDate in seconds (RFC 7519 §2); fractions go where they shorten the token's life.
    fn date(&self, whole: fn(f64) -> f64) -> Option<u64> {
        match *self {
            Self::Integer(seconds) => Some(seconds),
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the range is checked"
            )]
            Self::Float(seconds) if (0.0..=LATEST as f64).contains(&seconds) => Some(whole(seconds) as u64),
            _ => None,
        }
        .filter(|seconds| *seconds <= LATEST)
    }
}

struct ScalarSeed;

impl<'p> DeserializeSeed<'p> for ScalarSeed {
    type Value = Value<'p>;

    fn deserialize<D: Deserializer<'p>>(self, deserializer: D) -> Result<Value<'p>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'p> Visitor<'p> for ScalarSeed {
    type Value = Value<'p>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value of a claim")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'p str) -> Result<Value<'p>, E> {
        Ok(Value::String(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value<'p>, E> {
        Ok(Value::String(Cow::Owned(text.to_owned())))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value<'p>, E> {
        Ok(Value::Integer(number))
    }

    fn visit_i64<E: Error>(self, _negative: i64) -> Result<Value<'p>, E> {
        Ok(Value::Other)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value<'p>, E> {
        Ok(Value::Float(number))
    }

    fn visit_bool<E: Error>(self, boolean: bool) -> Result<Value<'p>, E> {
        Ok(Value::Boolean(boolean))
    }

    fn visit_unit<E: Error>(self) -> Result<Value<'p>, E> {
        Ok(Value::Other)
    }

    fn visit_seq<A: SeqAccess<'p>>(self, elements: A) -> Result<Value<'p>, A::Error> {
        Skipped.visit_seq(elements).map(|_| Value::Other)
    }

    fn visit_map<A: MapAccess<'p>>(self, map: A) -> Result<Value<'p>, A::Error> {
        Skipped.visit_map(map).map(|_| Value::Other)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// `aud`: anything else is an error.
    StringOrArrayOfStrings,
    /// Roles and groups: other elements are left out.
    ArrayKeepingStrings,
}

/// A list of strings, appended to the elements. `None`: not of that shape.
struct Strings<'b, 'p> {
    builder: &'b mut Builder<'p>,
    shape: Shape,
}

impl<'p> DeserializeSeed<'p> for Strings<'_, 'p> {
    type Value = Option<List>;

    fn deserialize<D: Deserializer<'p>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'p> Strings<'_, 'p> {
    fn single(self, text: Cow<'p, str>) -> Option<List> {
        (self.shape == Shape::StringOrArrayOfStrings).then(|| {
            let start = position(self.builder.elements.len());
            let text = self.builder.keep(text);
            self.builder.elements.push(text);
            List { start, end: start + 1 }
        })
    }
}

impl<'p> Visitor<'p> for Strings<'_, 'p> {
    type Value = Option<List>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("strings")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'p str) -> Result<Self::Value, E> {
        Ok(self.single(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(self.single(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'p>>(self, mut array: A) -> Result<Self::Value, A::Error> {
        let start = position(self.builder.elements.len());
        let mut strings_only = true;
        while let Some(value) = array.next_element_seed(ScalarSeed)? {
            if let Value::String(text) = value {
                let text = self.builder.keep(text);
                self.builder.elements.push(text);
            } else {
                strings_only = false;
            }
        }
        let list = List {
            start,
            end: position(self.builder.elements.len()),
        };
        Ok((strings_only || self.shape == Shape::ArrayKeepingStrings).then_some(list))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'p>>(self, map: A) -> Result<Self::Value, A::Error> {
        Skipped.visit_map(map).map(|_| None)
    }
}

/// `{"roles": […]}`; anything else has no roles.
struct Roles<'b, 'p>(&'b mut Builder<'p>);

/// `{"client": {"roles": […]}, …}`; anything else has no clients.
struct Clients<'b, 'p>(&'b mut Builder<'p>);

/// The two objects above: they differ in what a member means, and agree on ignoring what is no object.
macro_rules! object {
    ($object:ident, $value:ty, |$self:ident, $map:ident| $visit:block) => {
        impl<'p> DeserializeSeed<'p> for $object<'_, 'p> {
            type Value = $value;

            fn deserialize<D: Deserializer<'p>>(self, deserializer: D) -> Result<$value, D::Error> {
                deserializer.deserialize_any(self)
            }
        }

        impl<'p> Visitor<'p> for $object<'_, 'p> {
            type Value = $value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with roles")
            }

            fn visit_map<A: MapAccess<'p>>($self, mut $map: A) -> Result<$value, A::Error> $visit

            fn visit_str<E: Error>(self, _: &str) -> Result<$value, E> {
                Ok(Default::default())
            }

            fn visit_bool<E: Error>(self, _: bool) -> Result<$value, E> {
                Ok(Default::default())
            }

            fn visit_u64<E: Error>(self, _: u64) -> Result<$value, E> {
                Ok(Default::default())
            }

            fn visit_i64<E: Error>(self, _: i64) -> Result<$value, E> {
                Ok(Default::default())
            }

            fn visit_f64<E: Error>(self, _: f64) -> Result<$value, E> {
                Ok(Default::default())
            }

            fn visit_unit<E: Error>(self) -> Result<$value, E> {
                Ok(Default::default())
            }

            fn visit_seq<A: SeqAccess<'p>>(self, elements: A) -> Result<$value, A::Error> {
                Skipped.visit_seq(elements).map(|_| Default::default())
            }
        }
    };
}

object!(Roles, List, |self, map| {
    let mut roles = List::default();
    let mut members = Members::default();
    while let Some(Name(name)) = map.next_key()? {
        if name == "roles" {
            roles = map
                .next_value_seed(Strings {
                    builder: self.0,
                    shape: Shape::ArrayKeepingStrings,
                })?
                .unwrap_or_default();
        } else {
            map.next_value::<Skipped>()?;
        }
        members.insert::<A::Error>(name)?;
    }
    Ok(roles)
});

object!(Clients, List, |self, map| {
    let start = position(self.0.elements.len());
    let mut members = Members::default();
    while let Some(Name(name)) = map.next_key()? {
        let client = self.0.keep(name.clone());
        let at = self.0.elements.len();
        // In the place of the second stand the positions of the roles, as soon as they are known.
        self.0.elements.extend([client, client]);
        map.next_value_seed(Roles(self.0))?;
        self.0.elements[at + 1] = Text::new(at + 2, self.0.elements.len());
        members.insert::<A::Error>(name)?;
    }
    Ok(List {
        start,
        end: position(self.0.elements.len()),
    })
});
