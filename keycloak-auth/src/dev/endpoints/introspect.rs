//! Token introspection (RFC 7662).

use axum::{http::StatusCode, response::Response};
use serde_json::{Value, json};

use super::{Incoming, client_auth};
use crate::dev::{
    answers::{OAuthError, json_response, no_store},
    model::{ClientId, ClientKind},
    tokens::{AccessToken, Claims, introspection_claims},
};

pub(super) async fn answer(request: &Incoming) -> Response {
    request.shared.keys.ready().await;
    match introspect(request) {
        Ok(claims) => no_store(json_response(StatusCode::OK, &Value::Object(claims))),
        Err(error) => error.into_response(),
    }
}

fn introspect(request: &Incoming) -> Result<Claims, OAuthError> {
    let client = client_auth::authenticate(request).map_err(|error| match error.error {
        "unauthorized_client" => OAuthError::new(
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            "Client authentication failed.",
        ),
        _ => error,
    })?;
    if !matches!(request.shared.model.client(client).kind, ClientKind::Confidential(_)) {
        return Err(OAuthError::new(
            StatusCode::FORBIDDEN,
            "invalid_request",
            "Client not allowed.",
        ));
    }
    let token = request
        .form
        .raw("token")
        .ok_or_else(|| OAuthError::invalid_request("Token not provided."))?;
    let inactive = || Claims::from_iter([("active".to_owned(), json!(false))]);
    Ok(active(request, client, token).unwrap_or_else(inactive))
}

/// The claims of an access token that is good and meant for the client that asks; one that says nothing of
/// it, as lightweight tokens do, is meant for whom a full one would be.
fn active(request: &Incoming, client: ClientId, text: &str) -> Option<Claims> {
    let token = AccessToken::of(request, text).ok()?;
    let claims = token.issue(request, |issue| introspection_claims(issue, &token.claims))?;
    let asking = &request.shared.model.client(client).client_id;
    let meant = match token.claims.get("aud").or_else(|| claims.get("aud"))? {
        Value::Array(audiences) => audiences.iter().any(|audience| audience == asking),
        audience => audience == asking,
    };
    meant.then_some(claims)
}
