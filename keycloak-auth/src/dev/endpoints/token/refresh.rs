//! Refreshing (RFC 6749 §6): every answer has a new refresh token.

use super::{Grant, Incoming};
use crate::dev::{
    answers::OAuthError,
    model::{ClientId, Settings, UserId},
    sessions::{ClientSession, UsedToken},
    tokens::{Claims, Issue, RefreshToken, Scope, SessionKind},
};

pub(super) fn grant(grant: &Grant<'_>) -> Result<Claims, OAuthError> {
    let Grant { request, client, .. } = *grant;
    let shared = &request.shared;
    let model = &shared.model;
    let of_client = model.client(client);
    let text = request
        .form
        .raw("refresh_token")
        .ok_or_else(|| OAuthError::invalid_request("No refresh token"))?;
    let now = shared.now();
    let invalid = || OAuthError::invalid_grant("Invalid refresh token");
    let token = RefreshToken::read(text, &shared.keys, &request.issuer).ok_or_else(invalid)?;
    if token.has_expired(now) {
        return Err(OAuthError::invalid_grant("Token is not active"));
    }
    if token.text("azp") != Some(of_client.client_id.as_str()) {
        let text = "Invalid refresh token. Token client and authorized client don't match";
        return Err(OAuthError::invalid_grant(text));
    }
    if token.issued() < model.settings.not_before.max(of_client.not_before) {
        return Err(OAuthError::invalid_grant("Stale token"));
    }
    let bound = token
        .claims
        .get("cnf")
        .and_then(|confirmation| confirmation.get("jkt")?.as_str());
    match (bound, grant.dpop_thumbprint) {
        (Some(_), None) => return Err(OAuthError::invalid_request("DPoP proof is missing")),
        (Some(bound), Some(key)) if bound != key => {
            return Err(OAuthError::invalid_grant("DPoP confirmation doesn't match DPoP proof"));
        }
        _ => {}
    }
    grant.check_words()?;
    let mut state = shared.sessions.lock();
    let not_active = || OAuthError::invalid_grant("Session not active");
    let key_of_session = token.session().ok_or_else(not_active)?;
    let session = state
        .active(&key_of_session, now, &model.settings)
        .ok_or_else(not_active)?;
    let user = session.user;
    if !model.user(user).enabled {
        return Err(OAuthError::invalid_grant("User disabled"));
    }
    if token.issued() < model.user(user).not_before {
        return Err(OAuthError::invalid_grant("Stale token"));
    }
    let client_session = (session.clients.get_mut(&client))
        .ok_or_else(|| OAuthError::invalid_grant("Session doesn't have required client"))?;
    if let Err(error) = check_reuse(client_session, &token, &model.settings) {
        // Somebody has a token that was used up: nobody goes on with this login.
        session.clients.remove(&client);
        return Err(error);
    }
    session.last_access = now;
    let session = session.clone();
    let scope = scope(request, client, user, &token);
    let issue = Issue {
        refreshed: Some(&token),
        ..grant.issue("rt", now, user, &scope, SessionKind::Online(&session))
    };
    Ok(issue.answer())
}

/// Where the realm revokes refresh tokens, each may be used once, and as often again as the realm says; one that comes
/// before the last that was used, never.
fn check_reuse(session: &mut ClientSession, token: &RefreshToken, settings: &Settings) -> Result<(), OAuthError> {
    let Some(most) = settings.refresh_token_reuse else {
        return Ok(());
    };
    let id = token.text("jti").unwrap_or_default();
    let line = token.text("reuse_id").unwrap_or_default();
    let fresh = UsedToken {
        id: id.to_owned(),
        issued: token.issued(),
        uses: 0,
    };
    let used = session.used.entry(line.to_owned()).or_insert_with(|| fresh.clone());
    if used.id != id {
        if fresh.issued < used.issued {
            return Err(OAuthError::invalid_grant("Stale token"));
        }
        *used = fresh;
    }
    if used.uses > most {
        let text = "Maximum allowed refresh token reuse exceeded";
        return Err(OAuthError::invalid_grant(text));
    }
    used.uses += 1;
    Ok(())
}

/// The scope of the refresh token, or less of it where the request asks for less.
fn scope(request: &Incoming, client: ClientId, user: UserId, token: &RefreshToken) -> Scope {
    let model = &request.shared.model;
    let granted = token.text("scope").unwrap_or_default();
    let parameter = match request.form.get("scope") {
        None => granted.to_owned(),
        Some(asked) => {
            let had = |word: &&str| granted.split_whitespace().any(|other| other == *word);
            asked.split_whitespace().filter(had).collect::<Vec<_>>().join(" ")
        }
    };
    let (of_client, of_user) = (model.client(client), model.user(user));
    Scope::requested(model, of_client, of_user, Some(&parameter))
}
