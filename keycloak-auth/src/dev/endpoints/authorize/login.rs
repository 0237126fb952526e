//! The form of the login page.

use axum::{http::StatusCode, response::Response};
use url::form_urlencoded;

use super::{error_response, give_code, session_of_login};
use crate::dev::{
    cookies,
    endpoints::{
        Incoming,
        token::{PasswordCheck, check_password},
    },
    model::ClientId,
    pages::{self, LoginPage},
};

const COOKIE_NOT_FOUND: &str = "Restart login cookie not found. It may have expired; it may have been deleted or \
    cookies are disabled in your browser. If cookies are disabled then enable them. Click Back to Application to login \
    again.";

/// The address that the form of a login goes to.
pub(super) fn action(request: &Incoming, login: &str, client: ClientId) -> String {
    let client_id = &request.shared.model.client(client).client_id;
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("session_code", login)
        .append_pair("client_id", client_id)
        .finish();
    format!("{}/login-actions/authenticate?{query}", request.issuer)
}

pub(in crate::dev::endpoints) async fn authenticate(request: &Incoming) -> Response {
    let shared = &request.shared;
    let model = &shared.model;
    let not_found = || pages::error(model, StatusCode::BAD_REQUEST, COOKIE_NOT_FOUND);
    let Some(id) = request.query.get("session_code") else {
        return not_found();
    };
    let now = shared.now();
    let login = {
        let state = shared.sessions.lock();
        let login = state.logins.get(id).filter(|login| login.expires > now);
        login.map(|login| login.value.clone())
    };
    // A login belongs to the browser that started it: nobody logs another browser in by a form of their own.
    let cookie = cookies::read(&request.headers, cookies::LOGIN);
    let Some(login) = login.filter(|login| cookie == Some(login.cookie.as_str())) else {
        return not_found();
    };
    if login.done {
        return error_response(
            request,
            &login.request,
            "temporarily_unavailable",
            Some("authentication_expired"),
        );
    }
    let username = request.form.get("username").unwrap_or_default();
    let password = request.form.get("password").unwrap_or_default();
    let again = |error: &str| {
        let page = LoginPage {
            action: &action(request, id, login.request.client),
            username,
            error: Some(error),
        };
        pages::login(model, &page)
    };
    let user = match check_password(shared, username, password).await {
        PasswordCheck::Right(user) => user,
        PasswordCheck::Wrong => return again("Invalid username or password."),
        PasswordCheck::Disabled => return again("Account is disabled, contact your administrator."),
        PasswordCheck::NotSetUp => {
            return again("Account is not fully set up, and the development realm has no page to do it.");
        }
    };
    let mut state = shared.sessions.lock();
    let (session, cookie) = match session_of_login(request, &mut state, user) {
        Ok(session) => session,
        Err(other) => {
            return again(&format!(
                "You are already authenticated as different user '{other}' in this session. Please sign out first."
            ));
        }
    };
    if let Some(login) = state.logins.get_mut(id) {
        login.value.done = true;
    }
    let mut response = give_code(request, &mut state, login.request, &session, false);
    cookies::set(&mut response, cookies::SESSION, &cookie, &request.realm_segment);
    response
}
