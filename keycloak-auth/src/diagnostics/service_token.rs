//! A token of this service's own, where it gets one: whether it would be accepted here, and when Keycloak issued it.

use std::time::Duration;

use serde_json::{Map, Value};

use super::{
    Finding,
    token::{advice, why},
};
use crate::{
    AuthError, GrantKind, InvalidToken, Keycloak, OAuthError,
    client_authentication::ClientCredentials,
    jose,
    provider::{Endpoint, Request},
    text::{chain, code_list, shortened},
    token_endpoint,
};

/// How Keycloak says that a client has no service account.
const NO_SERVICE_ACCOUNT: &str = "service account";

/// Gets a token by the client credentials grant (RFC 6749 §4.4), once, and judges it as for a request.
///
/// The time is that at which Keycloak issued it (RFC 7519 §4.1.6), for the check of the clock.
pub(super) async fn check(keycloak: &Keycloak) -> (Finding, Option<Duration>) {
    if !keycloak.parts().client.is_confidential() {
        let reason = "there is no `client_secret` and no other `client_authentication` to get a token of its own with";
        return (Finding::skipped(reason), None);
    }
    if let Err(unavailable) = keycloak.token_endpoint().may_ask() {
        return (Finding::paused(&unavailable), None);
    }
    let token = match obtain(keycloak).await {
        Ok(token) => token,
        Err(finding) => return (finding, None),
    };
    let claims = Shown::of(&token);
    let issued_at = claims.issued_at();
    (judge(keycloak, &token, &claims).await, issued_at)
}

/// The access token, or why there is none.
async fn obtain(keycloak: &Keycloak) -> Result<String, Finding> {
    let client = ClientCredentials::Configured(&keycloak.parts().client);
    let form = [("grant_type", "client_credentials")];
    let request = Request::post(Endpoint::Token, client, &form);
    let answer = keycloak.parts().provider.probe(request).await;
    let read = answer.and_then(|answer| token_endpoint::read(GrantKind::ClientCredentials, &answer));
    let refusal = match read {
        Ok(Ok(tokens)) => return Ok(tokens.access_token),
        Ok(Err(refusal)) => refusal,
        Err(error) => {
            return Err(Finding::warning(
                format!("no token of this service's own can be had: {}", chain(&error)),
                "check `token_endpoint`, or leave it out; only services that get, refresh or exchange tokens need it",
            ));
        }
    };
    let client_id = shortened(keycloak.client_id());
    let description = refusal.description().unwrap_or_default();
    Err(Finding::skipped(match refusal.error() {
        // A wrong secret is `unauthorized_client` as well.
        OAuthError::UnauthorizedClient if description.contains(NO_SERVICE_ACCOUNT) => format!(
            "`{client_id}` has no service account, so it gets no token of its own; it needs one only to call other services"
        ),
        OAuthError::UnauthorizedClient | OAuthError::InvalidClient => {
            format!("Keycloak does not accept `{client_id}` at the token endpoint: the check `client` says why")
        }
        _ => format!("Keycloak gives `{client_id}` no token: `{}`", shortened(refusal.code())),
    }))
}

async fn judge(keycloak: &Keycloak, token: &str, claims: &Shown) -> Finding {
    match keycloak.authenticator().ask_unnoted(token).await {
        Ok(_) => Finding::ok(format!(
            "a token of this service's own is accepted here; {}",
            claims.summary()
        )),
        // As it should be: Keycloak puts a client into the audience of its own tokens by a mapper only, and a service seldom
        // calls itself.
        Err(AuthError::InvalidToken(InvalidToken::MissingClaim("aud") | InvalidToken::Claim("aud"))) => {
            Finding::ok(format!(
                "a token of this service's own is for other services, and not accepted here; {}",
                claims.summary()
            ))
        }
        // By introspection, that is how the missing audience shows.
        Err(AuthError::InvalidToken(InvalidToken::Inactive)) if !claims.audience().contains(&keycloak.client_id()) => {
            Finding::ok(format!(
                "a token of this service's own is for other services: Keycloak calls it inactive towards `{}`, which is not in its \
                 audience; {}",
                shortened(keycloak.client_id()),
                claims.summary()
            ))
        }
        Err(AuthError::InvalidToken(invalid)) => {
            let why = why(invalid, keycloak, token);
            Finding::warning(
                format!(
                    "a token of this service's own would not be accepted here: {why}; {}",
                    claims.summary()
                ),
                advice(invalid, keycloak),
            )
        }
        Err(error) => Finding::skipped(format!("a token was issued and cannot be judged: {}", chain(&error))),
    }
}

/// What the token says, whether or not it is accepted; empty where it is opaque.
struct Shown(Map<String, Value>);

impl Shown {
    fn of(token: &str) -> Self {
        let payload = token.split('.').nth(1).and_then(|payload| jose::decode(payload).ok());
        let claims = payload.and_then(|payload| serde_json::from_slice(&payload).ok());
        Self(claims.unwrap_or_default())
    }

    fn issued_at(&self) -> Option<Duration> {
        self.0.get("iat")?.as_u64().map(Duration::from_secs)
    }

    /// One name or a list of them (RFC 7519 §4.1.3).
    fn audience(&self) -> Vec<&str> {
        match self.0.get("aud") {
            Some(Value::String(name)) => vec![name],
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    fn summary(&self) -> String {
        let scopes = self.0.get("scope").and_then(Value::as_str).unwrap_or_default();
        let scopes: Vec<&str> = scopes.split_whitespace().collect();
        format!(
            "its audience is {}, its scopes are {}",
            listed(self.audience()),
            listed(scopes)
        )
    }
}

fn listed(names: Vec<&str>) -> String {
    if names.is_empty() {
        return "empty".to_owned();
    }
    code_list(names)
}
