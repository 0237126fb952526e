//! String literals, and what people write in their place.

use proc_macro2::{Delimiter, Literal, TokenStream, TokenTree};
use syn::Lit;

use crate::{ast::Name, errors::Errors};

use super::{
    cursor::{Cursor, text},
    expression,
};

/// Reads `"text"`. `example` shows the whole entry with the value in place, for what stands there instead.
pub(crate) fn name(cursor: &mut Cursor, errors: &mut Errors, example: impl Fn(&str) -> String) -> Option<Name> {
    if let Some(TokenTree::Literal(literal)) = cursor.peek() {
        let literal = literal.clone();
        cursor.next();
        let Some(text) = string(&literal) else {
            not_a_string(&literal, errors, example);
            return None;
        };
        if cursor.peek_punct('.') {
            let call = cursor.eat_entry();
            let message = format!(
                "expected a string literal alone, found `{}` behind it",
                self::text(&call)
            );
            errors.report(call, message, format!("write {}", example(&literal.to_string())));
            return None;
        }
        return Some(Name { text, literal });
    }
    let found = cursor.eat_entry();
    instead(found, errors, example);
    None
}

/// A literal of another kind: `7`, `'a'`, `b"a"`, `"a"suffix`.
fn not_a_string(literal: &Literal, errors: &mut Errors, example: impl Fn(&str) -> String) {
    let written = literal.to_string();
    let help = format!("write {}", example(&quoted(&written)));
    errors.report(literal, format!("expected a string, found `{written}`"), help);
}

/// The literal as a string: `b'a'`, `r#"a"#` and `"a"suffix` are `"a"`.
pub(crate) fn quoted(literal: &str) -> String {
    let inner = match (literal.find(['"', '\'']), literal.rfind(['"', '\''])) {
        (Some(first), Some(last)) if first < last => &literal[first + 1..last],
        _ => literal,
    };
    format!("{inner:?}")
}

/// What is no literal at all.
fn instead(found: TokenStream, errors: &mut Errors, example: impl Fn(&str) -> String) {
    let shown = text(&found);
    let trees: Vec<_> = found.clone().into_iter().collect();
    let literals = strings(&found);
    let (message, help) = match trees.as_slice() {
        [
            TokenTree::Ident(macro_name),
            TokenTree::Punct(bang),
            TokenTree::Group(group),
        ] if bang.as_char() == '!' => (
            format!("expected a string literal, found the macro call `{shown}`"),
            format!(
                "macros are not expanded in a policy; write {}",
                example(&concatenated(&macro_name.to_string(), group.stream()))
            ),
        ),
        [TokenTree::Group(group)] if group.delimiter() == Delimiter::Bracket && literals.len() > 1 => (
            format!("expected one string, found the list `{shown}`"),
            one_by_one(&literals, example),
        ),
        [TokenTree::Punct(minus), TokenTree::Literal(_)] if minus.as_char() == '-' => (
            format!("expected a string, found `{shown}`"),
            format!("write {}", example(&format!("{shown:?}"))),
        ),
        // `&"a"`, `String::from("a")`, `Some("a")`, `["a"]`
        _ if literals.len() == 1 => (
            format!("expected a string literal, found `{shown}`"),
            format!("write {}", example(&literals[0].to_string())),
        ),
        _ if is_constant(&trees) => {
            let constant = trees.last().map(ToString::to_string).unwrap_or_default();
            constant_for_literal(&shown, &constant, trees.len() == 1, example)
        }
        _ if is_unquoted(&trees) => (
            format!("missing quotes around `{shown}`"),
            format!("write {}", example(&format!("{shown:?}"))),
        ),
        _ => (
            format!("expected a string, found `{shown}`"),
            format!("write {}", example("\"…\"")),
        ),
    };
    errors.report(found, message, help);
}

