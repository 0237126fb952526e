//! Cookies. Their names are not Keycloak's: a browser keeps one jar for all ports of a host, and a real Keycloak may
//! run beside this realm.

use axum::{
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};

/// Binds a login under way to the browser that started it.
pub(super) const LOGIN: &str = "DEV_REALM_LOGIN";
/// The session of the browser.
pub(super) const SESSION: &str = "DEV_REALM_SESSION";

/// The value of a cookie.
pub(super) fn read<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let lines = headers
        .get_all(header::COOKIE)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    let pairs = lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let value = pairs.filter(|(other, _)| *other == name).map(|(_, value)| value).next();
    value.filter(|value| !value.is_empty())
}

/// Sets a cookie for the pages of the realm, until the browser ends.
pub(super) fn set(response: &mut Response, name: &str, value: &str, realm: &str) {
    append(
        response,
        format!("{name}={value}; Path=/realms/{realm}/; HttpOnly; SameSite=Lax"),
    );
}

pub(super) fn remove(response: &mut Response, name: &str, realm: &str) {
    append(
        response,
        format!("{name}=; Path=/realms/{realm}/; Max-Age=0; HttpOnly; SameSite=Lax"),
    );
}

fn append(response: &mut Response, cookie: String) {
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}
