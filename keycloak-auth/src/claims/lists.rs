//! Roles, groups, scopes and audience: as lists, and whether something is in them.

use std::{iter, slice};

use super::{
    Claims, List,
    element::{self, Element},
    known::TextClaim,
};

impl Claims {
    /// `aud`: for whom the token is (RFC 7519 §4.1.3).
    pub fn audience(&self) -> impl Iterator<Item = &str> {
        self.list(self.audience.unwrap_or_default())
    }

    /// `scope`: the granted scopes, which are separated by spaces and nothing else (RFC 6749 §3.3, RFC 9068 §2.2.3).
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        let scopes = self.text_of(TextClaim::Scope).unwrap_or_default();
        scopes.split(' ').filter(|scope| !scope.is_empty())
    }

    /// `realm_access.roles`: the realm roles, composites expanded by Keycloak.
    pub fn realm_roles(&self) -> impl Iterator<Item = &str> {
        self.list(self.realm_roles)
    }

    /// `resource_access.{client}.roles`: the roles of that client, and of no other.
    pub fn client_roles(&self, client: &str) -> impl Iterator<Item = &str> {
        let roles = self.client_lists().find(|(name, _)| *name == client);
        self.list(roles.map(|(_, roles)| roles).unwrap_or_default())
    }

    /// Every client in `resource_access`, with its roles.
    pub fn clients(&self) -> impl Iterator<Item = (&str, impl Iterator<Item = &str>)> {
        self.client_lists().map(|(name, roles)| (name, self.list(roles)))
    }

    fn client_lists(&self) -> impl Iterator<Item = (&str, List)> {
        self.client_elements().map(|(name, roles)| (name.of(&self.text), roles))
    }

    fn client_elements(&self) -> impl Iterator<Item = (Element, List)> {
        let List { start, end } = self.clients;
        let mut rest = start as usize..end as usize;
        iter::from_fn(move || {
            let [name, roles] = *self.elements[rest.clone()].first_chunk()?;
            let roles = roles.list();
            rest.start = roles.end as usize;
            Some((name, roles))
        })
    }

    /// `groups`: the full paths of the groups that the user is a direct member of; empty without a group mapper.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.list(self.groups)
    }

    /// Whether [`realm_roles`](Self::realm_roles) has the role.
    pub(crate) fn has_realm_role(&self, role: &str) -> bool {
        element::contain(self.elements_of(self.realm_roles), &self.text, role)
    }

    /// Whether [`client_roles`](Self::client_roles) of the client has the role.
    pub(crate) fn has_client_role(&self, client: &str, role: &str) -> bool {
        let mut clients = self.client_elements();
        let roles = clients.find(|(name, _)| element::contain(slice::from_ref(name), &self.text, client));
        roles.is_some_and(|(_, roles)| element::contain(self.elements_of(roles), &self.text, role))
    }

    /// Whether [`groups`](Self::groups) has exactly that path.
    pub(crate) fn has_group(&self, path: &str) -> bool {
        element::contain(self.elements_of(self.groups), &self.text, path)
    }

    /// Whether [`scopes`](Self::scopes) has the scope.
    pub(crate) fn has_scope(&self, scope: &str) -> bool {
        let scopes = self.text_of(TextClaim::Scope).unwrap_or_default();
        // Byte by byte: searching for spaces in a text this short would cost more.
        let mut words = scopes.as_bytes().split(|byte| *byte == b' ');
        !scope.is_empty() && words.any(|word| word == scope.as_bytes())
    }

    fn list(&self, list: List) -> impl Iterator<Item = &str> {
        self.elements_of(list).iter().map(|element| element.of(&self.text))
    }

    fn elements_of(&self, list: List) -> &[Element] {
        &self.elements[list.start as usize..list.end as usize]
    }
}
