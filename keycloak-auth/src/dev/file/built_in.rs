//! What Keycloak adds to a realm file that does not have it: client scopes, clients and roles of its own.
//!
//! `built_in.json` has them in the form of a realm file, as Keycloak 26.7 makes them.

use super::{CompositesFile, RealmFile, RoleFile, ScopeMappingFile};

/// The role whose holders may have offline tokens.
const OFFLINE_ACCESS: &str = "offline_access";
const UMA_AUTHORIZATION: &str = "uma_authorization";
const ACCOUNT: &str = "account";

impl RealmFile {
    /// Adds what Keycloak adds when it imports this file.
    ///
    /// Client scopes are added only when the file has no `clientScopes` at all: a file with some has only those.
    pub(in crate::dev) fn complete(&mut self) {
        let mut built_in: Self =
            serde_json::from_str(include_str!("built_in.json")).expect("the built-in parts are a realm file");
        let default_role = self.add_default_role();
        let has_own_scopes = self.client_scopes.is_some();
        if !has_own_scopes {
            self.add_client_scopes(&mut built_in);
        }
        self.add_clients(built_in, &default_role, has_own_scopes);
    }

    /// Adds the default role, and the realm roles that Keycloak puts into it; returns its name.
    fn add_default_role(&mut self) -> String {
        let name = match &self.default_role {
            Some(role) => role.name.clone(),
            None => format!("default-roles-{}", self.realm.to_lowercase()),
        };
        // The form of realm files before Keycloak 13.
        let mut composites = self.default_roles.take().unwrap_or_default();
        for role in [OFFLINE_ACCESS, UMA_AUTHORIZATION] {
            if !self.roles.realm.iter().any(|other| other.name == role) {
                self.roles.realm.push(RoleFile {
                    name: role.to_owned(),
                    composites: None,
                });
                composites.push(role.to_owned());
            }
        }
        self.composites_of(&name).realm.extend(composites);
        if self.default_role.is_none() {
            self.default_role = Some(RoleFile {
                name: name.clone(),
                composites: None,
            });
        }
        name
    }

    /// What a realm role is composed of; the role is made where it is not there.
    fn composites_of(&mut self, name: &str) -> &mut CompositesFile {
        let roles = &mut self.roles.realm;
        let position = roles.iter().position(|role| role.name == name).unwrap_or_else(|| {
            roles.push(RoleFile {
                name: name.to_owned(),
                composites: None,
            });
            roles.len() - 1
        });
        roles[position].composites.get_or_insert_default()
    }

    fn add_client_scopes(&mut self, built_in: &mut Self) {
        self.client_scopes = built_in.client_scopes.take();
        let defaults = built_in.default_default_client_scopes.take().unwrap_or_default();
        let optional = built_in.default_optional_client_scopes.take().unwrap_or_default();
        (self.default_default_client_scopes.get_or_insert_default()).extend(defaults);
        (self.default_optional_client_scopes.get_or_insert_default()).extend(optional);
        self.scope_mappings.push(ScopeMappingFile {
            client: None,
            client_scope: Some(OFFLINE_ACCESS.to_owned()),
            roles: vec![OFFLINE_ACCESS.to_owned()],
        });
    }

    fn add_clients(&mut self, built_in: Self, default_role: &str, has_own_scopes: bool) {
        let Self {
            clients,
            mut roles,
            mut client_scope_mappings,
            ..
        } = built_in;
        for mut client in clients {
            if has_own_scopes {
                // These clients are made before the scopes of the file are there to be given to them.
                client.default_client_scopes = Some(Vec::new());
                client.optional_client_scopes = Some(Vec::new());
            }
            for uri in client.redirect_uris.iter_mut().chain(&mut client.base_url) {
                *uri = uri.replace("{realm}", &self.realm);
            }
            if self.clients.iter().any(|own| own.client_id == client.client_id) {
                continue;
            }
            let own_roles = self.roles.client.entry(client.client_id.clone()).or_default();
            for role in roles.client.remove(&client.client_id).unwrap_or_default() {
                if !own_roles.iter().any(|own| own.name == role.name) {
                    own_roles.push(role);
                }
            }
            if client.client_id == ACCOUNT {
                let of_account = ["manage-account", "view-profile"].map(str::to_owned);
                let composites = self.composites_of(default_role);
                (composites.client.entry(ACCOUNT.to_owned()).or_default()).extend(of_account);
            }
            if client.client_id == "account-console" {
                let mappings = client_scope_mappings.remove(ACCOUNT).unwrap_or_default();
                (self.client_scope_mappings.entry(ACCOUNT.to_owned()).or_default()).extend(mappings);
            }
            self.clients.push(client);
        }
    }
}
