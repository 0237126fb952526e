//! The realm: its documents, its clock, this service's client, and a token.

use std::time::Duration;

use http::StatusCode;
use serde::Deserialize;

use super::Finding;
use crate::{
    AuthError, Introspection, InvalidToken, Keycloak, KeycloakUser,
    client_authentication::ClientCredentials,
    jose::KeySet,
    provider::{Endpoint, HttpAnswer, ProviderMetadata, Request},
    text::{chain, code_list, shortened},
};

/// How Keycloak says that a realm is disabled.
const DISABLED: &str = "Realm not enabled";

/// A difference between clocks that nobody notices.
const CLOSE: Duration = Duration::from_secs(5);

/// Reads the answer for the discovery document.
pub(super) async fn discovery(keycloak: &Keycloak, answer: HttpAnswer) -> (Finding, Option<ProviderMetadata>) {
    let metadata = keycloak.parts().provider.metadata();
    if answer.status != StatusCode::OK {
        return (no_discovery(keycloak, &answer).await, None);
    }
    match metadata.read(&answer.body) {
        Ok(read) => match metadata.check_endpoints(&read) {
            Ok(()) if is_disabled(keycloak).await => (disabled(keycloak), Some(read)),
            Ok(()) => (Finding::ok(issuers(keycloak, &read)), Some(read)),
            Err(error) => (
                Finding::failed(
                    chain(&error),
                    "check `KC_HOSTNAME` and the proxy settings of Keycloak: its endpoints are made from them",
                ),
                None,
            ),
        },
        Err(error) => (
            Finding::failed(
                chain(&error),
                "add what the document names by `.issuer(…)`, or correct `.server_url(…)` or `KC_HOSTNAME` of Keycloak",
            ),
            None,
        ),
    }
}

/// What the document calls the realm, and what tokens have to, where that is something else.
fn issuers(keycloak: &Keycloak, metadata: &ProviderMetadata) -> String {
    let named = shortened(metadata.issuer());
    let expected = &keycloak.authenticator().validator().expectations().issuers;
    if expected.iter().any(|issuer| issuer == metadata.issuer()) {
        return format!("the issuer is `{named}`");
    }
    let expected = code_list(expected.iter().map(String::as_str));
    format!("the issuer is `{named}` when asked there, and tokens have to name {expected}")
}

/// Whether the realm is disabled: it shows its documents all the same, but answers no grant. The request names no grant, so that
/// Keycloak looks at the realm and no further.
async fn is_disabled(keycloak: &Keycloak) -> bool {
    #[derive(Deserialize)]
    struct Failure {
        error_description: String,
    }

    let client = ClientCredentials::Public {
        id: keycloak.client_id(),
    };
    let request = Request::post(Endpoint::Token, client, &[]);
    let Ok(answer) = keycloak.parts().provider.probe(request).await else {
        return false;
    };
    serde_json::from_slice(&answer.body).is_ok_and(|failure: Failure| failure.error_description.starts_with(DISABLED))
}

fn disabled(keycloak: &Keycloak) -> Finding {
    Finding::failed(
        format!("the realm `{}` is disabled", shortened(keycloak.realm())),
        "enable it in Keycloak's realm settings",
    )
}

async fn no_discovery(keycloak: &Keycloak, answer: &HttpAnswer) -> Finding {
    #[derive(Deserialize)]
    struct Failure {
        error: String,
    }

    let realm = keycloak.realm();
    let status = answer.status.as_u16();
    let failure: Option<Failure> = serde_json::from_slice(&answer.body).ok();
    let error = failure.map(|failure| failure.error).unwrap_or_default();
    match status {
        404 if error.starts_with("Realm does not exist") => Finding::failed(
            format!("there is no realm `{}` on this server", shortened(realm)),
            "check `.realm(…)`: names are case-sensitive, and the display name is another",
        ),
        _ if error.starts_with(DISABLED) => disabled(keycloak),
        404 => match other_base_path(keycloak).await {
            Some(server_url) => Finding::failed(
                "Keycloak is there, under another base path",
                format!("set `.server_url(\"{server_url}\")`"),
            ),
            None => Finding::failed(
                "the server answers, but there is no Keycloak at this path (404)",
                "check host, port and base path in `server_url`",
            ),
        },
        300..=399 => Finding::failed(
            format!("the server redirects to another address ({status}), which is not followed"),
            "set the final address as `server_url`: often it is https instead of http",
        ),
        401 | 403 | 407 => Finding::failed(
            format!("something in front of Keycloak wants a login ({status})"),
            "let the proxy pass the paths below `/realms/`",
        ),
        502..=504 => Finding::failed(
            format!("the proxy in front of Keycloak does not reach it ({status})"),
            "check that Keycloak runs, and the proxy's configuration",
        ),
        _ => Finding::failed(
            format!("Keycloak answers with status {status}"),
            "look into Keycloak's log",
        ),
    }
}

