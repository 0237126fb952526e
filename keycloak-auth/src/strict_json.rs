//! JSON read strictly: a member that stands twice is an error, at every depth (RFC 7519 §4, RFC 8725 §2.6).
//!
//! Two parsers that keep different ones of two members of the same name read two different tokens.

use std::{borrow::Cow, collections::HashSet, fmt};

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Objects with more members than this look their names up in a hash table, and so do names with escapes.
const LINEAR: usize = 8;

/// The member names of one object that were seen so far.
#[derive(Default)]
pub(crate) struct Members<'de> {
    few: [&'de str; LINEAR],
    count: usize,
    many: Option<HashSet<Cow<'de, str>>>,
}

impl<'de> Members<'de> {
    /// Remembers `name`, or says that it stood before.
    pub(crate) fn insert<E: Error>(&mut self, name: Cow<'de, str>) -> Result<(), E> {
        let seen =
            self.few[..self.count].contains(&&*name) || self.many.as_ref().is_some_and(|many| many.contains(&name));
        if seen {
            return Err(E::custom("duplicate member"));
        }
        match (name, self.few.get_mut(self.count)) {
            (Cow::Borrowed(name), Some(free)) => {
                *free = name;
                self.count += 1;
            }
            (name, _) => {
                self.many.get_or_insert_default().insert(name);
            }
        }
        Ok(())
    }
}

/// A string, such as the name of a member: borrowed where it has no escapes.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name<'de>(pub(crate) Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;

        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(NameVisitor)
    }
}

/// Any value, read to its end and forgotten; fails on a duplicate member inside it.
pub(crate) struct Skipped;

impl<'de> Deserialize<'de> for Skipped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Skipped {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E: Error>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self, A::Error> {
        while elements.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        let mut members = Members::default();
        while let Some(Name(name)) = map.next_key()? {
            members.insert(name)?;
            map.next_value::<Self>()?;
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(json: &str) -> bool {
        serde_json::from_str::<Skipped>(json).is_ok()
    }

    #[test]
    fn refuses_a_member_that_stands_twice_at_any_depth() {
        assert!(accepts(r#"{"a": [1, {"b": null, "c": "x"}], "b": 1.5}"#));
        for json in [
            r#"{"a": 1, "a": 1}"#,
            r#"{"x": [{"a": 1, "a": 2}]}"#,
            r#"{"a": 1, "\u0061": 2}"#,
            r#"{"\u0061": 1, "a": 2}"#,
            r#"{"\u0061": 1, "\u0061": 2}"#,
            r#"{"": 1, "": 2}"#,
        ] {
            assert!(!accepts(json), "{json}");
        }
    }

    #[test]
    fn finds_a_duplicate_among_many_members() {
        let members = |count: usize| (0..count).map(|i| format!(r#""m{i}":0"#)).collect::<Vec<_>>().join(",");
        assert!(accepts(&format!("{{{}}}", members(500))));
        for twice in ["m0", "m7", "m8", "m499"] {
            assert!(!accepts(&format!(r#"{{{},"{twice}":1}}"#, members(500))), "{twice}");
        }
    }

    #[test]
    fn refuses_deep_nesting_without_overflowing() {
        assert!(!accepts(&"[".repeat(100_000)));
        assert!(!accepts(&r#"{"a":"#.repeat(100_000)));
    }
}
