//! The response to an error, in the format that the configuration wants.

use std::{borrow::Cow, fmt, sync::Arc};

use axum::{body::Body, response::Response};
use http::{
    HeaderValue, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
};
use serde::Serialize;
use serde_json::{Value, json};

use super::Answer;

/// The form of the bodies of error responses; status and headers are the same in all.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum ErrorFormat {
    /// `{"error": {"code", "message", "details"}}` as `application/json`.
    #[default]
    Envelope,
    /// RFC 9457 as `application/problem+json`, with the members `code` and `details` added.
    ProblemDetails,
    /// The service's own.
    Custom(Renderer),
}

impl ErrorFormat {
    /// A format of the service's own: `render` makes the body and its headers. Its status and `WWW-Authenticate` are
    /// replaced by those of the answer, so that no renderer can turn a refusal into something else.
    ///
    /// ```
    /// use axum::{Json, response::IntoResponse};
    /// use keycloak_auth::ErrorFormat;
    ///
    /// let format = ErrorFormat::custom(|answer| Json(serde_json::json!({ "oops": answer.code })).into_response());
    /// ```
    #[must_use]
    pub fn custom(render: impl Fn(&Answer) -> Response + Send + Sync + 'static) -> Self {
        Self::Custom(Renderer(Arc::new(render)))
    }
}

/// A service's own way to render errors; made by [`ErrorFormat::custom`].
#[derive(Clone)]
pub struct Renderer(Arc<dyn Fn(&Answer) -> Response + Send + Sync>);

impl fmt::Debug for Renderer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Renderer")
    }
}

impl Answer {
    /// The whole response: the body in the given format; status and challenge always as above.
    pub(crate) fn response(&self, format: &ErrorFormat, realm: Option<&str>) -> Response {
        let mut response = match format {
            ErrorFormat::Envelope => body_of(&JSON, self.envelope()),
            ErrorFormat::ProblemDetails => {
                let problem = problem_details(self.status, self.code, &self.message, &self.details);
                body_of(&PROBLEM_JSON, problem.to_string())
            }
            ErrorFormat::Custom(renderer) => {
                let mut response = (renderer.0)(self);
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

// Checking each of their characters is left to the compiler.
static JSON: HeaderValue = HeaderValue::from_static("application/json");
static PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

fn body_of(content_type: &HeaderValue, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    response.headers_mut().insert(CONTENT_TYPE, content_type.clone());
    response
}
