//! The roles, groups and users of a realm file, in the format of Keycloak's export.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::Subject;
use crate::realm_file::{self, Malformed, Realm, RolesFile};

/// Why a text is no realm file.
#[derive(Debug, thiserror::Error)]
#[error("the realm file cannot be read: {member}")]
pub struct RealmFileError {
    /// Such as `users[2].email`.
    member: String,
    source: serde_json::Error,
}

impl From<Malformed> for RealmFileError {
    fn from(Malformed { member, source }: Malformed) -> Self {
        Self { member, source }
    }
}

/// What is read of a realm file; the rest is skipped.
#[derive(Default, Deserialize)]
#[serde(default)]
struct RealmFile {
    realm: String,
    roles: RolesFile,
    groups: Vec<Group>,
    users: Vec<User>,
}

impl Realm for RealmFile {
    fn name(&self) -> &str {
        &self.realm
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    name: String,
    #[serde(default)]
    realm_roles: Vec<String>,
    #[serde(default)]
    client_roles: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    sub_groups: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct User {
    username: String,
    #[serde(default)]
    realm_roles: Vec<String>,
    #[serde(default)]
    client_roles: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    groups: Vec<String>,
    /// Keycloak takes a user for disabled who does not say otherwise.
    #[serde(default)]
    enabled: bool,
}

/// As Keycloak writes a group's path: a slash in a name is no separator.
fn path_of(parent: &str, name: &str) -> String {
    format!("{parent}/{}", name.replace('/', "~/"))
}

/// A role: its client, none for a realm role, and its name.
type RoleKey = (Option<String>, String);

/// One subject for each realm role, client role, group and enabled user, in the order of the file.
pub(super) fn subjects(realm_file: &str, client_id: &str) -> Result<Vec<Subject>, RealmFileError> {
    let (realm, _) = realm_file::read::<RealmFile>(realm_file)?;
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
        let mut roles: BTreeSet<_> = keys(&user.realm_roles, &user.client_roles).collect();
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

fn composites(roles: &RolesFile) -> BTreeMap<RoleKey, Vec<RoleKey>> {
    let realm = roles.realm.iter().map(|role| (None, role));
    let client = roles
        .client
        .iter()
        .flat_map(|(client, roles)| roles.iter().map(move |role| (Some(client.clone()), role)));
    realm
        .chain(client)
        .filter_map(|(client, role)| {
            let parts = role.composites.as_ref()?;
            let parts = keys(&parts.realm, &parts.client).collect();
            Some(((client, role.name.clone()), parts))
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
    let roles: BTreeSet<_> = inherited
        .iter()
        .cloned()
        .chain(keys(&group.realm_roles, &group.client_roles))
        .collect();
    paths.push(path.clone());
    groups.insert(path.clone(), roles.clone());
    for child in &group.sub_groups {
        collect_groups(child, &path, &roles, paths, groups);
    }
}

/// Realm roles, and client roles by client.
fn keys<'f>(realm: &'f [String], client: &'f BTreeMap<String, Vec<String>>) -> impl Iterator<Item = RoleKey> + 'f {
    let realm = realm.iter().map(|role| (None, role.clone()));
    let client = client
        .iter()
        .flat_map(|(client, roles)| roles.iter().map(move |role| (Some(client.clone()), role.clone())));
    realm.chain(client)
}
