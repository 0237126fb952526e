//! Resource owner password credentials (RFC 6749 §4.3).

use std::sync::Arc;

use axum::http::StatusCode;

use super::Grant;
use crate::dev::{
    answers::OAuthError,
    model::UserId,
    server::Shared,
    sessions::ClientSession,
    tokens::{Claims, SessionKind},
};

pub(super) async fn grant(grant: &Grant<'_>) -> Result<Claims, OAuthError> {
    let Grant { request, client, .. } = *grant;
    let shared = &request.shared;
    let model = &shared.model;
    if !model.client(client).direct_access_grants {
        let text = "Client not allowed for direct access grants";
        return Err(OAuthError::unauthorized_client(StatusCode::BAD_REQUEST, text));
    }
    if model.client(client).consent_required {
        let text = "Client requires user consent";
        return Err(OAuthError::new(StatusCode::BAD_REQUEST, "invalid_client", text));
    }
    let username = request.form.raw("username").ok_or_else(|| {
        OAuthError::new(
            StatusCode::UNAUTHORIZED,
            "invalid_request",
            "Missing parameter: username",
        )
    })?;
    grant.check_words()?;
    let password = request.form.get("password").unwrap_or_default();
    let user = match check_password(shared, username, password).await {
        PasswordCheck::Right(user) => user,
        PasswordCheck::Wrong => return Err(OAuthError::invalid_grant("Invalid user credentials")),
        PasswordCheck::Disabled => return Err(OAuthError::invalid_grant("Account disabled")),
        PasswordCheck::NotSetUp => return Err(OAuthError::invalid_grant("Account is not fully set up")),
    };
    let scope = grant.requested_scope(model.user(user))?;
    let offline = grant.check_offline(request.form.get("scope"), &scope)?;
    let now = shared.now();
    let mut state = shared.sessions.lock();
    let session = state.start(user, now, &model.settings);
    let of_client = ClientSession {
        started: now,
        ..ClientSession::default()
    };
    session.clients.insert(client, of_client);
    let mut session = session.clone();
    if offline {
        state.sessions.remove(&session.id);
        session = state.go_offline(&session, client, model.client(client).refresh_tokens);
    }
    let session = SessionKind::Online(&session);
    Ok(grant.issue("ro", now, user, &scope, session).answer())
}

/// Whether a user may log in with a password.
pub(in crate::dev::endpoints) enum PasswordCheck {
    Right(UserId),
    /// Wrong, or there is no such user: nobody is told which.
    Wrong,
    Disabled,
    NotSetUp,
}

/// Compares a password, beside other tasks where that takes long.
pub(in crate::dev::endpoints) async fn check_password(
    shared: &Arc<Shared>,
    username: &str,
    password: &str,
) -> PasswordCheck {
    let Some(id) = shared.model.user_of_login(username) else {
        return PasswordCheck::Wrong;
    };
    let user = shared.model.user(id);
    let right = match &user.password {
        None => false,
        Some(known) if !known.is_hashed() => known.matches(password),
        Some(_) => {
            let (shared, password) = (Arc::clone(shared), password.to_owned());
            let matches = move || {
                shared
                    .model
                    .user(id)
                    .password
                    .as_ref()
                    .is_some_and(|known| known.matches(&password))
            };
            tokio::task::spawn_blocking(matches).await.unwrap_or(false)
        }
    };
    if user.service_account_of.is_some() || !right {
        PasswordCheck::Wrong
    } else if !user.enabled {
        PasswordCheck::Disabled
    } else if user.has_required_actions {
        PasswordCheck::NotSetUp
    } else {
        PasswordCheck::Right(id)
    }
}
