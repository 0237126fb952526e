//! What exists in a realm, by kind.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    built_in,
    export::{ClientScope, Group, RealmExport},
};

/// The names of a realm.
#[derive(Debug, Default)]
pub(crate) struct Realm {
    pub(crate) name: String,
    pub(crate) realm_roles: BTreeSet<String>,
    /// The roles of each client; a client without roles is here as well.
    pub(crate) client_roles: BTreeMap<String, BTreeSet<String>>,
    /// Full paths.
    pub(crate) groups: BTreeSet<String>,
    scopes: BTreeMap<String, Scope>,
    /// The client that the service is, where the settings say so.
    pub(crate) own_client: Option<String>,
}

/// What a token can have of a client scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Its name.
    Named,
    /// Its name, also with a value behind a colon.
    Parameterized,
    /// Nothing: "Include in token scope" is off.
    NotInToken,
}

impl Realm {
    pub(super) fn new(export: RealmExport, own_client: Option<String>) -> Self {
        let mut realm = Self {
            own_client,
            ..Self::default()
        };
        realm
            .realm_roles
            .extend(export.roles.realm.into_iter().map(|role| role.name));
        realm.realm_roles.extend(export.default_roles);
        // An export lists what is built in as well, or does not because an administrator removed it.
        if export.default_role.is_none() {
            realm
                .realm_roles
                .extend(built_in::REALM_ROLES.iter().map(ToString::to_string));
            realm
                .realm_roles
                .insert(format!("default-roles-{}", export.realm.to_lowercase()));
        }
        for (client, roles) in export.roles.client {
            realm.add_client(client, roles.into_iter().map(|role| role.name));
        }
        for (client, roles) in built_in::CLIENTS {
            if !realm.client_roles.contains_key(*client) {
                realm.add_client((*client).to_owned(), roles.iter().map(ToString::to_string));
            }
        }
        for client in export.clients {
            let protection = client
                .authorization_services_enabled
                .then(|| built_in::AUTHORIZATION_SERVICES_ROLE.to_owned());
            realm.add_client(client.client_id, client.default_roles.into_iter().chain(protection));
        }
        realm.add_groups("", export.groups);
        realm.add_scopes(export.client_scopes);
        realm.name = export.realm;
        realm
    }

    fn add_client(&mut self, client: String, roles: impl IntoIterator<Item = String>) {
        self.client_roles.entry(client).or_default().extend(roles);
    }

    fn add_groups(&mut self, parent: &str, groups: Vec<Group>) {
        for group in groups {
            // As Keycloak writes it: a slash in a name is no separator.
            let path = group
                .path
                .unwrap_or_else(|| format!("{parent}/{}", group.name.replace('/', "~/")));
            self.add_groups(&path, group.sub_groups);
            self.groups.insert(path);
        }
    }

    fn add_scopes(&mut self, scopes: Option<Vec<ClientScope>>) {
        match scopes {
            Some(scopes) => self.scopes.extend(scopes.into_iter().map(|scope| {
                let kind = Scope::of(&scope);
                (scope.name, kind)
            })),
            None => self.scopes.extend(built_in::SCOPES.iter().map(|name| {
                let kind = if *name == built_in::ORGANIZATION {
                    Scope::Parameterized
                } else {
                    Scope::Named
                };
                ((*name).to_owned(), kind)
            })),
        }
        self.scopes.insert(built_in::OPENID.to_owned(), Scope::Named);
    }

    /// The clients that have the role.
    pub(crate) fn clients_with<'r>(&'r self, role: &str) -> impl Iterator<Item = &'r str> {
        self.client_roles
            .iter()
            .filter(move |(_, roles)| roles.contains(role))
            .map(|(client, _)| client.as_str())
    }

    /// Whether a role of anybody's, a group or a scope has the name.
    pub(crate) fn has_name(&self, name: &str) -> bool {
        self.realm_roles.contains(name)
            || self.clients_with(name).next().is_some()
            || self.groups.contains(name)
            || self.scope(name).is_some()
    }

    pub(crate) fn scope(&self, name: &str) -> Option<Scope> {
        let whole = self.scopes.get(name).copied();
        let with_value = || {
            let (name, _) = name.split_once(':')?;
            self.scopes
                .get(name)
                .copied()
                .filter(|scope| *scope == Scope::Parameterized)
        };
        whole.or_else(with_value)
    }

    /// The scopes that a policy can ask for.
    pub(crate) fn scope_names(&self) -> impl Iterator<Item = &str> {
        self.scopes
            .iter()
            .filter(|(_, scope)| **scope != Scope::NotInToken)
            .map(|(name, _)| name.as_str())
    }
}

impl Scope {
    fn of(scope: &ClientScope) -> Self {
        let is = |attribute: &Option<String>, value: &str| attribute.as_deref() == Some(value);
        if is(&scope.attributes.include_in_token_scope, "false") {
            Self::NotInToken
        } else if scope.name == built_in::ORGANIZATION || is(&scope.attributes.is_dynamic_scope, "true") {
            Self::Parameterized
        } else {
            Self::Named
        }
    }
}
