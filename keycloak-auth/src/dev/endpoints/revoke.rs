//! Token revocation (RFC 7009).

use axum::{http::StatusCode, response::Response};
use serde_json::Value;

use super::{Incoming, client_auth};
use crate::dev::{
    answers::{OAuthError, empty},
    model::ClientId,
    sessions::Expiring,
    tokens::{AccessToken, RefreshToken, Unusable},
};

pub(super) async fn answer(request: &Incoming) -> Response {
    request.shared.keys.ready().await;
    let allow = |response| request.origin.allow(response, Some("Access-Control-Allow-Methods"));
    let client = match client_auth::authenticate(request) {
        Ok(client) => client,
        Err(error) => return allow(error.into_response()),
    };
    if let Err(response) = request
        .origin
        .check(request.shared.model.client(client), &request.server_url)
    {
        return *response;
    }
    allow(match revoke(request, client) {
        Ok(()) => empty(StatusCode::OK),
        Err(error) => error.into_response(),
    })
}

fn revoke(request: &Incoming, client: ClientId) -> Result<(), OAuthError> {
    let text = request
        .form
        .get("token")
        .ok_or_else(|| OAuthError::invalid_request("Token not provided"))?;
    let shared = &request.shared;
    let client_id = &shared.model.client(client).client_id;
    let unmatching = || OAuthError::invalid_request("Unmatching clients");
    if let Some(token) = RefreshToken::read(text, &shared.keys, &request.issuer)
        && !token.has_expired(shared.now())
    {
        if token.text("azp") != Some(client_id) {
            return Err(unmatching());
        }
        // With it goes all that the client got in this session.
        let mut state = shared.sessions.lock();
        if let Some(key) = token.session()
            && let Some(session) = state.sessions.get_mut(&key)
        {
            session.clients.remove(&client);
            if session.clients.is_empty() {
                state.sessions.remove(&key);
            }
        }
        return Ok(());
    }
    // As Keycloak: a token that is no good any more is no failure (RFC 7009 §2.2), and yet it is told so.
    let invalid = || OAuthError::new(StatusCode::OK, "invalid_token", "Invalid token");
    let token = match AccessToken::of(request, text) {
        Ok(token) => token,
        Err(Unusable::Revoked) => return Ok(()),
        Err(Unusable::Invalid | Unusable::NoSession) => return Err(invalid()),
    };
    if token.client != client {
        return Err(unmatching());
    }
    let (jti, expires) = (token.claims.get("jti"), token.claims.get("exp"));
    if let (Some(jti), Some(expires)) = (jti.and_then(Value::as_str), expires.and_then(Value::as_u64)) {
        let mut state = shared.sessions.lock();
        state.revoked.insert(jti.to_owned(), Expiring { value: (), expires });
    }
    Ok(())
}
