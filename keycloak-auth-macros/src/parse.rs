//! From tokens to [`Entry`]s. Each mistake is reported where it stands, and reading goes on behind the next comma.

mod cursor;
mod expression;
mod list;
mod operand;
mod value;

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::ToTokens;

use crate::{
    ast::{Arguments, Entry, Join, List, ListKind},
    errors::Errors,
    suggest,
};

use cursor::Cursor;
pub(crate) use cursor::text;

/// The words of the simple form.
const SIMPLE: &[&str] = &["roles", "realm_roles", "client_roles", "groups", "scopes"];

/// The words that take parentheses.
const CALLS: &[&str] = &[
    "role",
    "realm_role",
    "client_role",
    "group",
    "group_tree",
    "scope",
    "claim",
    "acr",
    "max_age",
    "owner",
    "not",
];

/// The words that stand alone.
const BARE: &[&str] = &["public", "authenticated", "any", "all"];

pub(crate) fn arguments(tokens: TokenStream, errors: &mut Errors) -> Arguments {
    let mut crate_path = None;
    let entries = Cursor::new(tokens)
        .separated(errors, |cursor, errors| {
            if is_crate_path(cursor) {
                let word = cursor.next();
                let path = read_crate_path(&word, cursor, errors)?;
                if crate_path.replace(path).is_some() {
                    errors.report(word, "`crate` is given twice", "remove one of the two");
                }
                return Some(None);
            }
            entry(cursor, errors).map(Some)
        })
        .into_iter()
        .flatten()
        .collect();
    Arguments { entries, crate_path }
}

fn is_crate_path(cursor: &Cursor) -> bool {
    matches!(cursor.peek(), Some(TokenTree::Ident(word)) if word == "crate") && !cursor.is_path_separator_at(1)
}

fn read_crate_path(word: &Option<TokenTree>, cursor: &mut Cursor, errors: &mut Errors) -> Option<TokenStream> {
    let help = "write the path without quotes: `crate = renamed_keycloak_auth`";
    if cursor.eat_punct('=').is_some()
        && let Some(path) = cursor.eat_path()
    {
        return Some(path);
    }
    let found = cursor.eat_entry();
    let at = if found.is_empty() {
        word.to_token_stream()
    } else {
        found
    };
    errors.report(at, "`crate` takes the path of the runtime crate", help);
    None
}

fn entry(cursor: &mut Cursor, errors: &mut Errors) -> Option<Entry> {
    if cursor.is_path_separator_at(0) || cursor.is_path_separator_at(1) {
        return expression::requirement(cursor, errors).map(Entry::Expression);
    }
    let Some(word) = cursor.eat_ident() else {
        not_a_word(cursor, errors);
        return None;
    };
    let text = word.to_string();
    let followed_by_parentheses =
        matches!(cursor.peek(), Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis);
    match text.as_str() {
        "public" => bare(word, cursor, errors).map(Entry::Public),
        "authenticated" => bare(word, cursor, errors).map(Entry::Authenticated),
        "any" | "all" if !followed_by_parentheses => {
            let join = if text == "any" { Join::Any } else { Join::All };
            bare(word, cursor, errors).map(|word| Entry::Join(word, join))
        }
        "roles" => list(word, ListKind::Roles, cursor, errors),
        "realm_roles" => list(word, ListKind::RealmRoles, cursor, errors),
        "groups" => list(word, ListKind::Groups, cursor, errors),
        "scopes" => list(word, ListKind::Scopes, cursor, errors),
        "client_roles" => list::client_roles(word, cursor, errors).map(Entry::List),
        _ => expression::after_word(word, cursor, errors).map(Entry::Expression),
    }
}

fn list(word: Ident, kind: ListKind, cursor: &mut Cursor, errors: &mut Errors) -> Option<Entry> {
    let values = list::values(&word, cursor, errors)?;
    Some(Entry::List(List { word, kind, values }))
}

/// `word`, with nothing behind it.
fn bare(word: Ident, cursor: &mut Cursor, errors: &mut Errors) -> Option<Ident> {
    let takes_a_value =
        cursor.peek_punct('=') || cursor.peek_punct(':') || matches!(cursor.peek(), Some(TokenTree::Group(_)));
    if takes_a_value {
        let rest = cursor.eat_entry();
        errors.report(
            rest,
            format!("`{word}` takes no value"),
            format!("write `{word}` alone"),
        );
        return None;
    }
    Some(word)
}

fn not_a_word(cursor: &mut Cursor, errors: &mut Errors) {
    let found = cursor.eat_entry();
    let shown = text(&found);
    let Some(first) = found.clone().into_iter().next() else {
        return;
    };
    match &first {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => {
            values_without_word(found, &shown, &group.to_string(), errors);
        }
        TokenTree::Literal(literal) => {
            let value = match value::string(literal) {
                Some(_) => shown.clone(),
                None => format!("{shown:?}"),
            };
            values_without_word(found, &shown, &value, errors);
        }
        TokenTree::Punct(punct) if punct.as_char() == '!' => errors.report(
            punct,
            "expected a word, found `!`",
            "write `not(…)` to turn a requirement around",
        ),
        _ => errors.report(
            first,
            format!("expected a word, found `{shown}`"),
            format!("known words: {}", known()),
        ),
    }
}

fn values_without_word(found: TokenStream, shown: &str, value: &str, errors: &mut Errors) {
    errors.report(
        found,
        format!("`{shown}` does not say what it is"),
        format!("name its kind: `roles = {value}`, `groups = {value}` or `scopes = {value}`"),
    );
}

/// Reports a word that is none of ours. What stands behind it tells which words can be meant.
fn unknown(word: &Ident, cursor: &mut Cursor, errors: &mut Errors) {
    let candidates = match cursor.peek() {
        Some(TokenTree::Punct(punct)) if matches!(punct.as_char(), '=' | ':') => SIMPLE.to_vec(),
        Some(TokenTree::Group(_)) => [CALLS, &["client_roles", "any", "all"]].concat(),
        _ => Vec::new(),
    };
    let all = [BARE, SIMPLE, CALLS].concat();
    let mut at: TokenStream = word.clone().into_token_stream();
    while cursor.peek_punct('-') {
        at.extend(cursor.next());
        at.extend(cursor.next());
    }
    let written = text(&at);
    let rest = cursor.eat_entry();
    let near = suggest::of_another_system(&written)
        .or_else(|| suggest::nearest(&written, &candidates))
        .or_else(|| suggest::nearest(&written, &all));
    let help = match near {
        Some("client_roles") => "did you mean `client_roles`, as in `client_roles(\"client\" = \"…\")`?".to_owned(),
        Some(near) if SIMPLE.contains(&near) => {
            format!("did you mean `{near}`, as in `{near} = \"…\"`?")
        }
        Some(near) if BARE.contains(&near) => format!("did you mean `{near}`?"),
        Some(near) => format!("did you mean `{near}`, as in `{}`?", expression::shape(near)),
        None if rest.is_empty() => format!(
            "known words: {}; a policy of your own is a constant such as `ORDERS` or `policies::ORDERS`",
            known()
        ),
        None => format!("known words: {}", known()),
    };
    errors.report(at, format!("unknown word `{written}`"), help);
}

fn known() -> String {
    [BARE, SIMPLE, CALLS]
        .concat()
        .iter()
        .map(|word| format!("`{word}`"))
        .collect::<Vec<_>>()
        .join(", ")
}
