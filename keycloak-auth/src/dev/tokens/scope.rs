//! The scope of a grant: which client scopes, and with them which mappers and roles.

use crate::dev::{
    mappers::Mapper,
    model::{Client, ClientScope, Model, RoleSet, User},
};

/// The client scopes that a grant has.
#[derive(Clone, Debug)]
pub(in crate::dev) struct Scope {
    scopes: Vec<usize>,
    /// `openid` was asked for: an ID token comes with the access token, and userinfo may be asked.
    pub(in crate::dev) openid: bool,
}

impl Scope {
    /// The scope of a request: what the client always has, and what it may have and asks for.
    ///
    /// A client scope with roles is left out for a user who has none of them, and words that the client does not have.
    pub(in crate::dev) fn requested(model: &Model, client: &Client, user: &User, parameter: Option<&str>) -> Self {
        let parameter = parameter.unwrap_or_default();
        let words = || parameter.split_whitespace();
        let named =
            |scopes: &[usize], word: &str| scopes.iter().copied().find(|scope| model.scopes[*scope].name == word);
        let mut scopes = client.default_scopes.clone();
        for word in words() {
            scopes.extend(named(&client.optional_scopes, word).filter(|scope| !scopes.contains(scope)));
        }
        scopes.retain(|scope| {
            let ClientScope { name, roles, .. } = &model.scopes[*scope];
            // Without organizations there is nothing to ask for.
            if name == "organization" && !model.settings.organizations {
                return false;
            }
            roles.is_empty() || !roles.is_disjoint(&user.roles)
        });
        Self {
            scopes,
            openid: words().any(|word| word == "openid"),
        }
    }

    /// Whether it has the client scope of this name.
    pub(in crate::dev) fn has(&self, model: &Model, name: &str) -> bool {
        self.client_scopes(model).any(|scope| scope.name == name)
    }

    /// The claim `scope`: without the client scopes that do not show themselves.
    pub(in crate::dev) fn shown(&self, model: &Model) -> String {
        self.join(self.client_scopes(model).filter(|scope| scope.in_token_scope))
    }

    /// Every word, for the refresh token.
    pub(in crate::dev) fn full(&self, model: &Model) -> String {
        self.join(self.client_scopes(model))
    }

    fn join<'m>(&self, scopes: impl Iterator<Item = &'m ClientScope>) -> String {
        let openid = self.openid.then_some("openid");
        let words: Vec<_> = openid
            .into_iter()
            .chain(scopes.map(|scope| scope.name.as_str()))
            .collect();
        words.join(" ")
    }

    fn client_scopes<'m>(&self, model: &'m Model) -> impl Iterator<Item = &'m ClientScope> {
        self.scopes.iter().map(|scope| &model.scopes[*scope])
    }

    /// The mappers of the client scopes and of the client itself.
    pub(super) fn mappers<'m>(&self, model: &'m Model, client: &'m Client) -> impl Iterator<Item = &'m Mapper> {
        let of_scopes = self.client_scopes(model).flat_map(|scope| &scope.mappers);
        of_scopes.chain(&client.mappers)
    }

    /// The roles of the user that a token of this client may carry.
    pub(super) fn roles(&self, model: &Model, client: &Client, user: &User) -> RoleSet {
        let Some(of_client) = &client.role_scope else {
            return user.roles.clone();
        };
        let of_scopes = self.client_scopes(model).flat_map(|scope| &scope.roles);
        let in_scope: RoleSet = of_client.iter().chain(of_scopes).copied().collect();
        user.roles.intersection(&in_scope).copied().collect()
    }
}
