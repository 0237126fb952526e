//! The roles, groups and users of a realm file, in the format of Keycloak's export.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::Subject;

/// Why a text is no realm file.
#[derive(Debug, thiserror::Error)]
#[error("the realm file cannot be read")]
pub struct RealmFileError(#[from] serde_json::Error);

/// What is read of a realm file; the rest is skipped.
#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Realm {
    roles: Roles,
    groups: Vec<Group>,
    users: Vec<User>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Roles {
    realm: Vec<Role>,
    client: BTreeMap<String, Vec<Role>>,
}

#[derive(Deserialize)]
struct Role {
    name: String,
    #[serde(default)]
    composites: Composites,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Composites {
    realm: Vec<String>,
    client: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    name: String,
    #[serde(flatten)]
    roles: Mapped,
    #[serde(default)]
    sub_groups: Vec<Group>,
}

#[derive(Deserialize)]
struct User {
    username: String,
    #[serde(flatten)]
    roles: Mapped,
    #[serde(default)]
    groups: Vec<String>,
    #[serde(default = "yes")]
    enabled: bool,
}

/// The roles that are mapped to a group or user.
#[derive(Clone, Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Mapped {
    realm_roles: Vec<String>,
    client_roles: BTreeMap<String, Vec<String>>,
}

fn yes() -> bool {
    true
}

/// A role: its client, none for a realm role, and its name.
type RoleKey = (Option<String>, String);

/// One subject for each realm role, client role, group and enabled user, in the order of the file.
pub(super) fn subjects(realm_file: &str, client_id: &str) -> Result<Vec<Subject>, RealmFileError> {
    let realm: Realm = serde_json::from_str(realm_file)?;
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
            roles.extend(groups.get(path).into_iter().flatten().cloned());
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
    let path = format!("{parent}/{}", group.name);
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
