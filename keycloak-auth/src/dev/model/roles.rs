//! Roles of the realm and of its clients, with composites.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{ClientId, paths::Path};
use crate::dev::{error::RealmFileError, file::RolesFile};

/// The position of a role in the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::dev) struct RoleId(pub(super) usize);

/// Roles, without those that they are composed of unless said otherwise.
pub(in crate::dev) type RoleSet = BTreeSet<RoleId>;

/// A role.
#[derive(Debug)]
pub(in crate::dev) struct Role {
    pub(in crate::dev) name: String,
    pub(in crate::dev) owner: RoleOwner,
    composites: Vec<RoleId>,
}

/// What a role belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::dev) enum RoleOwner {
    Realm,
    Client(ClientId),
}

/// All roles by owner and name.
pub(super) struct Roles<'c> {
    pub(super) all: Vec<Role>,
    names: HashMap<(RoleOwner, String), RoleId>,
    clients: &'c HashMap<String, ClientId>,
}

impl<'c> Roles<'c> {
    /// Reads the roles of a file and connects the composites.
    pub(super) fn read(file: &RolesFile, clients: &'c HashMap<String, ClientId>) -> Result<Self, RealmFileError> {
        let mut roles = Self {
            all: Vec::new(),
            names: HashMap::new(),
            clients,
        };
        let path = Path::new("roles");
        let mut composed = Vec::new();
        for (number, role) in file.realm.iter().enumerate() {
            let path = path.member("realm").item(number);
            let id = roles.add(RoleOwner::Realm, &role.name, &path)?;
            composed.push((id, role, path));
        }
        for (client_id, of_client) in &file.client {
            let path = path.member("client").member(client_id);
            let owner = RoleOwner::Client(roles.client(client_id, &path)?);
            for (number, role) in of_client.iter().enumerate() {
                let path = path.item(number);
                let id = roles.add(owner, &role.name, &path)?;
                composed.push((id, role, path));
            }
        }
        for (id, role, path) in composed {
            let Some(composites) = &role.composites else { continue };
            let path = path.member("composites");
            roles.all[id.0].composites = roles.read_names(
                (&composites.realm, path.member("realm")),
                (&composites.client, path.member("client")),
            )?;
        }
        Ok(roles)
    }

    fn add(&mut self, owner: RoleOwner, name: &str, path: &Path) -> Result<RoleId, RealmFileError> {
        if name.trim().is_empty() {
            return Err(path.member("name").invalid("a role needs a name"));
        }
        let id = RoleId(self.all.len());
        if self.names.insert((owner, name.to_owned()), id).is_some() {
            return Err(path.member("name").invalid(format!("there are two roles `{name}`")));
        }
        self.all.push(Role {
            name: name.to_owned(),
            owner,
            composites: Vec::new(),
        });
        Ok(id)
    }

    /// Resolves the names of realm roles, and of client roles by client, which stand at these paths.
    pub(super) fn read_names(
        &self,
        (realm, realm_path): (&[String], Path),
        (client, client_path): (&BTreeMap<String, Vec<String>>, Path),
    ) -> Result<Vec<RoleId>, RealmFileError> {
        let mut ids = Vec::new();
        for (number, name) in realm.iter().enumerate() {
            ids.push(self.of_realm(name, &realm_path.item(number))?);
        }
        for (client_id, names) in client {
            let path = client_path.member(client_id);
            let owner = self.client(client_id, &path)?;
            for (number, name) in names.iter().enumerate() {
                ids.push(self.of_client(owner, client_id, name, &path.item(number))?);
            }
        }
        Ok(ids)
    }

    pub(super) fn of_realm(&self, name: &str, path: &Path) -> Result<RoleId, RealmFileError> {
        self.find(RoleOwner::Realm, name)
            .ok_or_else(|| path.invalid(format!("there is no realm role `{name}`")))
    }

    pub(super) fn of_client(
        &self,
        client: ClientId,
        client_id: &str,
        name: &str,
        path: &Path,
    ) -> Result<RoleId, RealmFileError> {
        self.find(RoleOwner::Client(client), name)
            .ok_or_else(|| path.invalid(format!("the client `{client_id}` has no role `{name}`")))
    }

    /// A role as mappers name it: `role`, or `client.role`.
    pub(super) fn of_mapper(&self, name: &str, path: &Path) -> Result<RoleId, RealmFileError> {
        let of_client = || {
            self.clients.iter().find_map(|(client_id, client)| {
                let role = name.strip_prefix(client_id.as_str())?.strip_prefix('.')?;
                self.find(RoleOwner::Client(*client), role)
            })
        };
        self.find(RoleOwner::Realm, name)
            .or_else(of_client)
            .ok_or_else(|| path.invalid(format!("there is no role `{name}`")))
    }

    pub(super) fn client(&self, client_id: &str, path: &Path) -> Result<ClientId, RealmFileError> {
        let client = self.clients.get(client_id).copied();
        client.ok_or_else(|| path.invalid(format!("there is no client `{client_id}`")))
    }

    fn find(&self, owner: RoleOwner, name: &str) -> Option<RoleId> {
        self.names.get(&(owner, name.to_owned())).copied()
    }

    /// Every role of one client.
    pub(super) fn of(&self, client: ClientId) -> impl Iterator<Item = RoleId> {
        (self.all.iter().enumerate())
            .filter(move |(_, role)| role.owner == RoleOwner::Client(client))
            .map(|(number, _)| RoleId(number))
    }

    /// These roles with all that they are composed of, at any depth.
    pub(super) fn expand(&self, roles: impl IntoIterator<Item = RoleId>) -> RoleSet {
        let mut expanded = RoleSet::new();
        let mut pending: Vec<RoleId> = roles.into_iter().collect();
        while let Some(role) = pending.pop() {
            if expanded.insert(role) {
                pending.extend(&self.all[role.0].composites);
            }
        }
        expanded
    }
}
