//! Standard token exchange (RFC 8693), of an access token for one of this client.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{Grant, Incoming};
use crate::dev::{
    answers::OAuthError,
    model::{ClientId, ClientKind},
    sessions::ClientSession,
    tokens::{AccessToken, Claims, SessionKind, service_account_notes},
};

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";

pub(super) fn grant(grant: &Grant<'_>) -> Result<Claims, OAuthError> {
    let Grant { request, client, .. } = *grant;
    let shared = &request.shared;
    let model = &shared.model;
    let of_client = model.client(client);
    let confidential = matches!(of_client.kind, ClientKind::Confidential(_));
    if !of_client.token_exchange || !confidential {
        let text = "Standard token exchange is not enabled for the requested client";
        return Err(OAuthError::invalid_request(text));
    }
    let missing =
        |name| OAuthError::invalid_request(format!("Parameter '{name}' required for standard token exchange"));
    let subject = request
        .form
        .get("subject_token")
        .ok_or_else(|| missing("subject_token"))?;
    let subject_type = request
        .form
        .get("subject_token_type")
        .ok_or_else(|| missing("subject_token_type"))?;
    if subject_type != ACCESS_TOKEN {
        let text = "Parameter 'subject_token' supports access tokens only";
        return Err(OAuthError::invalid_request(text));
    }
    let requested_type = request.form.get("requested_token_type").unwrap_or(ACCESS_TOKEN);
    if !matches!(requested_type, ACCESS_TOKEN | ID_TOKEN) {
        return Err(OAuthError::invalid_request("requested_token_type unsupported"));
    }
    for audience in request.form.all("audience") {
        if model.client_named(audience).is_none() {
            return Err(OAuthError::new(
                StatusCode::BAD_REQUEST,
                "invalid_client",
                "Audience not found",
            ));
        }
    }
    let token = AccessToken::of(request, subject).map_err(|_| OAuthError::invalid_request("Invalid token"))?;
    if token.client != client && !audiences(&token.claims).any(|audience| audience == of_client.client_id) {
        let text = "Client is not within the token audience";
        return Err(OAuthError::new(StatusCode::FORBIDDEN, "access_denied", text));
    }
    check_organization(request, token.client)?;
    let mut scope = grant.requested_scope(model.user(token.user))?;
    let asked = request
        .form
        .get("scope")
        .unwrap_or_default()
        .split_whitespace()
        .any(|word| word == "openid");
    let now = shared.now();
    let mut state = shared.sessions.lock();
    let session = token
        .session
        .as_ref()
        .and_then(|id| state.active(id, now, &model.settings));
    let session = session.map(|session| {
        session.clients.entry(client).or_insert_with(|| ClientSession {
            started: now,
            ..ClientSession::default()
        });
        session.clone()
    });
    // A client that exchanges a token of its own stays in its session, with the `openid` of it.
    let own = token.client == client && session.as_ref().is_some_and(|session| !session.offline);
    let words = token.claims.get("scope").and_then(Value::as_str).unwrap_or_default();
    scope.openid |= own && words.split(' ').any(|word| word == "openid");
    let notes = service_account_notes(model.client(token.client));
    let session = match &session {
        None => SessionKind::Transient(&notes),
        Some(session) if own => SessionKind::Own(session),
        Some(session) => SessionKind::Exchanged(session),
    };
    let issue = grant.issue("te", now, token.user, &scope, session);
    let mut body = issue.answer_restricted(|claims| restrict(request, claims))?;
    if !asked {
        body.remove("id_token");
    }
    body.insert("issued_token_type".to_owned(), json!(requested_type));
    if requested_type == ID_TOKEN {
        let access = issue.access_claims();
        body.insert(
            "access_token".to_owned(),
            json!(issue.sign_id(&issue.id_claims(&access))),
        );
        body.insert("token_type".to_owned(), json!("N_A"));
        body.remove("id_token");
    }
    Ok(body)
}

/// This one scope the client of the given token has to have, too: so Keycloak resolves it.
fn check_organization(request: &Incoming, of_token: ClientId) -> Result<(), OAuthError> {
    let model = &request.shared.model;
    let asked = request.form.get("scope").unwrap_or_default();
    let mut words = asked.split_whitespace();
    if words.any(|word| word == "organization") && !model.knows_scope(model.client(of_token), "organization") {
        let text = format!("Invalid scopes: {asked}");
        return Err(OAuthError::new(StatusCode::BAD_REQUEST, "invalid_scope", text));
    }
    Ok(())
}

/// Leaves only the audiences that were asked for, with their roles.
fn restrict(request: &Incoming, claims: &mut Claims) -> Result<(), OAuthError> {
    let asked: Vec<_> = request.form.all("audience").collect();
    if asked.is_empty() {
        return Ok(());
    }
    let available: Vec<_> = audiences(claims).map(str::to_owned).collect();
    let missing: Vec<_> = asked
        .iter()
        .filter(|audience| !available.iter().any(|other| other == *audience))
        .collect();
    if !missing.is_empty() {
        let names: Vec<_> = missing.into_iter().copied().collect();
        let text = format!("Requested audience not available: {}", names.join(" "));
        return Err(OAuthError::invalid_request(text));
    }
    let audience = match asked.as_slice() {
        [one] => json!(one),
        several => json!(several),
    };
    claims.insert("aud".to_owned(), audience);
    if let Some(Value::Object(access)) = claims.get_mut("resource_access") {
        access.retain(|client, _| asked.contains(&client.as_str()));
        if access.is_empty() {
            claims.remove("resource_access");
        }
    }
    Ok(())
}

fn audiences(claims: &Claims) -> impl Iterator<Item = &str> {
    let audience = claims.get("aud");
    let several = audience.and_then(Value::as_array).into_iter().flatten();
    several.chain(audience).filter_map(Value::as_str)
}
