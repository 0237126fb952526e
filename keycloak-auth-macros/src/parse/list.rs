//! The entries of the simple form: `roles = "a"`, `roles = ["a", "b"]`, `client_roles("client" = "a")`.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

use crate::{
    ast::{List, ListKind, Name},
    errors::Errors,
};

use super::{
    between,
    cursor::{Cursor, text},
    value,
};

/// What stands behind `word`, `= "a"` or `= ["a", "b"]`, and whether it stands in brackets.
pub(crate) fn values(word: &Ident, cursor: &mut Cursor, errors: &mut Errors) -> Option<(Vec<Name>, bool)> {
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
    let (values, in_brackets) = value_or_list(&word, &mut inner, errors, example)?;
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
        in_brackets,
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
            match shown.as_deref() {
                Some("!") if cursor.is_punct_at(1, '=') => {
                    let at: TokenStream = [cursor.next(), cursor.next()].into_iter().flatten().collect();
                    let equal = example(&shown_value(cursor.peek()));
                    let equal = equal.trim_matches('`');
                    let help = match equal.split_once(" = ") {
                        // Of lists there is no `not(…)`.
                        Some((list, value)) if !list.contains('(') => {
                            format!("write `not({}({value}))`", list.trim_end_matches('s'))
                        }
                        _ => format!("write `not({equal})`"),
                    };
                    errors.report(at, "`!=` is not known here", help);
                }
                Some(sign @ ("<" | ">")) => errors.report(
                    found,
                    format!("expected `=`, found `{sign}`"),
                    format!("values are compared for equality only, as in {}", example("\"…\"")),
                ),
                Some(",") => errors.report(
                    found,
                    "expected `=`, found `,`",
                    format!("write {}", example(&shown_value(cursor.peek_at(1)))),
                ),
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
) -> Option<(Vec<Name>, bool)> {
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
    let prefix = between::array_prefix(cursor);
    let brackets = cursor.eat_group(Delimiter::Bracket);
    let in_brackets = brackets.is_some();
    let values = match brackets {
        Some(group) => {
            if !prefix.is_empty() {
                errors.report(
                    &prefix,
                    format!("a list is written without `{}`", text(&prefix)),
                    format!("write {}", example(&group.to_string())),
                );
                return None;
            }
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
    let values = between::operators(values, cursor, errors, example)?;
    let values = between::beside(word, values, cursor, errors, example)?;
    Some((values, in_brackets))
}
