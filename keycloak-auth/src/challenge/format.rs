//! The forms of error bodies.

use std::{fmt, sync::Arc};

use axum::response::Response;

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

impl Renderer {
    pub(super) fn render(&self, answer: &Answer) -> Response {
        (self.0)(answer)
    }
}

impl fmt::Debug for Renderer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Renderer")
    }
}
