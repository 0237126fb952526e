//! Whether what a policy names exists in the realm.

use std::collections::BTreeSet;

use crate::{
    ast::{Kind, List, ListKind, Name, Requirement},
    errors::Errors,
    realm::{Realm, Scope, is_built_in},
    suggest,
};

/// Reports the names of an expression that the realm does not have.
pub(super) fn check(requirement: &Requirement, realm: &Realm, errors: &mut Errors) {
    let mut lookup = Lookup {
        realm,
        form: Form::Expression,
        errors,
    };
    lookup.requirement(requirement);
}

/// The same for a list, whose client is looked up once.
pub(super) fn check_list(list: &List, realm: &Realm, errors: &mut Errors) {
    let mut lookup = Lookup {
        realm,
        form: Form::List,
        errors,
    };
    if let ListKind::ClientRoles(client) = &list.kind
        && !lookup.client(client)
    {
        return;
    }
    for name in &list.values {
        match &list.kind {
            ListKind::Roles => lookup.role(name),
            ListKind::RealmRoles => lookup.realm_role(name),
            ListKind::ClientRoles(client) => lookup.client_role(&client.text, name),
            ListKind::Groups => lookup.group(name),
            ListKind::Scopes => lookup.scope(name),
        }
    }
}

struct Lookup<'a> {
    realm: &'a Realm,
    form: Form,
    errors: &'a mut Errors,
}

/// How the policy is written, and with it what a message tells to write.
#[derive(Clone, Copy)]
enum Form {
    List,
    Expression,
}

impl<'a> Lookup<'a> {
    fn requirement(&mut self, requirement: &Requirement) {
        match &requirement.kind {
            Kind::All(operands) | Kind::Any(operands) => {
                for operand in operands {
                    self.requirement(operand);
                }
            }
            Kind::Not(operand) => self.requirement(operand),
            Kind::Role(name) => self.role(name),
            Kind::RealmRole(name) => self.realm_role(name),
            Kind::ClientRole { client, role } => {
                if self.client(client) {
                    self.client_role(&client.text, role);
                }
            }
            Kind::Group(path) | Kind::GroupTree(path) => self.group(path),
            Kind::Scope(name) => self.scope(name),
            Kind::Public
            | Kind::Authenticated
            | Kind::Claim { .. }
            | Kind::Acr(_)
            | Kind::MaxAge(_)
            | Kind::Owner { .. }
            | Kind::Named(_) => {}
        }
    }

    fn role(&mut self, name: &Name) {
        let realm = self.realm;
        let own_client = realm.own_client.as_deref();
        let is_client_role = realm
            .clients_with(&name.text)
            .any(|client| own_client.is_none_or(|own| own == client));
        if is_client_role || realm.realm_roles.contains(&name.text) {
            return;
        }
        let of_clients = realm
            .client_roles
            .iter()
            .filter(|(client, _)| own_client.map_or(!is_built_in(client), |own| own == *client))
            .flat_map(|(_, roles)| roles);
        let known: BTreeSet<_> = realm.realm_roles.iter().chain(of_clients).collect();
        let not = match own_client {
            Some(client) => format!("neither a realm role nor a role of client `{client}`"),
            None => "not a role".to_owned(),
        };
        let missing = self.missing("role", name);
        self.unknown(name, missing, &not, &strs(known));
    }

    fn realm_role(&mut self, name: &Name) {
        let known = &self.realm.realm_roles;
        if !known.contains(&name.text) {
            let missing = self.missing("realm role", name);
            self.unknown(name, missing, "not a realm role", &strs(known));
        }
    }

    fn client(&mut self, client: &Name) -> bool {
        let known = &self.realm.client_roles;
        let exists = known.contains_key(&client.text);
        if !exists {
            let message = self.missing("client", client);
            let help = {
                let known = strs(known.keys());
                did_you_mean(&client.text, &known).unwrap_or_else(|| listed(&known))
            };
            self.errors.report(&client.literal, message, help);
        }
        exists
    }

    fn client_role(&mut self, client: &str, name: &Name) {
        let Some(known) = self
            .realm
            .client_roles
            .get(client)
            .filter(|known| !known.contains(&name.text))
        else {
            return;
        };
        let missing = format!("the client `{client}` has no role `{}`", name.text);
        self.unknown(name, missing, &format!("not one of client `{client}`"), &strs(known));
    }

    fn group(&mut self, path: &Name) {
        let known = &self.realm.groups;
        if known.contains(&path.text) {
            return;
        }
        // Members say `oncall` and mean `/ops/oncall`.
        let mut below = known.iter().filter(|known| known.ends_with(&path.text));
        if let (Some(below), None) = (below.next(), below.next()) {
            let message = self.missing("group", path);
            self.errors
                .report(&path.literal, message, format!("did you mean `{below}`?"));
            return;
        }
        let missing = self.missing("group", path);
        self.unknown(path, missing, "not a group", &strs(known));
    }

