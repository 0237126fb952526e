//! The entries of the simple form: `roles = "a"`, `roles = ["a", "b"]`, `client_roles("client" = "a")`.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

use crate::{
    ast::{List, ListKind, Name},
    errors::Errors,
};

use super::{
    cursor::{Cursor, text},
    value,
};

/// What stands behind `word`: `= "a"` or `= ["a", "b"]`.
pub(crate) fn values(word: &Ident, cursor: &mut Cursor, errors: &mut Errors) -> Option<Vec<Name>> {
    if let Some(group) = cursor
        .eat_group(Delimiter::Parenthesis)
        .or_else(|| cursor.eat_group(Delimiter::Bracket))
    {
        let inner = group.stream();
        let shown = match inner.clone().into_iter().count() {
            0 => "\"…\"".to_owned(),
            1 => text(&inner),
            _ => format!("[{inner}]"),
        };
        errors.report(
            group,
            format!("expected `=` behind `{word}`"),
            format!("write `{word} = {shown}`"),
        );
        return None;
    }
    if cursor.at_separator() {
        errors.report(
            word,
            format!("`{word}` needs a value"),
            format!("write `{word} = \"…\"` or `{word} = [\"…\", \"…\"]`"),
        );
        return None;
    }
    let example = |value: &str| format!("`{word} = {value}`");
    equals(word, cursor, errors, example)?;
    value_or_list(word, cursor, errors, example)
}

/// What stands behind `client_roles`: `("client" = "a")` or `("client" = ["a", "b"])`.
pub(crate) fn client_roles(word: Ident, cursor: &mut Cursor, errors: &mut Errors) -> Option<List> {
    const SHAPE: &str = "write `client_roles(\"client\" = \"role\")` or `client_roles(\"client\" = [\"…\", \"…\"])`";
    let Some(group) = cursor.eat_group(Delimiter::Parenthesis) else {
        cursor.eat_entry();
        errors.report(word, "`client_roles` names the client whose roles are meant", SHAPE);
        return None;
    };
    let mut inner = Cursor::new(group.stream());
    if inner.at_end() {
        errors.report(group, "`client_roles` needs a client and its roles", SHAPE);
        return None;
    }
    let first = inner.peek().cloned();
    if inner.is_punct_at(1, ',') || matches!(first, Some(TokenTree::Literal(_)) if inner.peek_at(1).is_none()) {
        let roles = inner.peek_at(2).map_or("\"…\"".to_owned(), ToString::to_string);
        let client = first.as_ref().map(ToString::to_string).unwrap_or_default();
        errors.report(
            first,
            format!(
                "`client_roles` does not say which roles of `{}`",
                client.trim_matches('"')
            ),
            format!("write `client_roles({client} = {roles})`"),
        );
        return None;
    }
    let client = left_side(&mut inner, errors, |client| format!("`client_roles({client} = \"…\")`"))?;
    let shown = client.literal.to_string();
    let example = |value: &str| format!("`client_roles({shown} = {value})`");
    equals(&word, &mut inner, errors, example)?;
    let values = value_or_list(&word, &mut inner, errors, example)?;
    inner.eat_punct(',');
    if !inner.at_end() {
        let rest: TokenStream = std::iter::from_fn(|| inner.next()).collect();
        errors.report(
            &rest,
            format!("expected `)`, found `{}`", text(&rest)),
            format!(
                "several roles stand in a list: {}; another client is another `client_roles(…)`",
                example("[\"…\", \"…\"]")
            ),
        );
        return None;
    }
    Some(List {
        word,
        kind: ListKind::ClientRoles(client),
        values,
    })
}

/// The string before a `=`.
pub(crate) fn left_side(inner: &mut Cursor, errors: &mut Errors, example: impl Fn(&str) -> String) -> Option<Name> {
    if !matches!(inner.peek(), Some(TokenTree::Ident(_))) {
        return value::name(inner, errors, example);
    }
    let mut name = TokenStream::new();
    // Up to the `=`, or what stands in its place.
    while !inner.at_separator() && !inner.peek_punct('=') && !inner.peek_punct(':') {
        name.extend(inner.next());
    }
    let shown = text(&name);
    errors.report(
        name,
        format!("missing quotes around `{shown}`"),
        format!("write {}", example(&format!("{shown:?}"))),
    );
    None
}

