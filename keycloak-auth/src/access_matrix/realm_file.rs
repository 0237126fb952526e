//! The roles, groups and users of a realm file, in the format of Keycloak's export.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, de::Error as _};

use super::Subject;

/// Why a text is no realm file.
#[derive(Debug, thiserror::Error)]
#[error("the realm file cannot be read")]
pub struct RealmFileError(#[from] serde_json::Error);

/// What is read of a realm file; the rest is skipped.
#[derive(Deserialize)]
struct Realm {
    #[serde(default, deserialize_with = "or_default")]
    realm: String,
    #[serde(default, deserialize_with = "or_default")]
    roles: Roles,
    #[serde(default, deserialize_with = "or_default")]
    groups: Vec<Group>,
    #[serde(default, deserialize_with = "or_default")]
    users: Vec<User>,
}

#[derive(Deserialize, Default)]
struct Roles {
    #[serde(default, deserialize_with = "or_default")]
    realm: Vec<Role>,
    #[serde(default, deserialize_with = "or_default")]
    client: BTreeMap<String, Vec<Role>>,
}

#[derive(Deserialize)]
struct Role {
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    composites: Composites,
}

#[derive(Deserialize, Default)]
struct Composites {
    #[serde(default, deserialize_with = "or_default")]
    realm: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    client: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    name: String,
    #[serde(flatten)]
    roles: Mapped,
    #[serde(default, deserialize_with = "or_default")]
    sub_groups: Vec<Group>,
}

#[derive(Deserialize)]
struct User {
    username: String,
    #[serde(flatten)]
    roles: Mapped,
    #[serde(default, deserialize_with = "or_default")]
    groups: Vec<String>,
    /// Keycloak takes a user for disabled who does not say otherwise.
    #[serde(default, deserialize_with = "or_default")]
    enabled: bool,
}

/// The roles that are mapped to a group or user.
#[derive(Clone, Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Mapped {
    #[serde(deserialize_with = "or_default")]
    realm_roles: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    client_roles: BTreeMap<String, Vec<String>>,
}

/// A member that is `null` counts as missing, as in Keycloak.
fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// The realm of the file; of several, as an export of a whole server has them, the first beside `master`.
fn realm(file: &str) -> Result<Realm, RealmFileError> {
    let file = file.trim_start_matches('\u{feff}');
    if !file.trim_start().starts_with('[') {
        return Ok(serde_json::from_str(file)?);
    }
    let realms: Vec<Realm> = serde_json::from_str(file)?;
    let wanted = realms.into_iter().find(|realm| realm.realm != "master");
    wanted.ok_or_else(|| serde_json::Error::custom("there is no realm beside `master` in the array").into())
}

/// As Keycloak writes a group's path: a slash in a name is no separator.
fn path_of(parent: &str, name: &str) -> String {
    format!("{parent}/{}", name.replace('/', "~/"))
}

/// A role: its client, none for a realm role, and its name.
type RoleKey = (Option<String>, String);

/// One subject for each realm role, client role, group and enabled user, in the order of the file.
pub(super) fn subjects(realm_file: &str, client_id: &str) -> Result<Vec<Subject>, RealmFileError> {
    let realm = realm(realm_file)?;
    let composites = composites(&realm.roles);
    let mut groups = BTreeMap::new();
    let mut paths = Vec::new();
    for group in &realm.groups {
        collect_groups(group, "", &BTreeSet::new(), &mut paths, &mut groups);
    }
    let with_roles = |subject: Subject, roles: &BTreeSet<RoleKey>| {
        expanded(roles, &composites)
            .into_iter()
            .fold(subject.in_service(client_id), |subject, (client, role)| match client {
                Some(client) => subject.with_client_role(client, role),
                None => subject.with_realm_role(role),
            })
    };
    let mut subjects = Vec::new();
    for role in &realm.roles.realm {
        let own = BTreeSet::from([(None, role.name.clone())]);
        subjects.push(with_roles(Subject::realm_role(&role.name), &own));
    }
    for (client, role) in realm
        .roles
        .client
        .iter()
        .flat_map(|(client, roles)| roles.iter().map(move |role| (client, role)))
    {
        let own = BTreeSet::from([(Some(client.clone()), role.name.clone())]);
        subjects.push(with_roles(Subject::client_role(client, &role.name), &own));
    }
    for path in &paths {
        subjects.push(with_roles(Subject::group(path), &groups[path]));
    }
    for user in realm.users.iter().filter(|user| user.enabled) {
        let mut roles: BTreeSet<_> = keys(&user.roles).collect();
        let mut subject = Subject::user(&user.username);
        for path in &user.groups {
            let path = format!("/{}", path.trim_start_matches('/'));
            roles.extend(groups.get(&path).into_iter().flatten().cloned());
            subject = subject.with_group(path);
        }
        subjects.push(with_roles(subject, &roles));
    }
    Ok(subjects)
}

fn composites(roles: &Roles) -> BTreeMap<RoleKey, Vec<RoleKey>> {
    let realm = roles.realm.iter().map(|role| (None, role));
    let client = roles
        .client
        .iter()
        .flat_map(|(client, roles)| roles.iter().map(move |role| (Some(client.clone()), role)));
    realm
        .chain(client)
        .map(|(client, role)| {
            let parts = role.composites.realm.iter().map(|part| (None, part.clone()));
            let client_parts = role
                .composites
                .client
                .iter()
                .flat_map(|(client, parts)| parts.iter().map(move |part| (Some(client.clone()), part.clone())));
            ((client, role.name.clone()), parts.chain(client_parts).collect())
        })
        .collect()
}

/// The roles and all that they are made of. Composites may contain one another, so none is looked at twice.
fn expanded(roles: &BTreeSet<RoleKey>, composites: &BTreeMap<RoleKey, Vec<RoleKey>>) -> BTreeSet<RoleKey> {
    let mut pending: Vec<_> = roles.iter().cloned().collect();
    let mut found = BTreeSet::new();
    while let Some(role) = pending.pop() {
        if !found.contains(&role) {
            pending.extend(composites.get(&role).into_iter().flatten().cloned());
            found.insert(role);
        }
    }
    found
}

/// A group and those below it, which have its roles as well.
fn collect_groups(
    group: &Group,
    parent: &str,
    inherited: &BTreeSet<RoleKey>,
    paths: &mut Vec<String>,
    groups: &mut BTreeMap<String, BTreeSet<RoleKey>>,
) {
    let path = path_of(parent, &group.name);
    let roles: BTreeSet<_> = inherited.iter().cloned().chain(keys(&group.roles)).collect();
    paths.push(path.clone());
    groups.insert(path.clone(), roles.clone());
    for child in &group.sub_groups {
        collect_groups(child, &path, &roles, paths, groups);
    }
}

fn keys(mapped: &Mapped) -> impl Iterator<Item = RoleKey> {
    let realm = mapped.realm_roles.iter().map(|role| (None, role.clone()));
    let client = mapped
        .client_roles
        .iter()
        .flat_map(|(client, roles)| roles.iter().map(move |role| (Some(client.clone()), role.clone())));
    realm.chain(client)
}
