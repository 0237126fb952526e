//! From the payload's JSON to [`Claims`], in one pass and strictly.
//!
//! Claims that decide about the token (`iss`, `aud`, `exp`, …) fail on a wrong type. Claims that only describe or enable
//! the user (names, roles, groups) count as absent on a wrong type: a mapper that an administrator set up oddly must not
//! lock users out, and an absent role grants nothing.

use std::{borrow::Cow, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{Claims, List, Registered, Text};
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

impl Claims {
    /// Parses the payload of a token whose signature has been verified.
    pub(crate) fn parse(payload: String) -> Result<Self, InvalidPayload> {
        let mut builder = Builder {
            payload: &payload,
            unescaped: String::new(),
            elements: Vec::with_capacity(24),
            clients: Vec::new(),
            registered: Registered::default(),
            invalid: None,
        };
        let mut deserializer = serde_json::Deserializer::from_str(&payload);
        let read = Payload(&mut builder)
            .deserialize(&mut deserializer)
            .and_then(|()| deserializer.end());
        let Builder {
            unescaped,
            elements,
            clients,
            registered,
            invalid,
            ..
        } = builder;
        if read.is_err() {
            return Err(InvalidPayload::Malformed);
        }
        if let Some(claim) = invalid {
            return Err(InvalidPayload::Claim(claim));
        }
        let payload_length = payload.len();
        let mut text = payload;
        text.push_str(&unescaped);
        Ok(Self {
            text: text.into(),
            payload_length,
            elements: elements.into(),
            clients: clients.into(),
            registered,
        })
    }
}

struct Builder<'p> {
    payload: &'p str,
    unescaped: String,
    elements: Vec<Text>,
    clients: Vec<(Text, List)>,
    registered: Registered,
    invalid: Option<&'static str>,
}

impl<'p> Builder<'p> {
    /// The positions of `text`: those in the payload it was borrowed from, or of a copy behind the payload.
    fn keep(&mut self, text: Cow<'p, str>) -> Text {
        let length = text.len();
        let start = match text {
            Cow::Borrowed(text) => text.as_ptr().addr() - self.payload.as_ptr().addr(),
            Cow::Owned(text) => {
                let start = self.payload.len() + self.unescaped.len();
                self.unescaped.push_str(&text);
                start
            }
        };
        Text {
            start: position(start),
            end: position(start + length),
        }
    }

    fn keep_string(&mut self, value: Value<'p>) -> Option<Text> {
        match value {
            Value::String(text) => Some(self.keep(text)),
            _ => None,
        }
    }

    fn claim(&mut self, name: &str, value: Value<'p>) {
        match name {
            "iss" => self.registered.issuer = self.required_string("iss", value),
            "sub" => self.registered.subject = self.required_string("sub", value),
            "typ" => self.registered.token_type = self.required_string("typ", value),
            "azp" => self.registered.authorized_party = self.required_string("azp", value),
            "exp" => self.registered.expires_at = self.required("exp", value.date(f64::floor)),
            "nbf" => self.registered.not_before = self.required("nbf", value.date(f64::ceil)),
            "iat" => self.registered.issued_at = self.required("iat", value.date(f64::ceil)),
            "auth_time" => self.registered.auth_time = value.date(f64::floor),
            "cnf" => self.registered.is_bound = true,
            "jti" => self.registered.token_id = self.keep_string(value),
            "sid" => self.registered.session_id = self.keep_string(value),
            "scope" => self.registered.scope = self.keep_string(value),
            "acr" => self.registered.acr = self.keep_string(value),
            "preferred_username" => self.registered.username = self.keep_string(value),
            "email" => self.registered.email = self.keep_string(value),
            "email_verified" => {
                self.registered.email_verified = if let Value::Boolean(verified) = value {
                    Some(verified)
                } else {
                    None
                };
            }
            "name" => self.registered.name = self.keep_string(value),
            "given_name" => self.registered.given_name = self.keep_string(value),
            "family_name" => self.registered.family_name = self.keep_string(value),
            _ => {}
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

/// The claims that [`Builder::claim`] wants to see.
const SCALARS: [&str; 19] = [
    "iss",
    "sub",
    "typ",
    "azp",
    "exp",
    "nbf",
    "iat",
    "auth_time",
    "cnf",
    "jti",
    "sid",
    "scope",
    "acr",
    "preferred_username",
    "email",
    "email_verified",
    "name",
    "given_name",
    "family_name",
];

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
        let mut members = Members::default();
        while let Some(Name(name)) = map.next_key()? {
            match &*name {
                "aud" => {
                    let audience = map.next_value_seed(Strings {
                        builder,
                        shape: Shape::StringOrArrayOfStrings,
                    })?;
                    builder.registered.audience = builder.required("aud", audience);
                }
                "groups" => {
                    let groups = map.next_value_seed(Strings {
                        builder,
                        shape: Shape::ArrayKeepingStrings,
                    })?;
                    builder.registered.groups = groups.unwrap_or_default();
                }
                "realm_access" => builder.registered.realm_roles = map.next_value_seed(Roles(builder))?,
                "resource_access" => map.next_value_seed(Clients(builder))?,
                scalar if SCALARS.contains(&scalar) => {
                    let value = map.next_value_seed(ScalarSeed)?;
                    builder.claim(scalar, value);
                }
                _ => {
                    map.next_value::<Skipped>()?;
                }
            }
            members.insert::<A::Error>(name)?;
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

object!(Clients, (), |self, map| {
    let mut members = Members::default();
    while let Some(Name(name)) = map.next_key()? {
        let client = self.0.keep(name.clone());
        let roles = map.next_value_seed(Roles(self.0))?;
        self.0.clients.push((client, roles));
        members.insert::<A::Error>(name)?;
    }
    Ok(())
});
