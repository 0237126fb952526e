//! Policies as structured data: `{"any": [{"role": "admin"}, {"group": "/ops"}]}`.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::{ClaimValue, Policy};

/// An object with one member: the word, and what it is about.
impl Serialize for Policy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(Some(1))?;
        let word = self.word();
        match self {
            Self::Public | Self::Authenticated => object.serialize_entry(word, &true),
            Self::All(operands) | Self::Any(operands) => object.serialize_entry(word, operands),
            Self::Not(operand) => object.serialize_entry(word, operand),
            Self::Role(name)
            | Self::RealmRole(name)
            | Self::Group(name)
            | Self::GroupTree(name)
            | Self::Scope(name)
            | Self::Acr(name) => object.serialize_entry(word, name),
            Self::ClientRole { client, role } => object.serialize_entry(word, &Pair("client", client, "role", role)),
            Self::Claim { path, value } => object.serialize_entry(word, &Pair("path", path, "value", value)),
            Self::MaxAge(seconds) => object.serialize_entry(word, seconds),
            Self::Owner { parameter, claim } => {
                object.serialize_entry(word, &Pair("parameter", parameter, "claim", claim))
            }
        }?;
        object.end()
    }
}

impl Serialize for ClaimValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::String(text) => serializer.serialize_str(text),
            Self::Integer(number) => serializer.serialize_i64(*number),
            Self::Boolean(boolean) => serializer.serialize_bool(*boolean),
        }
    }
}

/// An object with two members.
struct Pair<'a, A, B>(&'static str, &'a A, &'static str, &'a B);

impl<A: Serialize, B: Serialize> Serialize for Pair<'_, A, B> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(Some(2))?;
        object.serialize_entry(self.0, self.1)?;
        object.serialize_entry(self.2, self.3)?;
        object.end()
    }
}