    fn scope(&mut self, name: &Name) {
        match self.realm.scope(&name.text) {
            Some(Scope::Named | Scope::Parameterized) => {}
            Some(Scope::NotInToken) => self.errors.report(
                &name.literal,
                format!("the scope `{}` is not in any token", name.text),
                "switch on `Include in token scope` of the client scope (`include.in.token.scope`), or ask for something else",
            ),
            None => {
                let known: Vec<_> = self.realm.scope_names().collect();
                let missing = self.missing("scope", name);
                self.unknown(name, missing, "not a scope", &known);
            }
        }
    }

    fn missing(&self, what: &str, name: &Name) -> String {
        format!("the realm `{}` has no {what} `{}`", self.realm.name, name.text)
    }

    /// Says where the name exists, or which one may be meant.
    fn unknown(&mut self, name: &Name, missing: String, not: &str, known: &[&str]) {
        let bare = name.text.trim_start_matches('/');
        let homes = self.homes(bare);
        if let Some(first) = homes.first() {
            let message = format!("`{bare}` is {}, {not}", first.description());
            let ways: Vec<_> = homes
                .iter()
                .map(|home| format!("`{}`", home.written(bare, self.form)))
                .collect();
            self.errors
                .report(&name.literal, message, format!("write {}", ways.join(" or ")));
            return;
        }
        let help = did_you_mean(&name.text, known)
            .or_else(|| self.nearest_elsewhere(bare))
            .unwrap_or_else(|| listed(known));
        self.errors.report(&name.literal, missing, help);
    }

    /// Everything that has exactly this name.
    fn homes(&self, name: &str) -> Vec<Home<'a>> {
        let realm = self.realm;
        let realm_role = realm.realm_roles.contains(name).then_some(Home::RealmRole);
        let client_roles = realm.clients_with(name).map(Home::ClientRole);
        let group = realm.groups.contains(&format!("/{name}")).then_some(Home::Group);
        let scope = matches!(realm.scope(name), Some(Scope::Named | Scope::Parameterized)).then_some(Home::Scope);
        realm_role
            .into_iter()
            .chain(client_roles)
            .chain(group)
            .chain(scope)
            .collect()
    }

    fn nearest_elsewhere(&self, name: &str) -> Option<String> {
        let realm = self.realm;
        let roles = realm
            .client_roles
            .values()
            .flatten()
            .chain(&realm.realm_roles)
            .map(String::as_str);
        let groups = realm.groups.iter().map(|path| path.trim_start_matches('/'));
        let near = suggest::nearest_name(name, roles.chain(groups).chain(realm.scope_names()))?;
        let home = self.homes(near).into_iter().next()?;
        let (description, written) = (home.description(), home.written(near, self.form));
        Some(format!("did you mean `{near}`, {description}? write `{written}`"))
    }
}

/// Where a name exists.
enum Home<'a> {
    RealmRole,
    ClientRole(&'a str),
    Group,
    Scope,
}

impl Home<'_> {
    fn description(&self) -> String {
        match self {
            Self::RealmRole => "a realm role".to_owned(),
            Self::ClientRole(client) => format!("a role of client `{client}`"),
            Self::Group => "a group".to_owned(),
            Self::Scope => "a scope".to_owned(),
        }
    }

    fn written(&self, name: &str, form: Form) -> String {
        match (self, form) {
            (Self::RealmRole, Form::List) => format!("realm_roles = {name:?}"),
            (Self::RealmRole, Form::Expression) => format!("realm_role({name:?})"),
            (Self::ClientRole(client), Form::List) => format!("client_roles({client:?} = {name:?})"),
            (Self::ClientRole(client), Form::Expression) => format!("client_role({client:?}, {name:?})"),
            (Self::Group, Form::List) => format!("groups = \"/{name}\""),
            (Self::Group, Form::Expression) => format!("group(\"/{name}\")"),
            (Self::Scope, Form::List) => format!("scopes = {name:?}"),
            (Self::Scope, Form::Expression) => format!("scope({name:?})"),
        }
    }
}

fn strs<'a>(names: impl IntoIterator<Item = &'a String>) -> Vec<&'a str> {
    names.into_iter().map(String::as_str).collect()
}

fn did_you_mean(name: &str, known: &[&str]) -> Option<String> {
    let near = suggest::nearest_name(name, known.iter().copied())?;
    Some(format!("did you mean `{near}`?"))
}

fn listed(known: &[&str]) -> String {
    match known {
        [] => "there is none at all".to_owned(),
        known => format!("there is {}", suggest::list(known.iter().copied())),
    }
}