fn constant_for_literal(
    shown: &str,
    constant: &str,
    may_be_a_name: bool,
    example: impl Fn(&str) -> String,
) -> (String, String) {
    let policy = example("\"…\"");
    let policy = match policy.trim_matches('`') {
        policy if policy.starts_with('"') => "role(\"…\")",
        policy => policy,
    };
    let policy_name = if expression::is_constant(constant) {
        constant
    } else {
        "POLICY"
    };
    let quotes = if may_be_a_name {
        format!(
            "write {} if that is the name, and if not: ",
            example(&format!("{shown:?}"))
        )
    } else {
        String::new()
    };
    (
        format!("expected a string literal, found the constant `{shown}`"),
        format!(
            "{quotes}names are literals, checked at compile time; what is shared is a policy: \
             `const {policy_name}: Policy = policy!({policy});`, then `#[keycloak({policy_name})]`"
        ),
    )
}

/// Several names where one is meant: `role(["a", "b"])`, and `[["a", "b"]]`.
fn one_by_one(literals: &[Literal], example: impl Fn(&str) -> String) -> String {
    let each: Vec<_> = literals.iter().map(|literal| example(&literal.to_string())).collect();
    let each: Vec<_> = each.iter().map(|entry| entry.trim_matches('`')).collect();
    let joined = each.join(", ");
    if joined.starts_with('"') {
        format!("write the names side by side: `{joined}`")
    } else {
        format!("write `any({joined})`, or `all(…)` where every one is needed")
    }
}

/// The text of `concat!("a", "b")`; `"…"` for other macros.
fn concatenated(macro_name: &str, inner: TokenStream) -> String {
    let literals = strings(&inner);
    let parts = inner.into_iter();
    let only_literals = parts.clone().all(|tree| match tree {
        TokenTree::Literal(_) => true,
        TokenTree::Punct(punct) => punct.as_char() == ',',
        _ => false,
    });
    let count = parts.filter(|tree| matches!(tree, TokenTree::Literal(_))).count();
    if macro_name != "concat" || !only_literals || count != literals.len() {
        return "\"…\"".to_owned();
    }
    let text: String = literals.iter().filter_map(string).collect();
    format!("{text:?}")
}

/// The string literals in the tokens, at any depth.
pub(crate) fn strings(tokens: &TokenStream) -> Vec<Literal> {
    let mut found = Vec::new();
    for tree in tokens.clone() {
        match tree {
            TokenTree::Literal(literal) => found.extend(string(&literal).map(|_| literal)),
            TokenTree::Group(group) => found.extend(strings(&group.stream())),
            _ => {}
        }
    }
    found
}

/// `ROLE`, `names::ROLE`, `names::role`.
fn is_constant(trees: &[TokenTree]) -> bool {
    let is_path = trees.iter().all(|tree| match tree {
        TokenTree::Ident(_) => true,
        TokenTree::Punct(punct) => punct.as_char() == ':',
        _ => false,
    });
    match trees {
        [TokenTree::Ident(word)] => expression::is_constant(&word.to_string()),
        [
            ..,
            TokenTree::Punct(first),
            TokenTree::Punct(second),
            TokenTree::Ident(_),
        ] => is_path && first.as_char() == ':' && second.as_char() == ':',
        _ => false,
    }
}

/// Whether the tokens are a name that lacks its quotes: `admin`, `order-admin`, `/ops`.
fn is_unquoted(trees: &[TokenTree]) -> bool {
    let only_names = trees.iter().all(|tree| match tree {
        TokenTree::Ident(_) => true,
        TokenTree::Punct(punct) => matches!(punct.as_char(), '-' | '/' | ':' | '.'),
        _ => false,
    });
    only_names && trees.iter().any(|tree| matches!(tree, TokenTree::Ident(_)))
}

/// The value of a string literal without suffix, raw strings included.
pub(crate) fn string(literal: &Literal) -> Option<String> {
    match Lit::new(literal.clone()) {
        Lit::Str(string) if string.suffix().is_empty() => Some(string.value()),
        _ => None,
    }
}
