//! What stands in the parentheses of `role(…)`, `claim(…)`, `owner(…)` and the like.

use proc_macro2::{Delimiter, Ident, Literal, TokenStream, TokenTree};
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
    if inner.peek_punct('=') || matches!(inner.peek(), Some(TokenTree::Literal(_))) {
        let is_sign = inner.peek_punct('=');
        let found = inner.peek().cloned();
        let role = inner
            .peek_at(usize::from(is_sign))
            .map_or("\"…\"".to_owned(), ToString::to_string);
        let shown_found = found.to_token_stream();
        errors.report(
            found,
            format!("expected `,`, found `{}`", text(&shown_found)),
            format!("write `client_role({shown}, {role})`"),
        );
        return None;
    }
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
    if let Some(TokenTree::Ident(ident)) = inner.peek() {
        let ident = ident.clone();
        let word = ident.to_string();
        match word.as_str() {
            "true" | "false" => {
                inner.next();
                return Some(ClaimValue::Boolean(word == "true"));
            }
            "True" | "False" | "TRUE" | "FALSE" => {
                errors.report(
                    ident,
                    format!("expected `true` or `false`, found `{word}`"),
                    format!("write {}", example(&word.to_lowercase())),
                );
                return None;
            }
            "null" | "None" | "nil" | "undefined" => {
                errors.report(
                    ident,
                    format!("a claim cannot be compared with `{word}`"),
                    "a claim that is missing or `null` meets no comparison; name the values that are good",
                );
                return None;
            }
            _ => {}
        }
    }
    if let Some(TokenTree::Group(group)) = inner.peek()
        && group.delimiter() == Delimiter::Bracket
    {
        let group = group.clone();
        let values = Cursor::new(group.stream()).all().into_iter();
        let each: Vec<_> = values
            .filter(|tree| matches!(tree, TokenTree::Literal(_)))
            .map(|value| example(&value.to_string()).trim_matches('`').to_owned())
            .collect();
        let help = if each.len() > 1 {
            format!(
                "write `any({})`, or `all(…)` where the claim is an array that has every one",
                each.join(", ")
            )
        } else {
            "compare with one value; in a claim that is an array it is looked for among the elements".to_owned()
        };
        errors.report(group, "`claim` compares with one value", help);
        return None;
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
                let help = match &other {
                    Lit::Float(_) => "compare with a string, an integer, `true` or `false`".to_owned(),
                    Lit::Int(integer) => {
                        let sign = if minus.is_some() { "-" } else { "" };
                        format!("write {}", example(&format!("{sign}{}", integer.base10_digits())))
                    }
                    _ => format!("write {}", example(&value::quoted(&shown))),
                };
                errors.report(other, format!("a claim cannot be compared with `{shown}`"), help);
                return None;
            }
        }
    }
    value::name(inner, errors, example).map(ClaimValue::String)
}

pub(super) fn owner(word: &Ident, inner: &mut Cursor, errors: &mut Errors) -> Option<Kind> {
    let parameter = list::left_side(inner, errors, |value| format!("`owner({value})`"))?;
    let shown = parameter.literal.to_string();
    if let Some(TokenTree::Literal(second)) = inner.peek_at(1)
        && inner.peek_punct(',')
    {
        let second = second.clone();
        errors.report(
            &second,
            "`owner` takes one path parameter",
            format!(
                "write `owner({shown} = {second})` if `{second}` is the claim it is compared with, \
                 `any(owner({shown}), owner({second}))` if it is another parameter"
            ),
        );
        return None;
    }
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
    let group = inner.all();
    while inner.next().is_some() {}
    let seconds = match group.clone().into_iter().collect::<Vec<_>>().as_slice() {
        [TokenTree::Literal(literal)] => plain_integer(literal),
        [TokenTree::Literal(literal), TokenTree::Punct(comma)] if comma.as_char() == ',' => plain_integer(literal),
        _ => None,
    };
    match seconds {
        Some(0) => errors.report(
            &group,
            "no login is `0` seconds old",
            "write `max_age(1)`, or more for a caller who needs a second to get here",
        ),
        Some(seconds) => return Some(Kind::MaxAge(seconds)),
        None => {
            let help = match meant_seconds(&group) {
                Some(seconds) => format!("write `max_age({seconds})`"),
                None => "write `max_age(300)` for a login at most five minutes ago".to_owned(),
            };
            errors.report(
                &group,
                format!("`max_age` takes a number of seconds, found `{}`", text(&group)),
                help,
            );
        }
    }
    None
}

fn plain_integer(literal: &Literal) -> Option<u64> {
    match Lit::new(literal.clone()) {
        Lit::Int(integer) if integer.suffix().is_empty() => integer.base10_parse().ok(),
        _ => None,
    }
}

/// The seconds in `"300"`, `300s`, `5m`, `300u64` and `5 * 60`.
fn meant_seconds(tokens: &TokenStream) -> Option<u64> {
    let mut product = 1_u64;
    for (position, tree) in tokens.clone().into_iter().enumerate() {
        match tree {
            TokenTree::Literal(literal) if position % 2 == 0 => {
                let (digits, unit) = match Lit::new(literal) {
                    Lit::Int(integer) => (integer.base10_digits().to_owned(), integer.suffix().to_owned()),
                    Lit::Str(string) => (string.value(), String::new()),
                    _ => return None,
                };
                let factor = match unit.as_str() {
                    "m" | "min" => 60,
                    "h" => 3600,
                    "d" => 86400,
                    "" | "s" | "sec" | "u8" | "u16" | "u32" | "u64" | "usize" | "i32" | "i64" => 1,
                    _ => return None,
                };
                product = product.checked_mul(digits.parse().ok()?)?.checked_mul(factor)?;
            }
            TokenTree::Punct(punct) if position % 2 == 1 && punct.as_char() == '*' => {}
            _ => return None,
        }
    }
    (product > 0).then_some(product)
}
