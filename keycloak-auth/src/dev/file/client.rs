//! Clients, client scopes and protocol mappers in a realm file.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::lenient;

/// A client (`ClientRepresentation`).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::dev) struct ClientFile {
    pub(in crate::dev) client_id: String,
    pub(in crate::dev) enabled: Option<bool>,
    pub(in crate::dev) protocol: Option<String>,
    pub(in crate::dev) root_url: Option<String>,
    pub(in crate::dev) base_url: Option<String>,
    pub(in crate::dev) secret: Option<String>,
    pub(in crate::dev) client_authenticator_type: Option<String>,
    pub(in crate::dev) redirect_uris: Vec<String>,
    pub(in crate::dev) web_origins: Option<Vec<String>>,
    pub(in crate::dev) not_before: u64,
    pub(in crate::dev) bearer_only: bool,
    pub(in crate::dev) public_client: bool,
    pub(in crate::dev) standard_flow_enabled: Option<bool>,
    pub(in crate::dev) implicit_flow_enabled: bool,
    pub(in crate::dev) direct_access_grants_enabled: bool,
    pub(in crate::dev) service_accounts_enabled: bool,
    pub(in crate::dev) authorization_services_enabled: bool,
    pub(in crate::dev) consent_required: bool,
    pub(in crate::dev) full_scope_allowed: Option<bool>,
    #[serde(deserialize_with = "lenient::texts")]
    pub(in crate::dev) attributes: BTreeMap<String, String>,
    pub(in crate::dev) authentication_flow_binding_overrides: BTreeMap<String, Value>,
    pub(in crate::dev) protocol_mappers: Vec<MapperFile>,
    pub(in crate::dev) default_client_scopes: Option<Vec<String>>,
    pub(in crate::dev) optional_client_scopes: Option<Vec<String>>,
}

/// A client scope (`ClientScopeRepresentation`).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::dev) struct ClientScopeFile {
    pub(in crate::dev) name: String,
    pub(in crate::dev) protocol: Option<String>,
    #[serde(deserialize_with = "lenient::texts")]
    pub(in crate::dev) attributes: BTreeMap<String, String>,
    pub(in crate::dev) protocol_mappers: Vec<MapperFile>,
}

/// A protocol mapper (`ProtocolMapperRepresentation`).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::dev) struct MapperFile {
    pub(in crate::dev) name: String,
    pub(in crate::dev) protocol: Option<String>,
    pub(in crate::dev) protocol_mapper: Option<String>,
    #[serde(deserialize_with = "lenient::texts")]
    pub(in crate::dev) config: BTreeMap<String, String>,
}

impl MapperFile {
    /// A setting that is there and not blank.
    pub(in crate::dev) fn setting(&self, name: &str) -> Option<&str> {
        let value = self.config.get(name)?;
        (!value.trim().is_empty()).then_some(value.as_str())
    }

    /// Whether a setting is `true`; a missing one is not.
    pub(in crate::dev) fn is_true(&self, name: &str) -> bool {
        self.config.get(name).is_some_and(|value| value == "true")
    }
}
