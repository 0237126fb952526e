//! An access token that somebody wonders about.

use super::{Finding, run::FAILED_ABOVE};
use crate::{
    AuthError, InvalidToken, Keycloak, KeycloakUser,
    text::{chain, code_list, shortened},
};

/// More names of a kind than this are not shown.
const MOST: usize = 20;

/// Judges a token as for a request. That it cannot be judged is a failure of its own only if no check has failed before.
pub(super) async fn check(keycloak: &Keycloak, token: &str, has_cause: bool) -> Finding {
    if token.starts_with(['{', '"', '\'']) || token == "null" {
        return Finding::failed(
            "it is JSON or in quotes",
            "give what stands in `access_token` of the answer, without quotes (`jq -r .access_token`); where that is `null`, the \
             answer says why",
        );
    }
    if token.contains(char::is_whitespace) {
        return Finding::failed(
            "there is white space in it",
            "give the token alone, without `Bearer` and without line breaks",
        );
    }
    let judged = keycloak.authenticator().ask_unnoted(token).await;
    match judged.map(KeycloakUser::new) {
        Ok(user) => accepted(&user).with_details(seen(&user)),
        Err(AuthError::InvalidToken(invalid)) => {
            let why = why(invalid, keycloak, token);
            Finding::failed(format!("it is not accepted: {why}"), advice(invalid, keycloak))
        }
        Err(_) if has_cause => Finding::skipped(format!("it cannot be judged: {FAILED_ABOVE}")),
        Err(error) => Finding::failed(chain(&error), "see the checks above"),
    }
}

fn accepted(user: &KeycloakUser) -> Finding {
    let name = user.username().or(user.subject());
    let whose = name.map(|name| format!(", as that of `{}`", shortened(name)));
    let accepted = format!("it is accepted{}", whose.unwrap_or_default());
    if !user.is_incomplete() {
        return Finding::ok(accepted);
    }
    Finding::warning(
        format!(
            "{accepted}, and is a lightweight token, which leaves out roles, groups and more: policies do not see them"
        ),
        "have Keycloak asked for them by `.introspection(Introspection::WhenLightweight)`, or switch lightweight access tokens off \
         for the client that logs in",
    )
}

/// What policies see of the caller: names only.
fn seen(user: &KeycloakUser) -> Vec<String> {
    let one = |name: Option<&str>| name.map_or("none".to_owned(), |name| code_list([name]));
    let mut seen = vec![
        format!("client {}, issuer {}", one(user.authorized_party()), one(user.issuer())),
        format!("realm roles: {}", some_of(user.realm_roles())),
    ];
    let clients = user.clients().take(MOST);
    seen.extend(clients.map(|(client, roles)| format!("roles of `{}`: {}", shortened(client), some_of(roles))));
    seen.push(format!("groups: {}", some_of(user.groups())));
    seen.push(format!("scopes: {}", some_of(user.scopes())));
    seen
}

fn some_of<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<&str> = names.collect();
    let (shown, left_out) = names.split_at(names.len().min(MOST));
    match (shown, left_out) {
        ([], _) => "none".to_owned(),
        (_, []) => code_list(shown.iter().copied()),
        _ => format!("{} and {} more", code_list(shown.iter().copied()), left_out.len()),
    }
}

/// What is the matter with the token, with what stands there and what should where that is a matter of values.
pub(super) fn why(invalid: InvalidToken, keycloak: &Keycloak, token: &str) -> String {
    match keycloak.authenticator().validator().mismatch(token, invalid) {
        Some(values) => format!("{invalid}: {values}"),
        None => invalid.to_string(),
    }
}

pub(super) fn advice(invalid: InvalidToken, keycloak: &Keycloak) -> String {
    let audiences = &keycloak.authenticator().validator().expectations().audiences;
    let audiences = code_list(audiences.iter().flatten().map(String::as_str));
    match invalid {
        InvalidToken::MissingClaim("aud") | InvalidToken::Claim("aud") => format!(
            "give the client that logs in an audience mapper for {audiences}, or correct `.audience(…)`"
        ),
        InvalidToken::Claim("iss") | InvalidToken::MissingClaim("iss") => {
            "take a token of this realm, or name the issuer that it has by `.issuer(…)`, and so each other one that tokens \
             carry: the first one takes the place of the default"
                .to_owned()
        }
        InvalidToken::Claim("azp") | InvalidToken::MissingClaim("azp") => {
            "add the client that got the token by `.authorized_party(…)`".to_owned()
        }
        InvalidToken::Expired => "take a fresh token; the check `clock` says whether the clocks agree".to_owned(),
        InvalidToken::NotYetValid => "set both clocks by NTP".to_owned(),
        InvalidToken::Algorithm => {
            "send the access token, not the refresh token; if it is one, set `.algorithms(…)` to what the realm signs with"
                .to_owned()
        }
        InvalidToken::UnknownKey => {
            "take a token of this realm and server; its key may be gone by a rotation".to_owned()
        }
        InvalidToken::TokenType => "send the access token, not the ID token or the refresh token".to_owned(),
        InvalidToken::SenderConstrained => {
            "take a token that is not bound: switch DPoP and mTLS binding off for the client".to_owned()
        }
        InvalidToken::IssuedBeforeNotBefore => {
            "take a fresh token: those from before the not-before that `set_not_before` was given are void".to_owned()
        }
        InvalidToken::Inactive => format!(
            "take a fresh token, if the session was ended or the token revoked; if it is fresh, give the client that logs in an \
             audience mapper for `{}`: Keycloak calls tokens active only towards clients in their audience",
            keycloak.client_id()
        ),
        InvalidToken::Malformed(_)
        | InvalidToken::HeaderParameter(_)
        | InvalidToken::Signature
        | InvalidToken::MissingClaim(_)
        | InvalidToken::Claim(_)
        | InvalidToken::CustomClaims => "take a token as Keycloak sent it, whole and unchanged".to_owned(),
    }
}