/// Reads the `=`, or what people write in its place.
pub(crate) fn equals(
    word: &Ident,
    cursor: &mut Cursor,
    errors: &mut Errors,
    example: impl Fn(&str) -> String,
) -> Option<()> {
    let first = cursor.eat_punct('=').or_else(|| cursor.eat_punct(':'));
    let second = first
        .is_some()
        .then(|| cursor.eat_punct('=').or_else(|| cursor.eat_punct('>')))
        .flatten();
    match (first, second) {
        (Some(TokenTree::Punct(punct)), None) if punct.as_char() == '=' => Some(()),
        (Some(first), second) => {
            let written: String = [Some(&first), second.as_ref()]
                .into_iter()
                .flatten()
                .map(ToString::to_string)
                .collect();
            let value = shown_value(cursor.peek());
            let at: TokenStream = [Some(first), second].into_iter().flatten().collect();
            errors.report(
                at,
                format!("expected `=`, found `{written}`"),
                format!("write {}", example(&value)),
            );
            // The value is read all the same, for the mistakes in it.
            Some(())
        }
        (None, _) => {
            let found = cursor.peek().cloned();
            let shown = found.as_ref().map(ToString::to_string);
            match shown {
                Some(shown) => errors.report(
                    found,
                    format!("expected `=`, found `{shown}`"),
                    format!("write {}", example(&shown_value(cursor.peek()))),
                ),
                None => errors.report(
                    word,
                    format!("`{word}` needs a value"),
                    format!("write {}", example("\"…\"")),
                ),
            }
            None
        }
    }
}

/// The value as an example repeats it.
fn shown_value(value: Option<&TokenTree>) -> String {
    match value {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Bracket => group.to_string(),
        Some(TokenTree::Literal(literal)) => literal.to_string(),
        _ => "\"…\"".to_owned(),
    }
}

fn value_or_list(
    word: &Ident,
    cursor: &mut Cursor,
    errors: &mut Errors,
    example: impl Fn(&str) -> String + Copy,
) -> Option<Vec<Name>> {
    if cursor.at_separator() {
        errors.report(
            word,
            format!("`{word}` needs a value"),
            format!("write {} or {}", example("\"…\""), example("[\"…\", \"…\"]")),
        );
        return None;
    }
    if let Some(group) = cursor
        .eat_group(Delimiter::Parenthesis)
        .or_else(|| cursor.eat_group(Delimiter::Brace))
    {
        errors.report(
            &group,
            "a list stands in square brackets",
            format!("write {}", example(&format!("[{}]", group.stream()))),
        );
        return None;
    }
    let values = match cursor.eat_group(Delimiter::Bracket) {
        Some(group) => {
            let before = errors.count();
            let values = Cursor::new(group.stream()).separated(errors, |inner, errors| {
                value::name(inner, errors, |value| format!("`{value}`"))
            });
            if values.is_empty() && errors.count() == before {
                errors.report(
                    group,
                    format!("the list of `{word}` is empty"),
                    format!("name at least one, or remove `{word}`"),
                );
            }
            if values.is_empty() {
                return None;
            }
            values
        }
        None => vec![value::name(cursor, errors, example)?],
    };
    operators(values, cursor, errors, example)
}

/// `"a" | "b"` is not written here.
fn operators(
    mut values: Vec<Name>,
    cursor: &mut Cursor,
    errors: &mut Errors,
    example: impl Fn(&str) -> String,
) -> Option<Vec<Name>> {
    let join = match cursor.peek() {
        Some(TokenTree::Punct(punct)) if punct.as_char() == '|' => "any",
        Some(TokenTree::Punct(punct)) if matches!(punct.as_char(), '&' | '+') => "all",
        Some(TokenTree::Ident(ident)) if ident == "or" => "any",
        Some(TokenTree::Ident(ident)) if ident == "and" => "all",
        _ => return Some(values),
    };
    let mut at: TokenStream = cursor.next().into_iter().collect();
    at.extend(cursor.eat_punct('|').or_else(|| cursor.eat_punct('&')));
    let entry = cursor.eat_entry();
    let is_requirement = |tree: TokenTree| matches!(tree, TokenTree::Punct(punct) if punct.as_char() == '=');
    if entry.clone().into_iter().any(is_requirement) {
        errors.report(
            &at,
            format!("`{}` does not join requirements", text(&at)),
            format!("write a comma in its place, and `{join}` at the end"),
        );
        return None;
    }
    strings(entry, &mut values);
    let list = values
        .iter()
        .map(|value| value.literal.to_string())
        .collect::<Vec<_>>()
        .join(", ");
    errors.report(
        &at,
        format!("`{}` does not join values", text(&at)),
        format!(
            "write a list, {}, and `{join}` at the end",
            example(&format!("[{list}]"))
        ),
    );
    None
}

fn strings(tokens: TokenStream, into: &mut Vec<Name>) {
    for tree in tokens {
        match tree {
            TokenTree::Literal(literal) => {
                into.extend(value::string(&literal).map(|text| Name { text, literal }));
            }
            TokenTree::Group(group) => strings(group.stream(), into),
            _ => {}
        }
    }
}
