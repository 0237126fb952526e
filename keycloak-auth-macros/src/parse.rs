//! From tokens to [`Entry`]s. Each mistake is reported where it stands, and reading goes on behind the next comma.

mod between;
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
    let path = found_string(&at)
        .filter(|path| syn::parse_str::<syn::Path>(path).is_ok())
        .unwrap_or_else(|| "renamed_keycloak_auth".to_owned());
    errors.report(
        at,
        "`crate` takes the path of the runtime crate",
        format!("write the path without quotes: `crate = {path}`"),
    );
    None
}

fn found_string(tokens: &TokenStream) -> Option<String> {
    match tokens.clone().into_iter().next()? {
        TokenTree::Literal(literal) => value::string(&literal),
        _ => None,
    }
}

/// Whether an entry can begin with the word.
fn is_known(word: &Ident) -> bool {
    let written = word.to_string();
    let is_one = |words: &[&str]| words.contains(&written.as_str());
    is_one(BARE) || is_one(SIMPLE) || is_one(CALLS) || written == "crate" || expression::is_constant(&written)
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
        "any" | "all" if !followed_by_parentheses && opens_expression(cursor) => {
            join_without_parentheses(&word, cursor, errors);
            None
        }
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

/// Whether `any` or `all` is followed by what it is to join: `any role("a"), role("b")`, `any[…]`.
fn opens_expression(cursor: &Cursor) -> bool {
    match cursor.peek() {
        Some(TokenTree::Group(_)) => true,
        Some(TokenTree::Ident(word)) => is_known(word),
        _ => false,
    }
}

fn join_without_parentheses(word: &Ident, cursor: &mut Cursor, errors: &mut Errors) {
    if let Some(TokenTree::Group(group)) = cursor.peek() {
        let group = group.clone();
        cursor.eat_entry();
        errors.report(
            &group,
            format!("`{word}` takes its requirements in parentheses"),
            format!("write `{word}({})`", group.stream()),
        );
        return;
    }
    let rest: TokenStream = std::iter::from_fn(|| cursor.next()).collect();
    let is_list = matches!(rest.clone().into_iter().next(), Some(TokenTree::Ident(first))
        if SIMPLE.contains(&first.to_string().as_str()));
    if is_list {
        errors.report(word, format!("`{word}` stands last"), format!("write `{rest}, {word}`"));
    } else {
        errors.report(
            word,
            format!("`{word}` takes its requirements in parentheses"),
            format!("write `{word}({rest})`"),
        );
    }
}

fn list(word: Ident, kind: ListKind, cursor: &mut Cursor, errors: &mut Errors) -> Option<Entry> {
    let (values, in_brackets) = list::values(&word, cursor, errors)?;
    Some(Entry::List(List {
        word,
        kind,
        values,
        in_brackets,
    }))
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
    let is_closure = cursor.peek_punct('|') && !cursor.is_punct_at(1, '|');
    if let Some(join) = cursor.operator().filter(|_| !is_closure) {
        cursor.joined(join, errors);
        return;
    }
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
        TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis && !group.stream().is_empty() => {
            errors.report(
                group,
                "parentheses without a word",
                format!("write `{}` without them, or `any(…)` or `all(…)`", group.stream()),
            );
        }
        TokenTree::Punct(punct) if punct.as_char() == '!' => {
            let rest: TokenStream = found.into_iter().skip(1).collect();
            let rest = if rest.is_empty() {
                "…".to_owned()
            } else {
                rest.to_string()
            };
            errors.report(punct, "expected a word, found `!`", format!("write `not({rest})`"));
        }
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
        // `admin`, where `roles = "admin"` is meant.
        None if rest.is_empty() => format!(
            "write `role({written:?})`, `group({written:?})` or `scope({written:?})` if it is a name; a policy of your \
             own is a constant such as `ORDERS` or `policies::ORDERS`",
        ),
        None if is_join(&rest) => "write `any` or `all` alone, at the end".to_owned(),
        None => format!("known words: {}", known()),
    };
    errors.report(at, format!("unknown word `{written}`"), help);
}

/// `= any` and `= "all"`, behind a word such as `mode`.
fn is_join(rest: &TokenStream) -> bool {
    matches!(text(rest).trim_matches(['=', ':', '"']), "any" | "all")
}

fn known() -> String {
    [BARE, SIMPLE, CALLS]
        .concat()
        .iter()
        .map(|word| format!("`{word}`"))
        .collect::<Vec<_>>()
        .join(", ")
}
