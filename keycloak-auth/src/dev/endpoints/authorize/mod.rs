//! The authorization endpoint (RFC 6749 §3.1): a code at once where the browser has a session, otherwise the login page.

mod login;
mod request;
mod respond;

use axum::response::Response;

pub(super) use login::authenticate;

use super::Incoming;
use crate::dev::{
    cookies,
    model::UserId,
    pages::{self, LoginPage},
    random::random_text,
    sessions::{AuthorizationRequest, ClientSession, Code, Login, State},
};

use respond::{error_response, respond};

pub(super) fn answer(request: &Incoming) -> Response {
    let parameters = request.parameters();
    let (asked, prompt) = match request::read(request, parameters) {
        Ok(asked) => asked,
        Err(refusal) => return refusal.into_response(request),
    };
    let shared = &request.shared;
    let now = shared.now();
    let mut state = shared.sessions.lock();
    let cookie = cookies::read(&request.headers, cookies::SESSION);
    let session = cookie.and_then(|cookie| state.of_cookie(cookie, now, &shared.model.settings));
    if let Some(session) = session
        && !prompt.login
        && prompt
            .max_age
            .is_none_or(|max_age| now <= session.authenticated().saturating_add(max_age))
    {
        session.last_access = now;
        let id = session.id.clone();
        return give_code(request, &mut state, asked, &id, true);
    }
    if prompt.none {
        return error_response(request, &asked, "login_required", None);
    }
    show_login(request, &mut state, asked)
}

/// Starts a login, in the browser that the cookie names or gets.
fn show_login(request: &Incoming, state: &mut State, asked: AuthorizationRequest) -> Response {
    let shared = &request.shared;
    let known = cookies::read(&request.headers, cookies::LOGIN).filter(|cookie| cookie.len() <= 64);
    let cookie = known.map_or_else(random_text, str::to_owned);
    let username = asked.login_hint.clone();
    let client = asked.client;
    let login = Login {
        request: asked,
        cookie: cookie.clone(),
        done: false,
    };
    let id = state.add_login(login, shared.now(), &shared.model.settings);
    let page = LoginPage {
        action: &login::action(request, &id, client),
        username: username.as_deref().unwrap_or_default(),
        error: None,
    };
    let mut response = pages::login(&shared.model, &page);
    cookies::set(&mut response, cookies::LOGIN, &cookie, &request.realm_segment);
    response
}

/// Sends a code back for a session.
fn give_code(
    request: &Incoming,
    state: &mut State,
    asked: AuthorizationRequest,
    session: &str,
    single_sign_on: bool,
) -> Response {
    let shared = &request.shared;
    let now = shared.now();
    if let Some(session) = state.sessions.get_mut(session) {
        let client = session.clients.entry(asked.client).or_insert_with(|| ClientSession {
            started: now,
            ..ClientSession::default()
        });
        client.single_sign_on = single_sign_on;
    }
    let code = Code {
        request: asked.clone(),
        session: session.to_owned(),
    };
    let code = state.add_code(code, now, &shared.model.settings);
    respond(
        request,
        &asked,
        vec![("session_state", session.to_owned()), ("code", code)],
    )
}

/// Starts the session of a user in a browser, or goes on with the one that is there.
fn session_of_login(request: &Incoming, state: &mut State, user: UserId) -> Result<(String, String), String> {
    let shared = &request.shared;
    let (now, settings) = (shared.now(), &shared.model.settings);
    let present = cookies::read(&request.headers, cookies::SESSION);
    if let Some(session) = present.and_then(|cookie| state.of_cookie(cookie, now, settings)) {
        if session.user != user {
            return Err(shared.model.user(session.user).username.clone());
        }
        session.last_access = now;
        session.notes.insert("AUTH_TIME".to_owned(), now.to_string());
        return Ok((session.id.clone(), session.cookie.clone().unwrap_or_default()));
    }
    let cookie = random_text();
    let session = state.start(user, now, settings);
    session.cookie = Some(cookie.clone());
    session.notes.insert("AUTH_TIME".to_owned(), now.to_string());
    Ok((session.id.clone(), cookie))
}
