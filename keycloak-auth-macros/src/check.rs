//! What the entries mean together: one policy, or the mistakes that keep them from being one.

mod names;

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};

use crate::{
    ast::{Arguments, Entry, Join, Kind, List, ListKind, Name, Requirement},
    errors::Errors,
};

/// Where a policy stands, for what the messages say.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Attribute,
    Macro,
}

/// The policy of the arguments. `None` after a mistake, which has been reported.
pub(crate) fn policy(arguments: Arguments, place: Place, errors: &mut Errors) -> Option<Requirement> {
    let entries = arguments.entries;
    if entries.is_empty() {
        if errors.is_empty() {
            empty(place, errors);
        }
        return None;
    }
    // Behind a mistake entries may be missing, so that nothing is said about what is not there.
    let complete = errors.is_empty();
    stands_alone(&entries, errors);
    joins(&entries, complete, errors);
    expressions(&entries, errors);
    duplicated_lists(&entries, errors);

    let mut join = Join::All;
    let mut operands = Vec::new();
    for entry in entries {
        match entry {
            Entry::Public(word) => operands.push(alone(word, Kind::Public)),
            Entry::Authenticated(word) => operands.push(alone(word, Kind::Authenticated)),
            Entry::Join(_, said) => join = said,
            Entry::List(mut list) => {
                names::check_list(&mut list, errors);
                operands.extend(list_operands(list));
            }
            Entry::Expression(mut requirement) => {
                names::check(&mut requirement, errors);
                operands.push(requirement);
            }
        }
    }
    duplicates(&operands, errors);
    if !errors.is_empty() {
        return None;
    }
    match (operands.len(), join) {
        (1, _) => operands.pop(),
        (_, Join::All) => Some(joined(Kind::All(operands))),
        (_, Join::Any) => Some(joined(Kind::Any(operands))),
    }
}

fn empty(place: Place, errors: &mut Errors) {
    match place {
        Place::Attribute => errors.report(
            TokenStream::new(),
            "`#[keycloak]` does not say who may call this handler",
            "write `#[keycloak(public)]` for everyone, `#[keycloak(authenticated)]` for every caller with a valid token, \
             or what the caller needs, such as `#[keycloak(roles = \"admin\")]`",
        ),
        Place::Macro => errors.report(
            TokenStream::new(),
            "`policy!` is empty",
            "write what the caller needs, such as `policy!(roles = \"admin\")`",
        ),
    }
}

fn alone(word: Ident, kind: Kind) -> Requirement {
    Requirement {
        at: word.into_token_stream(),
        kind,
    }
}

fn joined(kind: Kind) -> Requirement {
    Requirement {
        at: TokenStream::new(),
        kind,
    }
}

/// `public` and `authenticated` have no company.
fn stands_alone(entries: &[Entry], errors: &mut Errors) {
    if entries.len() < 2 {
        return;
    }
    let mut seen: Option<&Ident> = None;
    for entry in entries {
        let (Entry::Public(word) | Entry::Authenticated(word)) = entry else {
            continue;
        };
        match seen {
            Some(first) if first == word => errors.report(
                word,
                format!("`{word}` is given twice"),
                "remove one of the two",
            ),
            Some(first) => errors.report(
                word,
                format!("`{first}` and `{word}` exclude each other"),
                "decide for one of them",
            ),
            None if entries
                .iter()
                .all(|entry| matches!(entry, Entry::Public(_) | Entry::Authenticated(_))) => {}
            None if word == "public" => errors.report(
                word,
                "`public` stands alone",
                "it admits everyone; remove it, or remove everything else",
            ),
            None => errors.report(
                word,
                "`authenticated` stands alone",
                "every other requirement asks for an authenticated caller already; remove it, or remove everything else",
            ),
        }
        seen.get_or_insert(word);
    }
}

