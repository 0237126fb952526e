//! Client credentials (RFC 6749 §4.4): the token of a service account.

use std::collections::BTreeMap;

use axum::http::StatusCode;

use super::{Incoming, requested_scope};
use crate::dev::{
    answers::OAuthError,
    model::ClientId,
    tokens::{Claims, Issue, SessionKind},
};

pub(super) fn grant(request: &Incoming, client: ClientId) -> Result<Claims, OAuthError> {
    let shared = &request.shared;
    let model = &shared.model;
    let of_client = model.client(client);
    let unauthorized = |text: &'static str| OAuthError::unauthorized_client(StatusCode::UNAUTHORIZED, text);
    if of_client.is_public() {
        return Err(unauthorized("Public client not allowed to retrieve service account"));
    }
    let user = model.service_account(client).filter(|_| of_client.service_account);
    let user = user.ok_or_else(|| unauthorized("Client not enabled to retrieve service account"))?;
    if !model.user(user).enabled {
        return Err(OAuthError::new(
            StatusCode::UNAUTHORIZED,
            "invalid_request",
            "User is disabled",
        ));
    }
    let scope = requested_scope(request, of_client, model.user(user))?;
    // Only loopback reaches this server.
    let host = "127.0.0.1".to_owned();
    let notes = BTreeMap::from([
        ("clientHost".to_owned(), host.clone()),
        ("clientAddress".to_owned(), host),
        ("client_id".to_owned(), of_client.client_id.clone()),
    ]);
    let issue = Issue {
        model,
        keys: &shared.keys,
        issuer: &request.issuer,
        now: shared.now(),
        client,
        user,
        scope: &scope,
        session: SessionKind::Transient(&notes),
        grant: "cc",
        dpop_thumbprint: None,
    };
    Ok(issue.answer(&mut shared.sessions.lock()).body)
}