/// The server's address with or without `/auth`, if that is where Keycloak is.
async fn other_base_path(keycloak: &Keycloak) -> Option<String> {
    let parts = keycloak.parts();
    let other = parts.realm_url.with_other_base_path();
    let url = other.join(".well-known/openid-configuration");
    let answer = parts.provider.probe_address(&url).await.ok()?;
    (answer.status == StatusCode::OK).then(|| other.server_url())
}

/// Fetches the keys and compares them with the algorithms that are accepted.
pub(super) async fn key_set(keycloak: &Keycloak, metadata: &ProviderMetadata) -> Finding {
    let parts = keycloak.parts();
    let answer = parts.provider.probe(Request::get(Endpoint::Jwks)).await;
    let keys = match answer.and_then(HttpAnswer::only_ok) {
        Ok(json) => KeySet::parse(&json),
        Err(error) => return Finding::failed(chain(&error), "check `.jwks_uri(…)`, or leave it out"),
    };
    let keys = match keys {
        Ok(keys) => keys,
        Err(error) => return Finding::failed(chain(&error), "check `.jwks_uri(…)`, or leave it out"),
    };
    let skipped = keys
        .skipped()
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ");
    let skipped = if skipped.is_empty() {
        skipped
    } else {
        format!(" (left out: {skipped})")
    };
    let accepted = &parts.authenticator.validator().expectations().algorithms;
    if !keys.algorithms().any(|algorithm| accepted.contains(&algorithm)) {
        let accepted = accepted.iter().map(|algorithm| algorithm.name());
        let signing = metadata.signing_algorithms().iter().map(String::as_str);
        let mut found: Vec<&str> = keys.algorithms().map(|algorithm| algorithm.name()).collect();
        found.sort_unstable();
        found.dedup();
        return Finding::failed(
            format!(
                "no key is for {}, the keys are for {}{skipped}",
                code_list(accepted),
                code_list(found)
            ),
            format!(
                "set `.algorithms(…)` to what the realm signs with; it knows {}",
                code_list(signing)
            ),
        );
    }
    let usable = if keys.len() == 1 { "usable key" } else { "usable keys" };
    Finding::ok(format!("{} {usable}{skipped}", keys.len()))
}

/// The time by Keycloak's clock, as a proxy says it or servers other than Keycloak: that sends no `Date` itself.
pub(super) fn date(answer: &HttpAnswer) -> Option<Duration> {
    let date = httpdate::parse_http_date(answer.date.as_ref()?.to_str().ok()?).ok()?;
    Some(date.duration_since(std::time::UNIX_EPOCH).unwrap_or_default())
}

/// Compares the clocks: by the `Date` of an answer, or by when a token of this service's own was issued.
pub(super) fn clock(keycloak: &Keycloak, theirs: Option<Duration>) -> Finding {
    let Some(theirs) = theirs else {
        return Finding::skipped(
            "Keycloak sends no `Date`; with the `client_secret` of a client with a service account, a token shows its clock",
        );
    };
    let ours = keycloak.now();
    let difference = ours.abs_diff(theirs);
    let direction = if ours > theirs { "ahead of" } else { "behind" };
    let text = format!("this clock is {} s {direction} Keycloak's", difference.as_secs());
    let leeway = keycloak.authenticator().validator().expectations().leeway;
    if difference > leeway + CLOSE {
        return Finding::failed(
            format!("{text}, more than the leeway of {} s", leeway.as_secs()),
            "set both clocks by NTP: good tokens are refused, or expired ones accepted",
        );
    }
    if difference > CLOSE {
        return Finding::warning(text, "set both clocks by NTP");
    }
    Finding::ok("both clocks agree")
}

