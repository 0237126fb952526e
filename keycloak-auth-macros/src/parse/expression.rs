//! Expressions: `all(…)`, `any(…)`, `not(…)`, and what they join.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::ToTokens;

use crate::{
    ast::{Kind, Requirement},
    errors::Errors,
};

use super::{
    CALLS, SIMPLE,
    cursor::{Cursor, text},
    operand, unknown,
};

/// Reads one requirement.
pub(crate) fn requirement(cursor: &mut Cursor, errors: &mut Errors) -> Option<Requirement> {
    if cursor.is_path_separator_at(0) || cursor.is_path_separator_at(1) {
        return constant(cursor, errors);
    }
    let Some(word) = cursor.eat_ident() else {
        super::not_a_word(cursor, errors);
        return None;
    };
    after_word(word, cursor, errors)
}

/// Reads the requirement that begins with `word`.
pub(crate) fn after_word(word: Ident, cursor: &mut Cursor, errors: &mut Errors) -> Option<Requirement> {
    let written = word.to_string();
    let is_call = CALLS.contains(&written.as_str()) || matches!(written.as_str(), "any" | "all");
    if is_call {
        return match cursor.eat_group(Delimiter::Parenthesis) {
            Some(group) => call(word, &written, group, errors),
            None => {
                without_parentheses(&word, &written, cursor, errors);
                None
            }
        };
    }
    if SIMPLE.contains(&written.as_str()) {
        cursor.eat_entry();
        let singular = written.trim_end_matches('s');
        let shape = if singular == "client_role" {
            "client_role(\"client\", \"…\")".to_owned()
        } else {
            format!("{singular}(\"…\")")
        };
        errors.report(
            word,
            format!("`{written}` belongs to the form without `all(…)`, `any(…)` and `not(…)`"),
            format!("write `{shape}` here, one for each name"),
        );
        return None;
    }
    if matches!(written.as_str(), "public" | "authenticated") {
        errors.report(
            word,
            format!("`{written}` is a policy of its own"),
            if written == "public" {
                "it admits everyone, so that nothing can be added to it; write `#[keycloak(public)]`"
            } else {
                "every other requirement asks for an authenticated caller already; remove it"
            },
        );
        return None;
    }
    if is_constant(&written) && called(&written, cursor, errors) {
        return None;
    }
    if cursor.at_separator() && is_constant(&written) {
        let at = word.to_token_stream();
        return Some(Requirement {
            kind: Kind::Named(at.clone()),
            at,
        });
    }
    unknown(&word, cursor, errors);
    None
}

/// Whether a word looks like a constant: `ORDERS`.
pub(crate) fn is_constant(written: &str) -> bool {
    written.contains(char::is_uppercase) && !written.contains(char::is_lowercase)
}

fn constant(cursor: &mut Cursor, errors: &mut Errors) -> Option<Requirement> {
    let Some(path) = cursor.eat_path() else {
        let found = cursor.eat_entry();
        errors.report(
            &found,
            format!("expected the path of a constant, found `{}`", text(&found)),
            "a policy of your own is a constant such as `ORDERS` or `policies::ORDERS`",
        );
        return None;
    };
    if called(&text(&path), cursor, errors) {
        return None;
    }
    Some(Requirement {
        at: path.clone(),
        kind: Kind::Named(path),
    })
}

/// Reports `ORDERS()`: a policy of one's own is a value, and nothing is called at compile time.
fn called(constant: &str, cursor: &mut Cursor, errors: &mut Errors) -> bool {
    let Some(parentheses) = cursor.eat_group(Delimiter::Parenthesis) else {
        return false;
    };
    errors.report(
        parentheses,
        format!("`{constant}` is a constant and takes nothing"),
        format!("write `{constant}` alone"),
    );
    true
}

fn without_parentheses(word: &Ident, written: &str, cursor: &mut Cursor, errors: &mut Errors) {
    let rest = cursor.eat_entry();
    let plural = format!("{written}s");
    let found = rest
        .clone()
        .into_iter()
        .find(|tree| matches!(tree, TokenTree::Literal(_) | TokenTree::Group(_)));
    let value = match found {
        // `role { "a" }`, and `role["a"]` with one element.
        Some(TokenTree::Group(group)) if group.delimiter() != Delimiter::Parenthesis && has_one_element(&group) => {
            group.stream().to_string()
        }
        Some(found) => found.to_string(),
        None => "\"…\"".to_owned(),
    };
    let help = match written {
        "client_role" => "write `client_roles(\"client\" = \"…\")` or `client_role(\"client\", \"…\")`".to_owned(),
        _ if SIMPLE.contains(&plural.as_str()) && value.starts_with('[') => {
            format!("did you mean `{plural}`? write `{plural} = {value}`")
        }
        _ if SIMPLE.contains(&plural.as_str()) => {
            format!("did you mean `{plural}`? write `{plural} = {value}` or `{written}({value})`")
        }
        "not" if matches!(rest.clone().into_iter().next(), Some(TokenTree::Ident(_))) => {
            format!("write `not({rest})`")
        }
        "group_tree" | "acr" | "owner" if value.starts_with('"') => format!("write `{written}({value})`"),
        "max_age" if value.starts_with(|letter: char| letter.is_ascii_digit()) => {
            format!("write `{written}({value})`")
        }
        _ => format!("write `{}`", shape(written)),
    };
    errors.report(word, format!("`{written}` takes its value in parentheses"), help);
}