/// At most one `any` or `all`, at the end, behind something it can join.
fn joins(entries: &[Entry], complete: bool, errors: &mut Errors) {
    let mut joins = entries.iter().enumerate().filter_map(|(position, entry)| match entry {
        Entry::Join(word, _) => Some((position, word)),
        _ => None,
    });
    let Some((position, word)) = joins.next() else {
        return;
    };
    if let Some((_, second)) = joins.next() {
        if second == word {
            errors.report(second, format!("`{word}` is given twice"), "remove one of the two");
        } else {
            errors.report(
                second,
                format!("`{word}` and `{second}` exclude each other"),
                "decide for one: `any` needs one of the requirements, `all` needs every one and is the default",
            );
        }
        return;
    }
    if entries
        .iter()
        .any(|entry| matches!(entry, Entry::Public(_) | Entry::Authenticated(_)))
    {
        return;
    }
    if entries.len() == 1 {
        if complete {
            errors.report(
                word,
                format!("`{word}` has nothing to join"),
                format!("write what the caller needs before it: `roles = [\"…\", \"…\"], {word}`"),
            );
        }
    } else if entries.iter().any(|entry| matches!(entry, Entry::Expression(_))) {
        errors.report(
            word,
            format!("`{word}` at the end joins lists such as `roles = \"…\"`"),
            format!("write `{word}(…, …)` around the requirements"),
        );
    } else if position + 1 != entries.len() {
        errors.report(
            word,
            format!("`{word}` stands last"),
            "move it to the end: it joins everything before it",
        );
    }
}

/// One expression, and no list beside it.
fn expressions(entries: &[Entry], errors: &mut Errors) {
    if entries.iter().any(|entry| matches!(entry, Entry::Join(..))) {
        return;
    }
    let has_lists = entries.iter().any(|entry| matches!(entry, Entry::List(_)));
    let mut expressions = entries.iter().filter_map(|entry| match entry {
        Entry::Expression(requirement) => Some(&requirement.at),
        _ => None,
    });
    let Some(first) = expressions.next() else {
        return;
    };
    if has_lists {
        errors.report(
            first,
            "lists and expressions do not mix",
            "write everything as an expression: `all(role(\"…\"), …)` instead of `roles = \"…\", …`",
        );
    } else if let Some(second) = expressions.next() {
        errors.report(
            second,
            "several requirements need to be joined",
            "write `all(…, …)` or `any(…, …)` around them",
        );
    }
}

/// Each list once; `client_roles` once a client.
fn duplicated_lists(entries: &[Entry], errors: &mut Errors) {
    let mut seen: Vec<(String, Option<&str>)> = Vec::new();
    for entry in entries {
        let Entry::List(list) = entry else { continue };
        let client = match &list.kind {
            ListKind::ClientRoles(client) => Some(client.text.as_str()),
            _ => None,
        };
        let key = (list.word.to_string(), client);
        if !seen.contains(&key) {
            seen.push(key);
            continue;
        }
        let word = &list.word;
        match &list.kind {
            ListKind::ClientRoles(client) => errors.report(
                &client.literal,
                format!("the roles of `{}` are given twice", client.text),
                format!("write one list: `client_roles({} = [\"…\", \"…\"])`", client.literal),
            ),
            _ => errors.report(
                word,
                format!("`{word}` is given twice"),
                format!("write one list: `{word} = [\"…\", \"…\"]`"),
            ),
        }
    }
}

fn list_operands(list: List) -> Vec<Requirement> {
    let kind = list.kind;
    list.values
        .into_iter()
        .map(|name| Requirement {
            at: name.literal.to_token_stream(),
            kind: list_operand(&kind, name),
        })
        .collect()
}

fn list_operand(kind: &ListKind, name: Name) -> Kind {
    match kind {
        ListKind::Roles => Kind::Role(name),
        ListKind::RealmRoles => Kind::RealmRole(name),
        ListKind::ClientRoles(client) => Kind::ClientRole {
            client: client.clone(),
            role: name,
        },
        ListKind::Groups => Kind::Group(name),
        ListKind::Scopes => Kind::Scope(name),
    }
}

/// No requirement stands twice beside itself.
fn duplicates(operands: &[Requirement], errors: &mut Errors) {
    let mut seen: Vec<String> = Vec::new();
    for operand in operands {
        // What is said twice as a word has been reported as such.
        if !matches!(operand.kind, Kind::Public | Kind::Authenticated) {
            let meaning = operand.kind.value(&quote!()).to_string();
            if seen.contains(&meaning) {
                let at = &operand.at;
                let shown = names::shown(operand);
                errors.report(at, format!("`{shown}` is given twice"), "remove one of the two");
            }
            seen.push(meaning);
        }
        match &operand.kind {
            Kind::All(operands) | Kind::Any(operands) => duplicates(operands, errors),
            Kind::Not(operand) => duplicates(std::slice::from_ref(operand), errors),
            _ => {}
        }
    }
}
