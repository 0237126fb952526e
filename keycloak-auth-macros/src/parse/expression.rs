//! Expressions: `all(…)`, `any(…)`, `not(…)`, the words that take one value, and constants.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Lit;

use crate::{
    ast::{ClaimValue, Kind, Name, Requirement},
    errors::Errors,
};

use super::{
    CALLS, SIMPLE,
    cursor::{Cursor, text},
    list, unknown, value,
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
    if cursor.at_separator() && written == written.to_uppercase() {
        let at = word.to_token_stream();
        return Some(Requirement {
            kind: Kind::Named(at.clone()),
            at,
        });
    }
    unknown(&word, cursor, errors);
    None
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
    Some(Requirement {
        at: path.clone(),
        kind: Kind::Named(path),
    })
}

fn without_parentheses(word: &Ident, written: &str, cursor: &mut Cursor, errors: &mut Errors) {
    let rest = cursor.eat_entry();
    let plural = format!("{written}s");
    let value = rest
        .into_iter()
        .find(|tree| matches!(tree, TokenTree::Literal(_) | TokenTree::Group(_)))
        .map_or("\"…\"".to_owned(), |tree| tree.to_string());
    let help = match written {
        "client_role" => "write `client_roles(\"client\" = \"…\")` or `client_role(\"client\", \"…\")`".to_owned(),
        _ if SIMPLE.contains(&plural.as_str()) && value.starts_with('[') => {
            format!("did you mean `{plural}`? write `{plural} = {value}`")
        }
        _ if SIMPLE.contains(&plural.as_str()) => {
            format!("did you mean `{plural}`? write `{plural} = {value}` or `{written}({value})`")
        }
        _ => format!("write `{}`", shape(written)),
    };
    errors.report(word, format!("`{written}` takes its value in parentheses"), help);
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
        "claim" => claim(&word, &mut inner, errors)?,
        "owner" => owner(&word, &mut inner, errors)?,
        "max_age" => max_age(&mut inner, errors)?,
        "client_role" => client_role(&mut inner, errors)?,
        _ => single(written, &mut inner, errors)?,
    };
    finish(written, &mut inner, errors)?;
    Some(Requirement { at, kind })
}

fn single(written: &str, inner: &mut Cursor, errors: &mut Errors) -> Option<Kind> {
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

fn client_role(inner: &mut Cursor, errors: &mut Errors) -> Option<Kind> {
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

fn claim(word: &Ident, inner: &mut Cursor, errors: &mut Errors) -> Option<Kind> {
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

fn owner(word: &Ident, inner: &mut Cursor, errors: &mut Errors) -> Option<Kind> {
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

fn max_age(inner: &mut Cursor, errors: &mut Errors) -> Option<Kind> {
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
