//! Groups and users.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    super::{Client, ClientId, ClientScope, Group, GroupId, RoleId, RoleSet, User, UserId, paths::Path, roles::Roles},
    profile::RequiredProfile,
    uuid_of,
};
use crate::dev::{
    credentials::Password,
    error::{RealmFileError, RealmWarning},
    file::{CredentialFile, GroupFile, RealmFile, UserFile},
};

/// The groups with their paths.
pub(super) struct Groups {
    pub(super) all: Vec<Group>,
    paths: HashMap<String, GroupId>,
}

pub(super) fn read_groups(files: &[GroupFile], roles: &Roles<'_>) -> Result<Groups, RealmFileError> {
    let mut groups = Groups {
        all: Vec::new(),
        paths: HashMap::new(),
    };
    groups.read(files, None, &Path::new("groups"), roles)?;
    Ok(groups)
}

impl Groups {
    fn read(
        &mut self,
        files: &[GroupFile],
        parent: Option<GroupId>,
        path: &Path,
        roles: &Roles<'_>,
    ) -> Result<(), RealmFileError> {
        for (number, file) in files.iter().enumerate() {
            let path = path.item(number);
            let above = parent.map_or("", |parent| self.all[parent.0].path.as_str());
            // A group that is given by its path alone has its name at the end of it.
            let named = file.name.as_deref().filter(|name| !name.is_empty());
            let by_path = file.path.as_deref().map(|path| path.rsplit('/').next().unwrap_or(path));
            let Some(name) = named.or(by_path).filter(|name| !name.is_empty()) else {
                return Err(path.member("name").invalid("a group needs a name"));
            };
            let full_path = format!("{above}/{}", name.replace('/', "~/"));
            if let Some(said) = file.path.as_deref().filter(|said| *said != full_path) {
                let problem = match said.rsplit_once('/') {
                    Some((parent, _)) if !parent.is_empty() && !self.paths.contains_key(parent) => {
                        format!("the parent group `{parent}` does not exist")
                    }
                    _ => format!("the group stands at `{full_path}`, not at `{said}`"),
                };
                return Err(path.member("path").invalid(problem));
            }
            let id = GroupId(self.all.len());
            if self.paths.insert(full_path.clone(), id).is_some() {
                return Err(path
                    .member("name")
                    .invalid(format!("there are two groups `{full_path}`")));
            }
            let own = roles.read_names(
                (&file.realm_roles, path.member("realmRoles")),
                (&file.client_roles, path.member("clientRoles")),
            )?;
            self.all.push(Group {
                name: name.to_owned(),
                path: full_path,
                parent,
                attributes: file.attributes.clone(),
                roles: own.into_iter().collect(),
            });
            self.read(&file.sub_groups, Some(id), &path.member("subGroups"), roles)?;
        }
        Ok(())
    }

    /// The group of a path that a user or the realm names; the leading slash may be missing.
    fn find(&self, name: &str, path: &Path) -> Result<GroupId, RealmFileError> {
        let slashed = format!("/{}", name.trim_start_matches('/'));
        if let Some(group) = self.paths.get(&slashed) {
            return Ok(*group);
        }
        Err(path.invalid(match slashed.rsplit_once('/') {
            Some((parent, _)) if !parent.is_empty() && !self.paths.contains_key(parent) => {
                format!("there is no group `{slashed}`: its parent group `{parent}` does not exist")
            }
            _ => format!("there is no group `{slashed}`"),
        }))
    }

    fn find_all(&self, names: &[String], path: &Path) -> Result<Vec<GroupId>, RealmFileError> {
        let found = names
            .iter()
            .enumerate()
            .map(|(number, name)| self.find(name, &path.item(number)));
        found.collect()
    }

    /// The roles of a group and of those above it.
    fn roles(&self, group: GroupId) -> RoleSet {
        let mut roles = RoleSet::new();
        let mut next = Some(group);
        while let Some(group) = next {
            roles.extend(&self.all[group.0].roles);
            next = self.all[group.0].parent;
        }
        roles
    }
}

