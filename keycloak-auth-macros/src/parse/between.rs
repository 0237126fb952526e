//! What people write around and between the values of a list.

use proc_macro2::{Delimiter, Ident, Literal, TokenStream, TokenTree};

use crate::{ast::Name, errors::Errors};

use super::{
    cursor::{Cursor, text},
    value,
};

/// `&` or `vec!` before a list.
pub(super) fn array_prefix(cursor: &mut Cursor) -> TokenStream {
    let is_bracket = |tree: Option<&TokenTree>| matches!(tree, Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Bracket);
    let length = match cursor.peek() {
        Some(TokenTree::Punct(punct)) if punct.as_char() == '&' && is_bracket(cursor.peek_at(1)) => 1,
        Some(TokenTree::Ident(_)) if cursor.is_punct_at(1, '!') && is_bracket(cursor.peek_at(2)) => 2,
        _ => 0,
    };
    (0..length).filter_map(|_| cursor.next()).collect()
}

/// Further values that stand beside the first: `"a" "b"`, `"a", "b"`, or a list behind a list.
pub(super) fn beside(
    word: &Ident,
    values: Vec<Name>,
    cursor: &mut Cursor,
    errors: &mut Errors,
    example: impl Fn(&str) -> String,
) -> Option<Vec<Name>> {
    let mut further = TokenStream::new();
    loop {
        let comma = usize::from(cursor.peek_punct(','));
        let is_value = match cursor.peek_at(comma) {
            // `"c" = "x", "d" = "y"` is another entry.
            Some(TokenTree::Literal(_)) => !cursor.is_punct_at(comma + 1, '=') && !cursor.is_punct_at(comma + 1, ':'),
            Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Bracket,
            _ => false,
        };
        if !is_value {
            break;
        }
        further.extend((0..=comma).filter_map(|_| cursor.next()).skip(comma));
    }
    let Some(first) = further.clone().into_iter().next() else {
        return Some(values);
    };
    if let TokenTree::Literal(literal) = &first
        && let Some(join) = value::string(literal).filter(|text| matches!(text.as_str(), "any" | "all"))
    {
        errors.report(
            literal,
            format!("`{literal}` is a word, not a name"),
            format!("write `{join}` without quotes, behind a comma"),
        );
        return None;
    }
    let mut list: Vec<_> = values.iter().map(|value| value.literal.to_string()).collect();
    literals(further, &mut list);
    errors.report(
        first,
        format!("several values of `{word}` stand in a list"),
        format!("write {}", example(&format!("[{}]", list.join(", ")))),
    );
    None
}

/// All literals as strings, at any depth.
fn literals(tokens: TokenStream, into: &mut Vec<String>) {
    for tree in tokens {
        match tree {
            TokenTree::Literal(literal) if value::string(&literal).is_some() => into.push(literal.to_string()),
            TokenTree::Literal(literal) => into.push(value::quoted(&literal.to_string())),
            TokenTree::Group(group) => literals(group.stream(), into),
            _ => {}
        }
    }
}

fn written(literals: impl Iterator<Item = Literal>) -> String {
    let literals: Vec<_> = literals.map(|literal| literal.to_string()).collect();
    literals.join(", ")
}

/// `"a" | "b"` is not written here.
pub(super) fn operators(
    values: Vec<Name>,
    cursor: &mut Cursor,
    errors: &mut Errors,
    example: impl Fn(&str) -> String,
) -> Option<Vec<Name>> {
    let Some(join) = cursor.operator() else {
        return Some(values);
    };
    let at = cursor.eat_operator();
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
    let literals = values.into_iter().map(|value| value.literal);
    if entry.is_empty() {
        errors.report(
            &at,
            format!("nothing stands behind `{}`", text(&at)),
            format!(
                "remove it, or write a list, {}, and `{join}` at the end",
                example(&format!("[{}, \"…\"]", written(literals)))
            ),
        );
        return None;
    }
    let list = written(literals.chain(value::strings(&entry)));
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
