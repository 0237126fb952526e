//! Logout: by the browser (OpenID Connect RP-Initiated Logout) and by a client with its refresh token.

use axum::{
    http::{Method, StatusCode},
    response::Response,
};
use serde_json::Value;
use url::form_urlencoded;

use super::{Incoming, client_auth};
use crate::dev::{
    answers::{OAuthError, empty, no_store, redirect},
    cookies,
    model::ClientId,
    pages,
    random::random_text,
    sessions::Logout,
    tokens::{Claims, RefreshToken},
};

pub(super) async fn answer(request: &Incoming) -> Response {
    request.shared.keys.ready().await;
    if request.method == Method::POST && request.form.get("refresh_token").is_some() {
        return request
            .origin
            .allow(by_client(request), Some("Access-Control-Allow-Methods"));
    }
    match by_browser(request) {
        Ok(response) => response,
        Err(text) => pages::error(&request.shared.model, StatusCode::BAD_REQUEST, text),
    }
}

/// A client ends the session of its refresh token.
fn by_client(request: &Incoming) -> Response {
    let logout = || {
        let client = client_auth::authenticate(request)?;
        let shared = &request.shared;
        let text = request.form.get("refresh_token").unwrap_or_default();
        let token = RefreshToken::read(text, &shared.keys, &request.issuer)
            .ok_or_else(|| OAuthError::invalid_grant("Invalid refresh token"))?;
        if token.text("azp") != Some(&shared.model.client(client).client_id) {
            let text = "Invalid refresh token. Token client and authorized client don't match";
            return Err(OAuthError::invalid_grant(text));
        }
        if let Some(session) = token.session() {
            shared.sessions.lock().sessions.remove(&session);
        }
        Ok(())
    };
    match logout() {
        Ok(()) => no_store(empty(StatusCode::NO_CONTENT)),
        Err(error) => OAuthError::into_response(error),
    }
}

/// The browser asks; without an ID token the user is asked, too. The error is the text of a page.
fn by_browser(request: &Incoming) -> Result<Response, &'static str> {
    let shared = &request.shared;
    let model = &shared.model;
    let parameters = request.parameters();
    let hint = match parameters.get("id_token_hint") {
        None => None,
        Some(text) => Some(id_token(request, text).ok_or("Invalid parameter: id_token_hint")?),
    };
    let of_hint = hint.as_ref().and_then(|claims| claims.get("azp")?.as_str());
    let named = parameters.get("client_id");
    if let (Some(of_hint), Some(named)) = (of_hint, named)
        && of_hint != named
    {
        return Err("Invalid parameter: id_token_hint");
    }
    let client = of_hint.or(named).and_then(|client_id| model.client_named(client_id));
    let redirect_uri = match parameters.get("post_logout_redirect_uri") {
        None => None,
        Some(_) if of_hint.is_none() && named.is_none() => return Err("Missing parameters: id_token_hint"),
        Some(uri) => Some(post_logout_uri(request, client, uri).ok_or("Invalid redirect uri")?),
    };
    let target = redirect_uri.map(|uri| match parameters.get("state") {
        None => uri.to_owned(),
        Some(state) => {
            let separator = if uri.contains('?') { '&' } else { '?' };
            let state: String = form_urlencoded::byte_serialize(state.as_bytes()).collect();
            format!("{uri}{separator}state={state}")
        }
    });
    let hinted = hint.as_ref().and_then(|claims| claims.get("sid")?.as_str());
    let now = shared.now();
    let mut state = shared.sessions.lock();
    let cookie = cookies::read(&request.headers, cookies::SESSION);
    let present = cookie.and_then(|cookie| state.of_cookie(cookie, now, &model.settings));
    let present = present.map(|session| session.id.clone());
    if let Some(hinted) = hinted
        && present.as_deref().is_none_or(|present| present == hinted)
    {
        state.sessions.remove(hinted);
        drop(state);
        return Ok(finish(request, target.as_deref()));
    }
    let browser = cookies::read(&request.headers, cookies::LOGIN).map_or_else(random_text, str::to_owned);
    let logout = Logout {
        cookie: browser.clone(),
        session: present,
        target,
    };
    let id = state.add_logout(logout, now, &model.settings);
    let action = format!("{}/protocol/openid-connect/logout/logout-confirm", request.issuer);
    let mut response = pages::logout_confirmation(model, &action, &id);
    cookies::set(&mut response, cookies::LOGIN, &browser, &request.realm_segment);
    Ok(response)
}

/// The user has said yes.
pub(super) fn confirm(request: &Incoming) -> Response {
    let shared = &request.shared;
    let mut state = shared.sessions.lock();
    let cookie = cookies::read(&request.headers, cookies::LOGIN);
    let asked = request.form.get("session_code").and_then(|id| state.logouts.remove(id));
    let asked = asked.filter(|asked| asked.expires > shared.now() && cookie == Some(asked.value.cookie.as_str()));
    let Some(asked) = asked else {
        drop(state);
        return pages::error(&shared.model, StatusCode::BAD_REQUEST, "Logout failed");
    };
    if let Some(session) = &asked.value.session {
        state.sessions.remove(session);
    }
    drop(state);
    finish(request, asked.value.target.as_deref())
}

fn finish(request: &Incoming, target: Option<&str>) -> Response {
    let mut response = match target {
        Some(address) => redirect(address),
        None => pages::logged_out(&request.shared.model),
    };
    cookies::remove(&mut response, cookies::SESSION, &request.realm_segment);
    response
}

/// The claims of an ID token of this realm, which may have expired.
fn id_token(request: &Incoming, text: &str) -> Option<Claims> {
    let payload = request.shared.keys.key_set().verify(text).ok()?;
    let claims: Claims = serde_json::from_slice(&payload).ok()?;
    let is = |name: &str, value: &str| claims.get(name).and_then(Value::as_str) == Some(value);
    (is("typ", "ID") && is("iss", &request.issuer)).then_some(claims)
}

fn post_logout_uri<'r>(request: &Incoming, client: Option<ClientId>, uri: &'r str) -> Option<&'r str> {
    let client = request.shared.model.client(client?);
    request.accepts(&client.post_logout_redirect_uris, uri).then_some(uri)
}
