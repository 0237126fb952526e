//! Finding one custom claim in the payload without building a tree.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::ClaimValue;
use crate::{
    claims::{Claims, path},
    strict_json::Name,
};

/// Up to here a double is no other integer than the one that was written.
const EXACT_IN_DOUBLE: u64 = 1 << f64::MANTISSA_DIGITS;

/// Whether the claim at `path` equals `value`, or is an array that has it as an element.
///
/// The path's segments are separated by dots; a dot that belongs to a name is written `\.`, as in Keycloak's mappers.
pub(super) fn claim_matches(claims: &Claims, path: &str, value: ClaimValue) -> bool {
    let mut deserializer = serde_json::Deserializer::from_str(claims.json());
    Lookup {
        path: Some(path),
        value,
        in_array: false,
    }
    .deserialize(&mut deserializer)
    .unwrap_or(false)
}

#[derive(Clone, Copy)]
struct Lookup<'a> {
    /// The segments still to go; `None` at the claim itself.
    path: Option<&'a str>,
    value: ClaimValue,
    in_array: bool,
}

impl Lookup<'_> {
    fn equals(&self, found: ClaimValue) -> bool {
        self.path.is_none() && self.value == found
    }
}

impl<'de> DeserializeSeed<'de> for Lookup<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Lookup<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a claim")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<bool, E> {
        Ok(self.path.is_none() && matches!(self.value, ClaimValue::String(expected) if expected == text))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<bool, E> {
        Ok(self.equals(ClaimValue::Integer(number)))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<bool, E> {
        Ok(i64::try_from(number).is_ok_and(|number| self.equals(ClaimValue::Integer(number))))
    }

    // JSON has one kind of number (RFC 8259 §6): `1.0` and `1e0` are 1, and `-0` comes along here too.
    fn visit_f64<E: Error>(self, number: f64) -> Result<bool, E> {
        Ok(self.path.is_none()
            && matches!(self.value, ClaimValue::Integer(expected)
                if expected.unsigned_abs() <= EXACT_IN_DOUBLE && expected as f64 == number))
    }

    fn visit_bool<E: Error>(self, boolean: bool) -> Result<bool, E> {
        Ok(self.equals(ClaimValue::Boolean(boolean)))
    }

    fn visit_unit<E: Error>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<bool, A::Error> {
        let mut found = false;
        let searched = self.path.is_none() && !self.in_array;
        loop {
            let element = if searched && !found {
                elements.next_element_seed(Self { in_array: true, ..self })?
            } else {
                elements.next_element::<IgnoredAny>()?.map(|_| false)
            };
            match element {
                Some(matches) => found |= matches,
                None => return Ok(found),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let mut found = false;
        while let Some(Name(name)) = map.next_key()? {
            match self.path.filter(|_| !self.in_array).map(path::split) {
                Some((segment, rest)) if path::is_named(segment, &name) => {
                    found |= map.next_value_seed(Self { path: rest, ..self })?
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn custom_claims_are_found_by_path() {
        let claims = Claims::parse(
            r#"{"preferred_username":"alice","email_verified":true,"tenant":{"id":7,"plans":["gold","silver"]},"a.b":true,"level":-3}"#,
        );
        let claims = claims.expect("valid claims");
        for (path, value, expected) in [
            ("tenant.id", ClaimValue::Integer(7), true),
            ("tenant.id", ClaimValue::Integer(8), false),
            ("tenant.id", ClaimValue::String("7"), false),
            ("tenant.plans", ClaimValue::String("silver"), true),
            ("tenant.plans", ClaimValue::String("bronze"), false),
            ("tenant.plans.gold", ClaimValue::String("gold"), false),
            ("tenant", ClaimValue::Integer(7), false),
            ("a\\.b", ClaimValue::Boolean(true), true),
            ("a.b", ClaimValue::Boolean(true), false),
            ("level", ClaimValue::Integer(-3), true),
            ("email_verified", ClaimValue::Boolean(true), true),
            ("preferred_username", ClaimValue::String("alice"), true),
            ("missing", ClaimValue::Boolean(false), false),
        ] {
            assert_eq!(claim_matches(&claims, path, value), expected, "{path} = {value:?}");
        }
    }
}
