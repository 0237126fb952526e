//! The pages: login, logout, errors. Plain HTML without scripts, with the element ids of Keycloak's own pages, so that a
//! browser test passes on both.

mod layout;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::Response,
};

use layout::layout;

use super::{answers, model::Model, random::random_text};
use crate::text::escaped_html;

/// What the login page shows.
pub(super) struct LoginPage<'a> {
    /// Where the form goes.
    pub(super) action: &'a str,
    pub(super) username: &'a str,
    pub(super) error: Option<&'a str>,
}

pub(super) fn login(model: &Model, page: &LoginPage<'_>) -> Response {
    let label = if model.settings.login_with_email {
        "Username or email"
    } else {
        "Username"
    };
    let (invalid, error) = match page.error {
        None => ("", String::new()),
        Some(text) => (
            r#" aria-invalid="true" aria-describedby="input-error""#,
            format!(
                r#"<span id="input-error" class="error" role="alert">{}</span>"#,
                escaped_html(text)
            ),
        ),
    };
    // Who has a name already goes on with the password.
    let (on_username, on_password) = if page.username.is_empty() {
        (" autofocus", "")
    } else {
        ("", " autofocus")
    };
    let body = format!(
        r#"<form id="kc-form-login" action="{action}" method="post">
{error}
<label for="username">{label}</label>
<input id="username" name="username" type="text" value="{username}" autocomplete="username" autocapitalize="none" spellcheck="false" required{invalid}{on_username}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required{invalid}{on_password}>
<button id="kc-login" name="login" type="submit">Sign In</button>
</form>
{users}"#,
        action = escaped_html(page.action),
        username = escaped_html(page.username),
        users = users(model),
    );
    let title = format!("Sign in to {}", model.display_name);
    answers::page(StatusCode::OK, layout(model, &title, "Sign in to your account", &body))
}

/// The users whose passwords stand in the realm file in plain text: everybody may know them.
fn users(model: &Model) -> String {
    let rows: String = (model.users.iter())
        .filter_map(|user| {
            let password = user.plain_password.as_deref().filter(|_| user.enabled)?;
            let (username, password) = (escaped_html(&user.username), escaped_html(password));
            Some(format!("<tr><td>{username}</td><td>{password}</td></tr>\n"))
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    format!(
        r#"<details>
<summary>Users in the realm file</summary>
<table>
<thead><tr><th scope="col">Username</th><th scope="col">Password</th></tr></thead>
<tbody>
{rows}</tbody>
</table>
</details>"#
    )
}

/// A failure that cannot be sent back to the client.
pub(super) fn error(model: &Model, status: StatusCode, text: &str) -> Response {
    let title = format!("Sign in to {}", model.display_name);
    let body = format!(
        r#"<div id="kc-error-message" role="alert"><p class="instruction">{}</p></div>"#,
        escaped_html(text)
    );
    answers::page(status, layout(model, &title, "We are sorry\u{2026}", &body))
}

pub(super) fn logout_confirmation(model: &Model, action: &str, session_code: &str) -> Response {
    let body = format!(
        r#"<div id="kc-logout-confirm">
<p class="instruction">Do you want to log out?</p>
<form action="{action}" method="post">
<input type="hidden" name="session_code" value="{session_code}">
<button id="kc-logout" name="confirmLogout" type="submit">Logout</button>
</form>
</div>"#,
        action = escaped_html(action),
        session_code = escaped_html(session_code),
    );
    answers::page(StatusCode::OK, layout(model, "Logging out", "Logging out", &body))
}

pub(super) fn logged_out(model: &Model) -> Response {
    let title = format!("Sign in to {}", model.display_name);
    let body = r#"<div id="kc-info-message" role="status"><p class="instruction">You are logged out</p></div>"#;
    answers::page(StatusCode::OK, layout(model, &title, "You are logged out", body))
}

/// A form that sends itself to the client (OAuth 2.0 Form Post Response Mode §2): the only page with a script.
pub(super) fn form_post(model: &Model, address: &str, members: &[(&str, String)]) -> Response {
    let nonce = random_text();
    let inputs: String = (members.iter())
        .map(|(name, value)| {
            format!(
                "<input type=\"hidden\" name=\"{}\" value=\"{}\">\n",
                escaped_html(name),
                escaped_html(value)
            )
        })
        .collect();
    let body = format!(
        r#"<form id="response" action="{}" method="post">
{inputs}<button type="submit">Continue</button>
</form>
<script nonce="{nonce}">document.getElementById("response").submit()</script>"#,
        escaped_html(address)
    );
    let html = layout(model, "Back to the application", "Back to the application", &body);
    let mut response = answers::page(StatusCode::OK, html);
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'nonce-{nonce}'; frame-ancestors 'self'; \
         base-uri 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}
