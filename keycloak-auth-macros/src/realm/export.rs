//! The parts of a realm file that name things. Keycloak's exports and files written by hand have the same form.

use std::collections::HashMap;

use serde::{Deserialize, Deserializer, de::IgnoredAny};

use super::{Problem, essence};

/// A realm as `kc.sh export` writes it and `kc.sh import` reads it: Keycloak's `RealmRepresentation`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RealmExport {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) realm: String,
    /// Every export has it; who writes a file by hand leaves it to Keycloak.
    pub(super) default_role: Option<IgnoredAny>,
    /// Older than `defaultRole`; what it names is created.
    #[serde(default, deserialize_with = "or_default")]
    pub(super) default_roles: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) roles: Roles,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) clients: Vec<Client>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) groups: Vec<Group>,
    pub(super) client_scopes: Option<Vec<ClientScope>>,
}

#[derive(Default, Deserialize)]
pub(super) struct Roles {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) realm: Vec<Role>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) client: HashMap<String, Vec<Role>>,
}

#[derive(Deserialize)]
pub(super) struct Role {
    pub(super) name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Client {
    pub(super) client_id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) default_roles: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) authorization_services_enabled: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) path: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) sub_groups: Vec<Group>,
}

#[derive(Deserialize)]
pub(super) struct ClientScope {
    pub(super) name: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) attributes: ScopeAttributes,
}

/// Keycloak keeps attributes as strings.
#[derive(Default, Deserialize)]
pub(super) struct ScopeAttributes {
    #[serde(rename = "include.in.token.scope")]
    pub(super) include_in_token_scope: Option<String>,
    #[serde(rename = "is.dynamic.scope")]
    pub(super) is_dynamic_scope: Option<String>,
}

/// Reads one realm, or the array of all realms that `kc.sh export --file` writes without `--realm`. Of several realms
/// `wanted` names the one that is meant.
pub(super) fn parse(json: &[u8], file: &str, wanted: Option<&str>) -> Result<RealmExport, Problem> {
    // Editors on Windows write a byte order mark; Keycloak skips it, too.
    let json = json.strip_prefix("\u{feff}".as_bytes()).unwrap_or(json);
    // Where the parser finds fault it is given all of the file, for the line and column.
    let essence = essence::essence(json).and_then(|essence| read(&essence).ok());
    let mut realms = match essence {
        Some(realms) => realms,
        None => read(json).map_err(|error| {
            Problem::new(
                format!("`{file}` is not a realm file: {error}"),
                "export the realm by `kc.sh export --realm … --file …`, or correct the JSON",
            )
        })?,
    };
    if realms.iter().any(|realm| realm.realm.is_empty()) {
        return Err(Problem::new(
            format!("`{file}` is not a realm file: a realm needs a name"),
            "export the realm by `kc.sh export --realm … --file …`, or write `{\"realm\": \"…\", \"roles\": …}`; the embedded realm and the access matrix need one, too",
        ));
    }
    if let Some(wanted) = wanted {
        realms.retain(|realm| realm.realm == wanted);
    } else if realms.len() > 1 {
        // Nobody means the realm of the administrators.
        realms.retain(|realm| realm.realm != "master");
    }
    match (realms.pop(), realms.pop(), wanted) {
        (Some(realm), None, _) => Ok(realm),
        (_, _, Some(wanted)) => Err(Problem::new(
            format!("`{file}` does not have the realm `{wanted}`"),
            "`realm-name` in the table `metadata.keycloak` of Cargo.toml names a realm of the file",
        )),
        (Some(_), Some(_), None) => Err(Problem::new(
            format!("`{file}` has several realms"),
            "say which by `realm-name = \"…\"` in the table `metadata.keycloak` of Cargo.toml",
        )),
        (None, ..) => Err(Problem::new(
            format!("`{file}` has no realm"),
            "export the realm by `kc.sh export --realm … --file …`",
        )),
    }
}

fn read(json: &[u8]) -> serde_json::Result<Vec<RealmExport>> {
    if json.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
        serde_json::from_slice(json)
    } else {
        Ok(vec![serde_json::from_slice(json)?])
    }
}

/// `null` is as good as nothing.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
