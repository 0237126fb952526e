//! The roles of a realm and of its clients.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The roles of a realm and of its clients (`RolesRepresentation`).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RolesFile {
    pub(crate) realm: Vec<RoleFile>,
    pub(crate) client: BTreeMap<String, Vec<RoleFile>>,
}

/// A role (`RoleRepresentation`).
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct RoleFile {
    pub(crate) name: String,
    pub(crate) composites: Option<CompositesFile>,
}

/// The roles in a composite role.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct CompositesFile {
    pub(crate) realm: Vec<String>,
    pub(crate) client: BTreeMap<String, Vec<String>>,
}
