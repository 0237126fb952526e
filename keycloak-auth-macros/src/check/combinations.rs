//! What can stand beside what.

use proc_macro2::Ident;

use crate::{
    ast::{Entry, Kind, ListKind, Name, Requirement},
    errors::Errors,
};

use super::names;

/// `public` and `authenticated` have no company.
pub(super) fn stands_alone(entries: &[Entry], errors: &mut Errors) {
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
pub(super) fn joins(entries: &[Entry], complete: bool, errors: &mut Errors) {
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
pub(super) fn expressions(entries: &[Entry], errors: &mut Errors) {
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
        let all: Vec<_> = [first, second]
            .into_iter()
            .chain(expressions)
            .map(ToString::to_string)
            .collect();
        let joined = all.join(", ");
        errors.report(
            second,
            "several requirements need to be joined",
            format!("write `all({joined})`, or `any(…)` where one is enough"),
        );
    }
}

/// Each list once; `client_roles` once a client.
pub(super) fn duplicated_lists(entries: &[Entry], errors: &mut Errors) {
    let mut seen: Vec<(String, Option<&str>, &[Name])> = Vec::new();
    for entry in entries {
        let Entry::List(list) = entry else { continue };
        let client = match &list.kind {
            ListKind::ClientRoles(client) => Some(client.text.as_str()),
            _ => None,
        };
        let word = &list.word;
        let written = word.to_string();
        let first = seen
            .iter()
            .find(|(seen_word, seen_client, _)| *seen_word == written && *seen_client == client);
        let Some((_, _, names)) = first else {
            seen.push((written, client, &list.values));
            continue;
        };
        let mut together: Vec<String> = Vec::new();
        for name in names.iter().chain(&list.values) {
            let written = name.literal.to_string();
            if !together.contains(&written) {
                together.push(written);
            }
        }
        let names = together.join(", ");
        match &list.kind {
            ListKind::ClientRoles(client) => errors.report(
                &client.literal,
                format!("the roles of `{}` are given twice", client.text),
                format!("write one list: `client_roles({} = [{names}])`", client.literal),
            ),
            _ => errors.report(
                word,
                format!("`{word}` is given twice"),
                format!("write one list: `{word} = [{names}]`"),
            ),
        }
    }
}

/// No requirement stands twice beside itself.
pub(super) fn duplicates(operands: &[Requirement], errors: &mut Errors) {
    let mut seen: Vec<String> = Vec::new();
    for operand in operands {
        // What is said twice as a word has been reported as such.
        if !matches!(operand.kind, Kind::Public | Kind::Authenticated) {
            let meaning = operand.kind.meaning();
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
