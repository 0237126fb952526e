//! Names that read as something else: several names in one string, the path of a group as a role.
//!
//! A name in Keycloak may have almost any letter, so that such a name may be meant all the same. It is when the realm has
//! it, and when it stands in a list: `roles = ["sales, europe"]`.

use crate::{
    ast::{Kind, List, ListKind, Name, Requirement},
    errors::Errors,
    realm::Realm,
};

/// Reports what reads as something else in an expression.
pub(super) fn check(requirement: &Requirement, realm: Option<&Realm>, errors: &mut Errors) {
    match &requirement.kind {
        Kind::All(operands) | Kind::Any(operands) => {
            for operand in operands {
                check(operand, realm, errors);
            }
        }
        Kind::Not(operand) => check(operand, realm, errors),
        Kind::Role(name) => Words::of_expression("role", "roles", None).check(name, realm, errors),
        Kind::RealmRole(name) => Words::of_expression("realm_role", "realm_roles", None).check(name, realm, errors),
        Kind::ClientRole { client, role } => {
            Words::of_expression("client_role", "client_roles", Some(client)).check(role, realm, errors);
        }
        Kind::Group(path) => Words::of_expression("group", "groups", None).check(path, realm, errors),
        // There is no list that a single path could stand in to be believed.
        Kind::GroupTree(path) if path.text.contains(",/") || path.text.contains(", /") => {
            Words::of_expression("group_tree", "groups", None).check(path, realm, errors);
        }
        Kind::Scope(name) => Words::of_expression("scope", "scopes", None).check(name, realm, errors),
        Kind::GroupTree(_)
        | Kind::Public
        | Kind::Authenticated
        | Kind::Claim { .. }
        | Kind::Acr(_)
        | Kind::MaxAge(_)
        | Kind::Owner { .. }
        | Kind::Named(_) => {}
    }
}

/// The same for a list. In brackets every string is one name.
pub(super) fn check_list(list: &List, realm: Option<&Realm>, errors: &mut Errors) {
    if list.in_brackets {
        return;
    }
    let (plural, client) = match &list.kind {
        ListKind::Roles => ("roles", None),
        ListKind::RealmRoles => ("realm_roles", None),
        ListKind::ClientRoles(client) => ("client_roles", Some(client)),
        ListKind::Groups => ("groups", None),
        ListKind::Scopes => ("scopes", None),
    };
    let words = Words {
        singular: None,
        plural,
        client,
    };
    for name in &list.values {
        words.check(name, realm, errors);
    }
}

/// How the policy is written, and with it what a message tells to write.
struct Words<'a> {
    /// The word of the expression; none in a list.
    singular: Option<&'static str>,
    plural: &'static str,
    client: Option<&'a Name>,
}

impl<'a> Words<'a> {
    fn of_expression(singular: &'static str, plural: &'static str, client: Option<&'a Name>) -> Self {
        Self {
            singular: Some(singular),
            plural,
            client,
        }
    }

    fn check(&self, name: &Name, realm: Option<&Realm>, errors: &mut Errors) {
        if realm.is_some_and(|realm| realm.has_name(&name.text)) {
            return;
        }
        let parts = self.parts(&name.text);
        if parts.len() > 1 {
            let what = self.plural.trim_start_matches("realm_").trim_start_matches("client_");
            errors.report(
                &name.literal,
                format!("`{}` reads as several {what} in one string", name.text.escape_debug()),
                self.one_or_several(name, &parts),
            );
        } else if self.plural.ends_with("roles") && name.text.starts_with('/') {
            let path = format!("{:?}", name.text);
            let group = match self.singular {
                Some(_) => format!("group({path})"),
                None => format!("groups = {path}"),
            };
            errors.report(
                &name.literal,
                format!("the role `{}` reads as the path of a group", name.text),
                format!("write `{group}`; {}", self.one(name)),
            );
        }
    }

    /// The names that `text` seems to consist of.
    fn parts<'n>(&self, text: &'n str) -> Vec<&'n str> {
        let separators: &[char] = &[',', ';', '|'];
        let parts: Vec<_> = match (self.plural, self.singular) {
            // Groups with names of several words are common.
            ("groups", _) if text.split_whitespace().skip(1).all(|word| word.starts_with('/')) => text
                .split(|letter: char| separators.contains(&letter) || letter.is_whitespace())
                .collect(),
            ("groups", _) | (_, Some(_)) => text.split(separators).collect(),
            (_, None) => text
                .split(|letter: char| separators.contains(&letter) || letter.is_whitespace())
                .collect(),
        };
        parts
            .into_iter()
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .collect()
    }

    fn one_or_several(&self, name: &Name, parts: &[&str]) -> String {
        let quoted: Vec<_> = parts.iter().map(|part| self.quoted(part)).collect();
        let several = match self.singular {
            Some(singular) => {
                let each: Vec<_> = quoted.iter().map(|part| self.call(singular, part)).collect();
                format!("`any({})`, or `all(…)` where every one is needed", each.join(", "))
            }
            None => format!(
                "a list, `{}`, and `any` at the end where one is enough",
                self.list(&quoted.join(", "))
            ),
        };
        format!("write {several}; {}", self.one(name))
    }

    fn quoted(&self, part: &str) -> String {
        if self.plural == "groups" {
            format!("{:?}", format!("/{}", part.trim_start_matches('/')))
        } else {
            format!("{part:?}")
        }
    }

    /// How to write it when the string is one name after all.
    fn one(&self, name: &Name) -> String {
        let list = self.list(&name.literal.to_string());
        match self.singular {
            // It has none.
            Some("group_tree") => "if it is one name, check names against the realm file".to_owned(),
            Some(_) => {
                format!("if it is one name, share it as `const POLICY: Policy = policy!({list});` and write `POLICY`")
            }
            None => format!("if it is one name, write `{list}`"),
        }
    }

    fn call(&self, singular: &str, name: &str) -> String {
        match self.client {
            Some(client) => format!("{singular}({}, {name})", client.literal),
            None => format!("{singular}({name})"),
        }
    }

    fn list(&self, names: &str) -> String {
        match self.client {
            Some(client) => format!("{}({} = [{names}])", self.plural, client.literal),
            None => format!("{} = [{names}]", self.plural),
        }
    }
}
