//! What stands in the parentheses of `role(…)`, `claim(…)`, `owner(…)` and the like.

use proc_macro2::{Ident, TokenTree};
use quote::ToTokens;
use syn::Lit;

use crate::{
    ast::{ClaimValue, Kind, Name},
    errors::Errors,
};

use super::{
    cursor::{Cursor, text},
    list, value,
};

pub(super) fn single(written: &str, inner: &mut Cursor, errors: &mut Errors) -> Option<Kind> {
    let name = value::name(inner, errors, |value| format!("`{written}({value})`"))?;
    Some(match written {
        "role" => Kind::Role(name),
        "realm_role" => Kind::RealmRole(name),
        "group" => Kind::Group(name),
        "group_tree" => Kind::GroupTree(name),
        "scope" => Kind::Scope(name),
        _ => Kind::Acr(name),
    })
}

pub(super) fn client_role(inner: &mut Cursor, errors: &mut Errors) -> Option<Kind> {
    let client = value::name(inner, errors, |value| format!("`client_role({value}, \"…\")`"))?;
    let shown = client.literal.to_string();
    if inner.at_end() || inner.eat_punct(',').is_none() || inner.at_end() {
        errors.report(
            &client.literal,
            format!("`client_role` does not say which role of `{}`", client.text),
            format!("write `client_role({shown}, \"…\")`"),
        );
        return None;
    }
    let role = value::name(inner, errors, |value| format!("`client_role({shown}, {value})`"))?;
    Some(Kind::ClientRole { client, role })
}

pub(super) fn claim(word: &Ident, inner: &mut Cursor, errors: &mut Errors) -> Option<Kind> {
    let path = list::left_side(inner, errors, |path| format!("`claim({path} = …)`"))?;
    let shown = path.literal.to_string();
    let example = |value: &str| format!("`claim({shown} = {value})`");
    list::equals(word, inner, errors, example)?;
    let value = claim_value(word, inner, errors, example)?;
    Some(Kind::Claim { path, value })
}

fn claim_value(
    word: &Ident,
    inner: &mut Cursor,
    errors: &mut Errors,
    example: impl Fn(&str) -> String,
) -> Option<ClaimValue> {
    if inner.at_end() {
        errors.report(word, "`claim` needs a value", format!("write {}", example("\"…\"")));
        return None;
    }
    if let Some(TokenTree::Ident(ident)) = inner.peek()
        && (ident == "true" || ident == "false")
    {
        let boolean = ident == "true";
        inner.next();
        return Some(ClaimValue::Boolean(boolean));
    }
    let minus = inner.eat_punct('-');
    if let Some(TokenTree::Literal(literal)) = inner.peek() {
        let literal = literal.clone();
        match Lit::new(literal.clone()) {
            Lit::Int(integer) if integer.suffix().is_empty() => {
                inner.next();
                let sign = if minus.is_some() { "-" } else { "" };
                if let Ok(number) = format!("{sign}{}", integer.base10_digits()).parse() {
                    return Some(ClaimValue::Integer(number));
                }
                errors.report(
                    literal,
                    format!("`{integer}` does not fit in 64 bits"),
                    "compare with a smaller integer, or with a string",
                );
                return None;
            }
            Lit::Str(_) if minus.is_none() => {}
            other => {
                inner.next();
                let shown = other.to_token_stream().to_string();
                errors.report(
                    other,
                    format!("a claim cannot be compared with `{shown}`"),
                    "compare with a string, an integer, `true` or `false`",
                );
                return None;
            }
        }
    }
    value::name(inner, errors, example).map(ClaimValue::String)
}

pub(super) fn owner(word: &Ident, inner: &mut Cursor, errors: &mut Errors) -> Option<Kind> {
    let parameter = list::left_side(inner, errors, |value| format!("`owner({value})`"))?;
    let shown = parameter.literal.to_string();
    if inner.at_end() || inner.peek_punct(',') {
        let claim = Name {
            text: "sub".to_owned(),
            literal: parameter.literal.clone(),
        };
        return Some(Kind::Owner { parameter, claim });
    }
    let example = |value: &str| format!("`owner({shown} = {value})`");
    list::equals(word, inner, errors, example)?;
    let claim = value::name(inner, errors, example)?;
    Some(Kind::Owner { parameter, claim })
}

pub(super) fn max_age(inner: &mut Cursor, errors: &mut Errors) -> Option<Kind> {
    let seconds = inner
        .eat_literal()
        .and_then(|literal| match Lit::new(literal) {
            Lit::Int(integer) if integer.suffix().is_empty() => integer.base10_parse::<u64>().ok(),
            _ => None,
        })
        .filter(|seconds| *seconds > 0);
    if seconds.is_none() {
        let group = inner.all();
        errors.report(
            &group,
            format!("`max_age` takes a number of seconds, found `{}`", text(&group)),
            "write `max_age(300)` for a login at most five minutes ago",
        );
    }
    seconds.map(Kind::MaxAge)
}
