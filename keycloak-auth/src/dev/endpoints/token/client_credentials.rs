//! Client credentials (RFC 6749 §4.4): the token of a service account.

use axum::http::StatusCode;

use super::Grant;
use crate::dev::{
    answers::OAuthError,
    sessions::ClientSession,
    tokens::{Claims, SessionKind, service_account_notes},
};

pub(super) fn grant(grant: &Grant<'_>) -> Result<Claims, OAuthError> {
    let Grant { request, client, .. } = *grant;
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
    let scope = grant.requested_scope(model.user(user))?;
    let notes = service_account_notes(of_client);
    let now = shared.now();
    let session = if of_client.refresh_tokens_for_service_account {
        let offline = grant.check_offline(request.form.get("scope"), &scope)?;
        let mut state = shared.sessions.lock();
        let session = state.start(user, now, &model.settings);
        session.notes = notes.clone();
        let of_session = ClientSession {
            started: now,
            ..ClientSession::default()
        };
        session.clients.insert(client, of_session);
        let mut session = session.clone();
        if offline {
            state.sessions.remove(&session.id);
            session = state.go_offline(&session, client, of_client.refresh_tokens);
        }
        Some(session)
    } else {
        None
    };
    let session = session
        .as_ref()
        .map_or(SessionKind::Transient(&notes), SessionKind::Online);
    Ok(grant.issue("cc", now, user, &scope, session).answer())
}
