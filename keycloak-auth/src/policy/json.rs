//! Policies as structured data: `{"any": [{"role": "admin"}, {"group": "/ops"}]}`.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::{ClaimValue, Policy};

/// An object with one member: the word, and what it is about.
impl Serialize for Policy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(Some(1))?;
        match self {
            Self::Public => object.serialize_entry("public", &true),
            Self::Authenticated => object.serialize_entry("authenticated", &true),
            Self::All(operands) => object.serialize_entry("all", operands),
            Self::Any(operands) => object.serialize_entry("any", operands),
            Self::Not(operand) => object.serialize_entry("not", operand),
            Self::Role(role) => object.serialize_entry("role", role),
            Self::RealmRole(role) => object.serialize_entry("realm_role", role),
            Self::ClientRole { client, role } => {
                object.serialize_entry("client_role", &Pair("client", client, "role", role))
            }
            Self::Group(path) => object.serialize_entry("group", path),
            Self::GroupTree(path) => object.serialize_entry("group_tree", path),
            Self::Scope(scope) => object.serialize_entry("scope", scope),
            Self::Claim { path, value } => object.serialize_entry("claim", &Pair("path", path, "value", value)),
            Self::Acr(acr) => object.serialize_entry("acr", acr),
            Self::MaxAge(seconds) => object.serialize_entry("max_age", seconds),
            Self::Owner { parameter, claim } => {
                object.serialize_entry("owner", &Pair("parameter", parameter, "claim", claim))
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