fn has_one_element(group: &Group) -> bool {
    group.stream().into_iter().count() == 1
}

fn call(word: Ident, written: &str, group: Group, errors: &mut Errors) -> Option<Requirement> {
    let at: TokenStream = [TokenTree::Ident(word.clone()), TokenTree::Group(group.clone())]
        .into_iter()
        .collect();
    let mut inner = Cursor::new(group.stream());
    if inner.at_end() {
        errors.report(
            at,
            format!("`{written}` is empty"),
            format!("write `{}`", shape(written)),
        );
        return None;
    }
    if several_names(written, &mut inner, errors) {
        return None;
    }
    let kind = match written {
        "all" | "any" => {
            let before = errors.count();
            let operands = inner.separated(errors, requirement);
            if errors.count() > before {
                return None;
            }
            if written == "all" {
                Kind::All(operands)
            } else {
                Kind::Any(operands)
            }
        }
        "not" => {
            let before = errors.count();
            let mut operands = inner.separated(errors, requirement);
            if errors.count() > before {
                return None;
            }
            if operands.len() > 1 {
                errors.report(
                    at,
                    "`not` takes one requirement",
                    "write `not(any(…))` when none of them may hold, `not(all(…))` when not all of them may",
                );
                return None;
            }
            Kind::Not(Box::new(operands.pop()?))
        }
        "claim" => operand::claim(&word, &mut inner, errors)?,
        "owner" => operand::owner(&word, &mut inner, errors)?,
        "max_age" => operand::max_age(&mut inner, errors)?,
        "client_role" => operand::client_role(&mut inner, errors)?,
        _ => operand::single(written, &mut inner, errors)?,
    };
    finish(written, &mut inner, errors)?;
    Some(Requirement { at, kind })
}

/// Reports `role("a", "b")`.
fn several_names(written: &str, inner: &mut Cursor, errors: &mut Errors) -> bool {
    if !["role", "realm_role", "group", "group_tree", "scope", "acr"].contains(&written) {
        return false;
    }
    let mut names = Vec::new();
    for (position, tree) in inner.all().into_iter().enumerate() {
        match tree {
            TokenTree::Literal(literal) if position % 2 == 0 => names.push(literal),
            TokenTree::Punct(comma) if position % 2 == 1 && comma.as_char() == ',' => {}
            _ => return false,
        }
    }
    let [first, second, ..] = names.as_slice() else {
        return false;
    };
    let each: Vec<_> = names.iter().map(|name| format!("{written}({name})")).collect();
    let all_or_client_role = match (written, names.len()) {
        // Written so elsewhere: the role of a client.
        ("role", 2) => {
            format!("`all(…)` where both are needed, or `client_role({first}, {second})` for the role of a client")
        }
        // A token has one.
        ("acr", _) => "one of which the login has reached".to_owned(),
        _ => "or `all(…)` where every one is needed".to_owned(),
    };
    errors.report(
        second,
        format!("`{written}` takes one name"),
        format!("write `any({})`, {all_or_client_role}", each.join(", ")),
    );
    true
}

fn finish(written: &str, inner: &mut Cursor, errors: &mut Errors) -> Option<()> {
    inner.eat_punct(',');
    if inner.at_end() {
        return Some(());
    }
    let rest: TokenStream = std::iter::from_fn(|| inner.next()).collect();
    errors.report(
        &rest,
        format!("expected `)`, found `{}`", text(&rest)),
        format!("write `{}`; join several by `any(…)` or `all(…)`", shape(written)),
    );
    None
}

/// How a call looks.
pub(crate) fn shape(written: &str) -> String {
    let inside = match written {
        "all" | "any" => "role(\"…\"), group(\"…\")",
        "not" => "role(\"…\")",
        "client_role" => "\"client\", \"…\"",
        "group" | "group_tree" => "\"/…\"",
        "claim" => "\"path.to.claim\" = \"…\"",
        "max_age" => "300",
        "owner" => "\"parameter\"",
        _ => "\"…\"",
    };
    format!("{written}({inside})")
}
