//! What a name can be, by what it names.

use crate::{
    ast::{ClaimValue, Kind, List, ListKind, Name, Requirement},
    errors::Errors,
};

/// Reports names that no realm can have, and puts the slash before a group that lacks it.
pub(crate) fn check(requirement: &mut Requirement, errors: &mut Errors) {
    match &mut requirement.kind {
        Kind::Public | Kind::Authenticated | Kind::MaxAge(_) | Kind::Named(_) => {}
        Kind::All(operands) | Kind::Any(operands) => {
            for operand in operands {
                check(operand, errors);
            }
        }
        Kind::Not(operand) => check(operand, errors),
        Kind::Role(name) | Kind::RealmRole(name) => {
            plain(name, "role", errors);
        }
        Kind::ClientRole { client, role } => {
            plain(client, "client", errors);
            plain(role, "role", errors);
        }
        Kind::Group(path) | Kind::GroupTree(path) => group(path, errors),
        Kind::Scope(name) => scope(name, errors),
        Kind::Claim { path, value } => {
            claim(path, errors);
            if let ClaimValue::String(value) = value {
                surrounding_space(value, "value", errors);
            }
        }
        Kind::Acr(name) => {
            plain(name, "level", errors);
        }
        Kind::Owner { parameter, claim: path } => {
            let is_default = parameter.literal.to_string() == path.literal.to_string();
            owner_parameter(parameter, errors);
            if !is_default {
                claim(path, errors);
            }
        }
    }
}

/// The same for the names of a list, whose client is judged once.
pub(crate) fn check_list(list: &mut List, errors: &mut Errors) {
    if let ListKind::ClientRoles(client) = &list.kind {
        plain(client, "client", errors);
    }
    for value in &mut list.values {
        match list.kind {
            ListKind::Groups => group(value, errors),
            ListKind::Scopes => scope(value, errors),
            ListKind::Roles | ListKind::RealmRoles | ListKind::ClientRoles(_) => {
                plain(value, "role", errors);
            }
        }
    }
}

/// A requirement as a message names it.
pub(crate) fn shown(requirement: &Requirement) -> String {
    match &requirement.kind {
        Kind::Role(name)
        | Kind::RealmRole(name)
        | Kind::Group(name)
        | Kind::GroupTree(name)
        | Kind::Scope(name)
        | Kind::Acr(name)
        | Kind::ClientRole { role: name, .. } => name.text.clone(),
        _ => requirement.at.to_string(),
    }
}

fn plain(name: &Name, what: &str, errors: &mut Errors) -> bool {
    if name.text.trim().is_empty() {
        errors.report(
            &name.literal,
            format!("the name of this {what} is empty"),
            format!("write the {what} as Keycloak knows it"),
        );
        return false;
    }
    surrounding_space(name, what, errors)
}

fn surrounding_space(name: &Name, what: &str, errors: &mut Errors) -> bool {
    let trimmed = name.text.trim();
    if trimmed == name.text {
        return true;
    }
    errors.report(
        &name.literal,
        format!("white space around the {what} `{}`", name.text.escape_debug()),
        format!("names are compared exactly; write `{trimmed:?}`"),
    );
    false
}

fn group(path: &mut Name, errors: &mut Errors) {
    if !plain(path, "group", errors) {
        return;
    }
    let segments = path.text.split('/').filter(|segment| !segment.is_empty());
    let wanted = segments.fold(String::new(), |path, segment| path + "/" + segment);
    if wanted.is_empty() {
        errors.report(
            &path.literal,
            format!("`{}` is no group", path.text),
            "a group has a name: `\"/ops\"`",
        );
    } else if path.text.contains("//") {
        errors.report(
            &path.literal,
            format!("empty segment in the group path `{}`", path.text),
            format!("write `{wanted:?}`"),
        );
    } else if path.text.ends_with('/') {
        errors.report(
            &path.literal,
            format!("the group path `{}` ends in a slash", path.text),
            format!(
                "write `{wanted:?}`, which is exactly this group; `group_tree({wanted:?})` has the groups below it, too"
            ),
        );
    } else {
        path.text = wanted;
    }
}

fn scope(name: &Name, errors: &mut Errors) {
    if !plain(name, "scope", errors) {
        return;
    }
    // RFC 6749 section 3.3.
    if name.text.contains(char::is_whitespace) {
        let list = name
            .text
            .split(|letter: char| letter.is_whitespace() || letter == ',')
            .filter(|scope| !scope.is_empty())
            .map(|scope| format!("{scope:?}"))
            .collect::<Vec<_>>()
            .join(", ");
        errors.report(
            &name.literal,
            format!("a scope has no white space: `{}`", name.text.escape_debug()),
            format!("write several scopes as a list: `scopes = [{list}]`"),
        );
    } else if let Some(letter) = name.text.chars().find(|letter| !is_of_scope(*letter)) {
        errors.report(
            &name.literal,
            format!(
                "a scope has no `{}`: `{}`",
                letter.escape_debug(),
                name.text.escape_debug()
            ),
            "a scope consists of visible ASCII letters without `\"` and `\\` (RFC 6749, section 3.3)",
        );
    }
}

fn is_of_scope(letter: char) -> bool {
    letter.is_ascii_graphic() && !matches!(letter, '"' | '\\')
}

fn claim(path: &Name, errors: &mut Errors) {
    if !plain(path, "claim", errors) {
        return;
    }
    // A dot behind a backslash is part of a name.
    if path.text.replace("\\.", "_").split('.').any(str::is_empty) {
        errors.report(
            &path.literal,
            format!("empty segment in the claim path `{}`", path.text),
            "write the names from the outermost object inwards, separated by one dot: `\"address.country\"`",
        );
    }
}

fn owner_parameter(name: &Name, errors: &mut Errors) {
    if !plain(name, "path parameter", errors) {
        return;
    }
    let bare = name.text.trim_matches(['{', '}', ':', '*', '/']);
    if bare != name.text {
        errors.report(
            &name.literal,
            format!("`{}` is not the name of a path parameter", name.text),
            format!("write the name alone: `{bare:?}`"),
        );
    }
}
