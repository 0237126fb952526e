//! The response that an answer becomes.

use std::borrow::Cow;

use axum::{body::Body, response::Response};
use http::{
    HeaderValue, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Answer, ErrorFormat, answer::Challenge, prepared::Prepared};
use crate::AuthError;

impl Answer {
    /// The value of `WWW-Authenticate`; `realm` is named where the answer has no error.
    pub(super) fn challenge(&self, realm: Option<&str>) -> Option<HeaderValue> {
        if let Some(challenge) = self.prepared.and_then(|prepared| prepared.challenge.as_ref()) {
            return Some(challenge.clone());
        }
        let text = match &self.challenge {
            Challenge::None => return None,
            Challenge::Realm => return Some(realm.map_or_else(|| BEARER.clone(), challenge_of)),
            Challenge::Error { error, scope } => {
                let mut text = format!("Bearer error=\"{error}\", error_description=\"{}\"", self.message);
                if !scope.is_empty() {
                    text.push_str(&format!(", scope=\"{}\"", quotable(&scope.join(" "))));
                }
                text
            }
            Challenge::StepUp { acr, max_age } => {
                let mut text = format!(
                    "Bearer error=\"insufficient_user_authentication\", error_description=\"{}\"",
                    self.message
                );
                if let Some(acr) = acr {
                    text.push_str(&format!(", acr_values=\"{}\"", quotable(acr)));
                }
                if let Some(max_age) = max_age {
                    text.push_str(&format!(", max_age=\"{max_age}\""));
                }
                text
            }
        };
        Some(header_value(text))
    }

    /// The whole response: the body in the given format; status and challenge always as above.
    pub(crate) fn response(&self, format: &ErrorFormat, realm: Option<&str>) -> Response {
        let mut response = match format {
            ErrorFormat::Envelope => body_of(&JSON, self.envelope()),
            ErrorFormat::ProblemDetails => {
                let problem = problem_details(self.status, self.code, &self.message, &self.details);
                body_of(&PROBLEM_JSON, problem.to_string())
            }
            ErrorFormat::Custom(renderer) => {
                let mut response = renderer.render(self);
                response.headers_mut().remove(WWW_AUTHENTICATE);
                response
            }
        };
        *response.status_mut() = self.status;
        if let Some(challenge) = self.challenge(realm) {
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }

    /// The body in the format of the envelope, as JSON.
    pub(crate) fn envelope(&self) -> Cow<'static, str> {
        #[derive(Serialize)]
        struct Envelope<'a> {
            error: Inner<'a>,
        }

        #[derive(Serialize)]
        struct Inner<'a> {
            code: &'static str,
            details: &'a Value,
            message: &'a str,
        }

        if let Some(prepared) = self.prepared {
            return prepared.envelope.into();
        }
        let envelope = Envelope {
            error: Inner {
                code: self.code,
                details: &self.details,
                message: &self.message,
            },
        };
        let json = serde_json::to_string(&envelope);
        json.expect("strings and JSON values can be written as JSON").into()
    }
}

/// RFC 9457 §3: the status says what kind of problem it is, `code` which one.
pub(crate) fn problem_details(status: StatusCode, code: &str, message: &str, details: &Value) -> Value {
    let mut problem = json!({
        "type": "about:blank",
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "detail": message,
        "code": code,
    });
    if details.as_object().is_some_and(|details| !details.is_empty()) {
        problem["details"] = details.clone();
    }
    problem
}

/// A text as the inside of a quoted-string: what may not stand there is left out (RFC 6750 §3, RFC 9110 §5.6.4).
fn quotable(text: &str) -> String {
    text.chars()
        .filter(|character| matches!(character, ' '..='~') && !matches!(character, '"' | '\\'))
        .collect()
}

/// The challenge that names a realm, without an error.
pub(crate) fn challenge_of(realm: &str) -> HeaderValue {
    header_value(format!("Bearer realm=\"{}\"", quotable(realm)))
}

fn header_value(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or_else(|_| BEARER.clone())
}

/// The response to an error in the given format. `challenge` is that of the `realm`, made once for all responses.
pub(crate) fn respond(error: &AuthError, format: &ErrorFormat, realm: &str, challenge: &HeaderValue) -> Response {
    match (format, Prepared::to(error)) {
        (ErrorFormat::Envelope, Some(prepared)) => prepared.response(challenge),
        _ => Answer::to(error).response(format, Some(realm)),
    }
}

/// The response to an error in the usual format, without a realm.
pub(crate) fn respond_as_anybody(error: &AuthError) -> Response {
    match Prepared::to(error) {
        Some(prepared) => prepared.response(&BEARER),
        None => Answer::to(error).response(&ErrorFormat::Envelope, None),
    }
}

/// The code of the answer to an error.
pub(crate) fn code_of(error: &AuthError) -> &'static str {
    Prepared::to(error).map_or_else(|| Answer::to(error).code, |prepared| prepared.code)
}

// Checking each of their characters is left to the compiler.
static BEARER: HeaderValue = HeaderValue::from_static("Bearer");
static JSON: HeaderValue = HeaderValue::from_static("application/json");
static PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

fn body_of(content_type: &HeaderValue, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    response.headers_mut().insert(CONTENT_TYPE, content_type.clone());
    response
}