/// Reads the users, and makes the service accounts that the file does not have.
pub(super) fn read(
    file: &RealmFile,
    roles: &Roles<'_>,
    groups: &Groups,
    default_role: Option<RoleId>,
    clients: &mut [Client],
    scopes: &[ClientScope],
    warnings: &mut Vec<RealmWarning>,
) -> Result<Vec<User>, RealmFileError> {
    let profile = RequiredProfile::read(file)?;
    let mut users = Vec::new();
    let (mut names, mut ids, mut emails) = (HashSet::new(), HashSet::new(), HashSet::new());
    for (number, user) in file.users.iter().enumerate() {
        let path = Path::new("users").item(number);
        let missing = if user.service_account_client_id.is_some() {
            Vec::new()
        } else {
            profile.missing(user)
        };
        if !missing.is_empty() {
            warnings.push(RealmWarning::new(
                path.to_string(),
                format!(
                    "Keycloak lets nobody in without `{}`: the user cannot log in",
                    missing.join("`, `")
                ),
            ));
        }
        let mut user = read_user(file, user, &path, roles, groups)?;
        user.has_required_actions |= !missing.is_empty();
        if !names.insert(user.username.clone()) {
            let text = format!("there are two users `{}`", user.username);
            return Err(path.member("username").invalid(text));
        }
        if !ids.insert(user.id.clone()) {
            return Err(path
                .member("id")
                .invalid(format!("there are two users with the id `{}`", user.id)));
        }
        if let Some(email) = user.email.clone()
            && !emails.insert(email.clone())
            && !file.duplicate_emails_allowed
        {
            return Err(path
                .member("email")
                .invalid(format!("there are two users with the e-mail address `{email}`")));
        }
        users.push(user);
    }
    let default_groups = groups.find_all(&file.default_groups, &Path::new("defaultGroups"))?;
    for (number, client) in clients.iter_mut().enumerate() {
        let id = ClientId(number);
        if !client.service_account || users.iter().any(|user: &User| user.service_account_of == Some(id)) {
            continue;
        }
        // Keycloak makes the account of a client that has none, with what every new user gets, and gives the client
        // the scope for it.
        let service_scope = scopes.iter().position(|scope| scope.name == "service_account");
        let new_scope = service_scope.filter(|scope| !client.default_scopes.contains(scope));
        client.default_scopes.extend(new_scope);
        let username = format!("service-account-{}", client.client_id.to_lowercase());
        if !names.insert(username.clone()) {
            continue;
        }
        let of_groups = default_groups.iter().flat_map(|group| groups.roles(*group));
        users.push(User {
            id: uuid_of(&[&file.realm, &username]),
            username,
            enabled: true,
            email: None,
            email_verified: false,
            first_name: None,
            last_name: None,
            attributes: BTreeMap::new(),
            plain_password: None,
            password: None,
            has_required_actions: false,
            roles: roles.expand(default_role.into_iter().chain(of_groups)),
            groups: default_groups.clone(),
            service_account_of: Some(id),
            not_before: 0,
        });
    }
    Ok(users)
}

fn read_user(
    realm: &RealmFile,
    file: &UserFile,
    path: &Path,
    roles: &Roles<'_>,
    groups: &Groups,
) -> Result<User, RealmFileError> {
    let email = file
        .email
        .as_deref()
        .filter(|email| !email.is_empty())
        .map(str::to_lowercase);
    let mut username = file.username.trim().to_lowercase();
    if username.is_empty() && realm.registration_email_as_username {
        username = email.clone().unwrap_or_default();
    }
    if username.is_empty() {
        return Err(path.member("username").invalid("a user needs a name"));
    }
    let service_account_of = (file.service_account_client_id.as_ref())
        .map(|client| roles.client(client, &path.member("serviceAccountClientId")))
        .transpose()?;
    let own = roles.read_names(
        (&file.realm_roles, path.member("realmRoles")),
        (&file.client_roles, path.member("clientRoles")),
    )?;
    let groups_of_user = groups.find_all(&file.groups, &path.member("groups"))?;
    let of_groups = groups_of_user.iter().flat_map(|group| groups.roles(*group));
    let credentials = read_password(&file.credentials, path)?;
    Ok(User {
        id: file.id.clone().unwrap_or_else(|| uuid_of(&[&realm.realm, &username])),
        enabled: file.enabled.unwrap_or(false),
        email,
        email_verified: file.email_verified,
        first_name: file.first_name.clone(),
        last_name: file.last_name.clone(),
        attributes: file.attributes.clone(),
        plain_password: credentials
            .as_ref()
            .and_then(|(_, credential)| credential.value.clone()),
        password: credentials.map(|(password, _)| password),
        has_required_actions: !file.required_actions.is_empty(),
        roles: roles.expand(own.into_iter().chain(of_groups)),
        groups: groups_of_user,
        service_account_of,
        not_before: file.not_before,
        username,
    })
}

fn read_password<'f>(
    credentials: &'f [CredentialFile],
    path: &Path,
) -> Result<Option<(Password, &'f CredentialFile)>, RealmFileError> {
    for (number, credential) in credentials.iter().enumerate() {
        if credential.kind.as_deref().unwrap_or("password") != "password" {
            continue;
        }
        let path = path.member("credentials").item(number);
        return Ok(Some((Password::read(credential, &path)?, credential)));
    }
    Ok(None)
}

/// Users by something that is theirs alone.
pub(super) fn index(users: &[User], key: impl Fn(&User) -> Option<String>) -> HashMap<String, UserId> {
    let keys = users
        .iter()
        .enumerate()
        .map(|(number, user)| (key(user), UserId(number)));
    keys.filter_map(|(key, id)| Some((key?, id))).collect()
}
