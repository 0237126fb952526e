//! Users, their credentials and groups in a realm file.

use std::{collections::BTreeMap, fmt};

use serde::Deserialize;

use super::lenient;

/// A user (`UserRepresentation`).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::dev) struct UserFile {
    pub(in crate::dev) id: Option<String>,
    pub(in crate::dev) username: String,
    pub(in crate::dev) enabled: Option<bool>,
    pub(in crate::dev) email: Option<String>,
    pub(in crate::dev) email_verified: bool,
    pub(in crate::dev) first_name: Option<String>,
    pub(in crate::dev) last_name: Option<String>,
    #[serde(deserialize_with = "lenient::lists")]
    pub(in crate::dev) attributes: BTreeMap<String, Vec<String>>,
    pub(in crate::dev) credentials: Vec<CredentialFile>,
    pub(in crate::dev) required_actions: Vec<String>,
    pub(in crate::dev) realm_roles: Vec<String>,
    pub(in crate::dev) client_roles: BTreeMap<String, Vec<String>>,
    pub(in crate::dev) groups: Vec<String>,
    pub(in crate::dev) service_account_client_id: Option<String>,
    pub(in crate::dev) not_before: u64,
    pub(in crate::dev) federation_link: Option<String>,
}

/// A credential (`CredentialRepresentation`): a password in plain text, or its hash as an export has it.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::dev) struct CredentialFile {
    #[serde(rename = "type")]
    pub(in crate::dev) kind: Option<String>,
    pub(in crate::dev) value: Option<String>,
    /// A JSON text with `value` and `salt`.
    pub(in crate::dev) secret_data: Option<String>,
    /// A JSON text with `algorithm`, `hashIterations` and `additionalParameters`.
    pub(in crate::dev) credential_data: Option<String>,
}

impl fmt::Debug for CredentialFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialFile")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// A group with those below it (`GroupRepresentation`).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::dev) struct GroupFile {
    pub(in crate::dev) name: Option<String>,
    pub(in crate::dev) path: Option<String>,
    pub(in crate::dev) sub_groups: Vec<GroupFile>,
    pub(in crate::dev) realm_roles: Vec<String>,
    pub(in crate::dev) client_roles: BTreeMap<String, Vec<String>>,
    #[serde(deserialize_with = "lenient::lists")]
    pub(in crate::dev) attributes: BTreeMap<String, Vec<String>>,
}
