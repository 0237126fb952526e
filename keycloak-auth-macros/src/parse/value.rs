//! String literals, and what people write in their place.

use proc_macro2::{Literal, TokenStream, TokenTree};
use syn::Lit;

use crate::{ast::Name, errors::Errors};

use super::cursor::{Cursor, text};

/// Reads `"text"`. `example` shows the whole entry with the value in place, for what stands there instead.
pub(crate) fn name(cursor: &mut Cursor, errors: &mut Errors, example: impl Fn(&str) -> String) -> Option<Name> {
    if let Some(TokenTree::Literal(literal)) = cursor.peek() {
        let literal = literal.clone();
        cursor.next();
        if let Some(text) = string(&literal) {
            return Some(Name { text, literal });
        }
        let written = literal.to_string();
        let inner = written
            .trim_start_matches(|letter: char| letter.is_ascii_alphabetic())
            .trim_matches(['"', '\'', '#']);
        let help = format!("write {}", example(&format!("{inner:?}")));
        errors.report(literal, format!("expected a string, found `{written}`"), help);
        return None;
    }
    let is_path = cursor.is_path_separator_at(1);
    let found = cursor.eat_entry();
    let shown = text(&found);
    if is_path {
        errors.report(
            found,
            format!("expected a string literal, found the path `{shown}`"),
            "names are literals, so that they can be checked at compile time; share a whole policy by a constant: `const POLICY: Policy = policy!(…);`",
        );
    } else if is_unquoted(&found) {
        errors.report(
            found,
            format!("missing quotes around `{shown}`"),
            format!("write {}", example(&format!("{shown:?}"))),
        );
    } else {
        errors.report(
            found,
            format!("expected a string, found `{shown}`"),
            format!("write {}", example("\"…\"")),
        );
    }
    None
}

/// Whether the tokens are a name that lacks its quotes: `admin`, `order-admin`, `/ops`.
fn is_unquoted(tokens: &TokenStream) -> bool {
    let mut trees = tokens.clone().into_iter();
    let only_names = trees.clone().all(|tree| match tree {
        TokenTree::Ident(_) => true,
        TokenTree::Punct(punct) => matches!(punct.as_char(), '-' | '/' | ':' | '.'),
        _ => false,
    });
    only_names && trees.any(|tree| matches!(tree, TokenTree::Ident(_)))
}

/// The value of a string literal without suffix, raw strings included.
pub(crate) fn string(literal: &Literal) -> Option<String> {
    match Lit::new(literal.clone()) {
        Lit::Str(string) if string.suffix().is_empty() => Some(string.value()),
        _ => None,
    }
}
