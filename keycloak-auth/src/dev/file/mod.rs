//! The members of a realm file, as Keycloak writes and reads them: by hand or by `kc.sh export`.
//!
//! Everything is optional here; what is missing has Keycloak's default, which [`model`](super::model) puts in.

mod built_in;
mod client;
mod lenient;
mod user;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

pub(super) use client::{ClientFile, ClientScopeFile, MapperFile};
pub(super) use user::{CredentialFile, GroupFile, UserFile};

use super::error::{RealmFileError, RealmWarning};

/// A realm (`RealmRepresentation`).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RealmFile {
    pub(super) realm: String,
    pub(super) display_name: Option<String>,
    pub(super) enabled: Option<bool>,
    pub(super) not_before: u64,
    pub(super) default_signature_algorithm: Option<String>,
    pub(super) revoke_refresh_token: bool,
    pub(super) refresh_token_max_reuse: u64,
    pub(super) access_token_lifespan: Option<u64>,
    pub(super) sso_session_idle_timeout: Option<u64>,
    pub(super) sso_session_max_lifespan: Option<u64>,
    pub(super) client_session_idle_timeout: u64,
    pub(super) client_session_max_lifespan: u64,
    pub(super) offline_session_idle_timeout: Option<u64>,
    pub(super) access_code_lifespan: Option<u64>,
    pub(super) access_code_lifespan_login: Option<u64>,
    pub(super) login_with_email_allowed: Option<bool>,
    pub(super) registration_email_as_username: bool,
    pub(super) duplicate_emails_allowed: bool,
    pub(super) organizations_enabled: bool,

    pub(super) roles: RolesFile,
    pub(super) default_role: Option<RoleFile>,
    pub(super) default_roles: Option<Vec<String>>,
    pub(super) groups: Vec<GroupFile>,
    pub(super) default_groups: Vec<String>,
    pub(super) client_scopes: Option<Vec<ClientScopeFile>>,
    pub(super) default_default_client_scopes: Option<Vec<String>>,
    pub(super) default_optional_client_scopes: Option<Vec<String>>,
    pub(super) scope_mappings: Vec<ScopeMappingFile>,
    pub(super) client_scope_mappings: BTreeMap<String, Vec<ScopeMappingFile>>,
    pub(super) clients: Vec<ClientFile>,
    pub(super) users: Vec<UserFile>,
    pub(super) required_actions: Vec<RequiredActionFile>,
    pub(super) components: BTreeMap<String, Vec<ComponentFile>>,

    // What cannot be done is read to be named.
    pub(super) registration_allowed: bool,
    pub(super) reset_password_allowed: bool,
    pub(super) remember_me: bool,
    pub(super) verify_email: bool,
    pub(super) brute_force_protected: bool,
    pub(super) browser_flow: Option<String>,
    pub(super) direct_grant_flow: Option<String>,
    pub(super) identity_providers: Vec<Value>,
    pub(super) organizations: Vec<Value>,
    pub(super) user_federation_providers: Vec<Value>,
    pub(super) federated_users: Vec<Value>,
}

/// The roles of a realm and of its clients (`RolesRepresentation`).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RolesFile {
    pub(super) realm: Vec<RoleFile>,
    pub(super) client: BTreeMap<String, Vec<RoleFile>>,
}

/// A role (`RoleRepresentation`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RoleFile {
    pub(super) name: String,
    pub(super) composites: Option<CompositesFile>,
}

/// The roles in a composite role.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct CompositesFile {
    pub(super) realm: Vec<String>,
    pub(super) client: BTreeMap<String, Vec<String>>,
}

/// The roles in the scope of a client or of a client scope (`ScopeMappingRepresentation`).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ScopeMappingFile {
    pub(super) client: Option<String>,
    pub(super) client_scope: Option<String>,
    pub(super) roles: Vec<String>,
}

/// Something that users may have to do before they get in (`RequiredActionProviderRepresentation`).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RequiredActionFile {
    pub(super) alias: String,
    pub(super) enabled: Option<bool>,
}

/// A part that Keycloak loads: here, a provider of keys or of users (`ComponentExportRepresentation`).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ComponentFile {
    pub(super) name: Option<String>,
    pub(super) provider_id: String,
    pub(super) config: BTreeMap<String, Vec<String>>,
}

impl ComponentFile {
    /// The first value of a setting.
    pub(super) fn setting(&self, name: &str) -> Option<&str> {
        self.config.get(name)?.first().map(String::as_str)
    }
}

/// Reads a realm, or the realm of an array of realms, which an export of a whole server is.
///
/// Of several, the first that is not the realm `master` is taken, and the others are named.
pub(super) fn parse(json: &str) -> Result<(RealmFile, Vec<RealmWarning>), RealmFileError> {
    if !json.trim_start().starts_with('[') {
        return Ok((parse_as(json)?, Vec::new()));
    }
    let mut realms: Vec<RealmFile> = parse_as(json)?;
    let chosen = realms.iter().position(|realm| realm.realm != "master").unwrap_or(0);
    if realms.is_empty() {
        return Err(RealmFileError::invalid(".", "the array has no realm"));
    }
    let warnings = (realms.iter().enumerate())
        .filter(|(number, _)| *number != chosen)
        .map(|(number, realm)| {
            RealmWarning::new(
                format!("[{number}]"),
                format!("the realm `{}` is not served: one realm at a time", realm.realm),
            )
        })
        .collect();
    Ok((realms.swap_remove(chosen), warnings))
}

fn parse_as<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, RealmFileError> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| RealmFileError::Malformed {
        member: error.path().to_string(),
        source: error.into_inner(),
    })?;
    deserializer.end().map_err(|source| RealmFileError::Malformed {
        member: ".".to_owned(),
        source,
    })?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_member_that_has_another_type() {
        let error = parse(r#"{"realm": "a", "users": [{"username": "u"}, {"username": 7}]}"#).unwrap_err();
        let RealmFileError::Malformed { member, .. } = &error else {
            panic!("{error:?}");
        };
        assert_eq!(member, "users[1].username");
        assert!(error.to_string().contains("expected a string"), "{error}");
    }

    #[test]
    fn says_where_the_json_breaks() {
        let error = parse("{\"realm\": \"a\",\n \"users\": [}").unwrap_err();
        assert!(error.to_string().contains("line 2 column"), "{error}");
        let error = parse(r#"{"realm": "a"} {}"#).unwrap_err();
        assert!(error.to_string().contains("trailing characters"), "{error}");
    }

    #[test]
    fn takes_the_first_realm_of_an_export_that_is_not_master() {
        let (realm, warnings) = parse(r#"[{"realm": "master"}, {"realm": "acme"}, {"realm": "b"}]"#).unwrap();
        assert_eq!(realm.realm, "acme");
        let warnings: Vec<_> = warnings.iter().map(ToString::to_string).collect();
        assert_eq!(
            warnings,
            [
                "[0]: the realm `master` is not served: one realm at a time",
                "[2]: the realm `b` is not served: one realm at a time"
            ]
        );
        assert!(parse("[]").is_err());
    }
}