/// Authenticates as the client, by asking about a token that is none.
pub(super) async fn client(keycloak: &Keycloak) -> Finding {
    let parts = keycloak.parts();
    let Some(method) = parts.client.method() else {
        return Finding::skipped(
            "there is no `client_secret` and no other `client_authentication`, and judging tokens by keys needs none",
        );
    };
    let form = [("token", "diagnosis")];
    let request = Request::post(
        Endpoint::Introspection,
        ClientCredentials::Configured(&parts.client),
        &form,
    );
    let client_id = keycloak.client_id();
    match parts.provider.probe(request).await {
        Ok(answer) if answer.status == StatusCode::OK => Finding::ok(format!(
            "Keycloak accepts `{client_id}` by `{method}`, and introspects {} for it",
            introspected(keycloak)
        )),
        Ok(answer) if matches!(answer.status.as_u16(), 400 | 401 | 403) => Finding::failed(
            format!("Keycloak does not accept the client `{client_id}` by `{method}`"),
            method_advice(method),
        ),
        Ok(answer) => Finding::failed(
            format!(
                "the introspection endpoint answers with status {}",
                answer.status.as_u16()
            ),
            "look into Keycloak's log",
        ),
        Err(error) => Finding::failed(chain(&error), "check `.introspection_endpoint(…)`, or leave it out"),
    }
}

/// The tokens that Keycloak is asked about, or could be.
fn introspected(keycloak: &Keycloak) -> &'static str {
    let introspection = keycloak.authenticator().introspection();
    match introspection.map_or(Introspection::Never, |introspector| introspector.mode()) {
        Introspection::Never => "tokens",
        Introspection::WhenLightweight => "lightweight tokens",
        Introspection::WhenOpaque => "opaque tokens",
        Introspection::WhenNeeded => "lightweight and opaque tokens",
        Introspection::Always => "every token",
    }
}

fn method_advice(method: &str) -> &'static str {
    match method {
        "private_key_jwt" => {
            "check `.client_id(…)`, that the client's authenticator in Keycloak is `Signed JWT`, that its keys or certificate \
             there belong to this private key, the algorithm and `.key_id(…)`, and the check `clock`"
        }
        "tls_client_auth" => {
            "check `.client_id(…)`, that the client's authenticator in Keycloak is `X509 Certificate` with the subject of this \
             certificate, and that Keycloak, or the proxy in front of it, asks for certificates (`https-client-auth`)"
        }
        _ => {
            "check `.client_id(…)` and `.client_secret(…)`, and that the client is confidential and enabled, with the \
             authenticator `Client Id and Secret`"
        }
    }
}

/// Judges a token as for a request.
pub(super) async fn token(keycloak: &Keycloak, token: &str) -> Finding {
    if token.contains(char::is_whitespace) {
        return Finding::failed(
            "there is white space in it",
            "give the token alone, without `Bearer` and without line breaks",
        );
    }
    let judged = keycloak.authenticator().ask_unnoted(token).await;
    match judged.map(KeycloakUser::new) {
        Ok(user) => Finding::ok(format!(
            "it is accepted, as that of {}",
            user.username()
                .or(user.subject())
                .map_or("a lightweight token".to_owned(), |name| format!(
                    "`{}`",
                    shortened(name)
                ))
        )),
        Err(AuthError::InvalidToken(invalid)) => {
            let why = why(invalid, keycloak, token);
            Finding::failed(format!("it is not accepted: {why}"), advice(invalid, keycloak))
        }
        Err(error) => Finding::failed(chain(&error), "see the checks above"),
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
            "take a token of this realm, or add the name under which Keycloak issues them by `.issuer(…)`".to_owned()
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
