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

pub(super) use crate::realm_file::{CompositesFile, RoleFile, RolesFile};
pub(super) use client::{ClientFile, ClientScopeFile, MapperFile};
pub(super) use user::{CredentialFile, GroupFile, UserFile};

use super::error::{RealmFileError, RealmWarning};
use crate::realm_file::{self, Malformed, Realm};

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

impl Realm for RealmFile {
    fn name(&self) -> &str {
        &self.realm
    }
}

/// Reads a realm file; the realms beside the one that is taken are named.
pub(super) fn parse(json: &str) -> Result<(RealmFile, Vec<RealmWarning>), RealmFileError> {
    let (realm, others) = realm_file::read::<RealmFile>(json).map_err(
        |Malformed {
             member,
             source: problem,
         }| RealmFileError::Malformed { member, problem },
    )?;
    let warnings = others
        .into_iter()
        .map(|(number, name)| {
            RealmWarning::new(
                format!("[{number}]"),
                format!("the realm `{name}` is not served: one realm at a time"),
            )
        })
        .collect();
    Ok((realm, warnings))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_realms_that_are_not_served() {
        let (realm, warnings) = parse(r#"[{"realm": "master"}, {"realm": "acme"}]"#).unwrap();
        assert_eq!(realm.realm, "acme");
        let warnings: Vec<_> = warnings.iter().map(ToString::to_string).collect();
        assert_eq!(warnings, ["[0]: the realm `master` is not served: one realm at a time"]);
    }

    #[test]
    fn names_the_member_that_has_another_type() {
        let error = parse(r#"{"realm": "a", "users": [{"username": "u"}, {"username": 7}]}"#).unwrap_err();
        let RealmFileError::Malformed { member, .. } = &error else {
            panic!("{error:?}");
        };
        assert_eq!(member, "users[1].username");
        assert!(error.to_string().contains("expected a string"), "{error}");
        let nameless = parse("{}").unwrap_err();
        assert_eq!(crate::text::chain(&nameless), "realm: a realm needs a name");
    }

    #[test]
    fn members_that_are_null_count_as_missing() {
        let (realm, _) = parse(
            r#"{"realm": "a", "roles": null, "clients": [{"clientId": "c", "redirectUris": null, "attributes": {"x": null}}],
                "users": [{"username": "u", "groups": null, "attributes": {"x": null}}]}"#,
        )
        .unwrap();
        assert_eq!((realm.clients.len(), realm.users.len()), (1, 1));
        assert!(realm.users[0].groups.is_empty() && realm.users[0].attributes.is_empty());
    }
}
