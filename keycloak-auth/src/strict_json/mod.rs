//! JSON read strictly: a member that stands twice is an error, at every depth (RFC 7519 §4, RFC 8725 §2.6).
//!
//! Two parsers that keep different ones of two members of the same name read two different tokens.

mod reader;
mod string;

use std::{borrow::Cow, collections::HashSet, fmt};

use serde::de::{Deserialize, Deserializer, Error, Visitor};

pub(crate) use reader::{Reader, Value};

/// Not JSON, or a member stands twice, or it is nested too deeply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

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
    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0 && self.many.is_none()
    }

    /// Remembers `name`; `false`: it stood before.
    #[must_use]
    pub(crate) fn insert(&mut self, name: Cow<'de, str>) -> bool {
        let seen =
            self.few[..self.count].contains(&&*name) || self.many.as_ref().is_some_and(|many| many.contains(&name));
        if seen {
            return false;
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
        true
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

#[cfg(test)]
mod tests;
