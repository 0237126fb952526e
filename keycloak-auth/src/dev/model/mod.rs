//! A realm as it is served: every name resolved, every composite expanded.
//!
//! It is made once from a realm file, and never changes: what changes is in [`sessions`](super::sessions).

mod build;
mod client;
mod paths;
mod roles;
mod unsupported;
mod user;

use std::collections::HashMap;

pub(super) use build::build;
pub(super) use client::{Client, ClientId, ClientKind, ClientScope, RedirectUris};
pub(super) use paths::Path;
pub(super) use roles::{Role, RoleId, RoleOwner, RoleSet};
pub(super) use user::{Group, GroupId, User, UserId};

use crate::Algorithm;

/// A realm with everything in it.
pub(super) struct Model {
    pub(super) name: String,
    pub(super) display_name: String,
    pub(super) enabled: bool,
    pub(super) settings: Settings,
    pub(super) keys: Vec<Algorithm>,
    pub(super) roles: Vec<Role>,
    pub(super) groups: Vec<Group>,
    pub(super) scopes: Vec<ClientScope>,
    pub(super) clients: Vec<Client>,
    pub(super) users: Vec<User>,
    client_ids: HashMap<String, ClientId>,
    usernames: HashMap<String, UserId>,
    emails: HashMap<String, UserId>,
}

/// The settings of a realm; times in seconds.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) not_before: u64,
    pub(super) signature_algorithm: Algorithm,
    /// How often a refresh token may be used again; `None` for as often as one likes.
    pub(super) refresh_token_reuse: Option<u64>,
    pub(super) access_token_lifespan: u64,
    pub(super) session_idle: u64,
    pub(super) session_lifespan: u64,
    pub(super) client_session_idle: Option<u64>,
    pub(super) client_session_lifespan: Option<u64>,
    pub(super) offline_session_idle: u64,
    pub(super) code_lifespan: u64,
    pub(super) login_lifespan: u64,
    pub(super) login_with_email: bool,
    pub(super) organizations: bool,
}

impl Model {
    pub(super) fn client_named(&self, client_id: &str) -> Option<ClientId> {
        self.client_ids.get(client_id).copied()
    }

    pub(super) fn client(&self, id: ClientId) -> &Client {
        &self.clients[id.0]
    }

    pub(super) fn user(&self, id: UserId) -> &User {
        &self.users[id.0]
    }

    /// The user of a login: by user name, or by e-mail address where the realm allows it, in any case.
    pub(super) fn user_of_login(&self, login: &str) -> Option<UserId> {
        let login = login.trim().to_lowercase();
        let by_email = || self.emails.get(&login).filter(|_| self.settings.login_with_email);
        by_email().or_else(|| self.usernames.get(&login)).copied()
    }

    pub(super) fn service_account(&self, client: ClientId) -> Option<UserId> {
        let position = (self.users.iter()).position(|user| user.service_account_of == Some(client));
        position.map(UserId)
    }

    /// Whether a client may ask for each of these words.
    pub(super) fn knows_scope(&self, client: &Client, parameter: &str) -> bool {
        let mut words = parameter.split_whitespace();
        words.all(|word| {
            let mut scopes = client.default_scopes.iter().chain(&client.optional_scopes);
            word == "openid" || scopes.any(|scope| self.scopes[*scope].name == word)
        })
    }

    /// The names of the client scopes of this protocol.
    pub(super) fn openid_scopes(&self) -> impl Iterator<Item = &str> {
        let scopes = self.scopes.iter().filter(|scope| scope.openid_connect);
        scopes.map(|scope| scope.name.as_str())
    }

    /// The name of a role with that of its client, if it has one.
    pub(super) fn role(&self, id: RoleId) -> (Option<&str>, &str) {
        let role = &self.roles[id.0];
        match role.owner {
            RoleOwner::Realm => (None, &role.name),
            RoleOwner::Client(client) => (Some(&self.client(client).client_id), &role.name),
        }
    }
}
