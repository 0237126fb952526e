//! Answers that are made by the compiler.

use axum::{body::Body, response::Response};
use http::{
    HeaderValue, StatusCode,
    header::{CONTENT_TYPE, WWW_AUTHENTICATE},
};

/// An answer that depends on nothing: refusing garbage must cost an attacker more than the service.
#[derive(Debug, PartialEq)]
pub(crate) struct Prepared {
    pub(super) status: StatusCode,
    pub(crate) code: &'static str,
    pub(super) message: &'static str,
    /// The error of RFC 6750 §3.1; `None`: the realm has to be named in the challenge.
    pub(super) error: Option<&'static str>,
    pub(super) challenge: Option<HeaderValue>,
    pub(super) envelope: &'static str,
}

impl Prepared {
    /// The whole response in the format of the envelope; `of_realm` is the challenge that names the realm.
    pub(super) fn response(&self, of_realm: &HeaderValue) -> Response {
        let mut response = Response::new(Body::from(self.envelope));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, const { HeaderValue::from_static("application/json") });
        headers.insert(WWW_AUTHENTICATE, self.challenge.as_ref().unwrap_or(of_realm).clone());
        response
    }
}

/// An answer by its status, code and message; `error` is that of RFC 6750 §3.1.
macro_rules! prepared {
    ($status:ident, $code:literal, $message:literal) => {
        prepared!($status, $code, $message, None, None)
    };
    ($status:ident, $error:literal: $code:literal, $message:literal) => {
        // Each character is checked here, by the compiler, and not in each response.
        prepared!(
            $status,
            $code,
            $message,
            Some($error),
            Some(::http::HeaderValue::from_static(concat!(
                r#"Bearer error=""#,
                $error,
                r#"", error_description=""#,
                $message,
                '"'
            )))
        )
    };
    ($status:ident, $code:literal, $message:literal, $error:expr, $challenge:expr) => {{
        static PREPARED: Prepared = Prepared {
            status: ::http::StatusCode::$status,
            code: $code,
            message: $message,
            error: $error,
            challenge: $challenge,
            envelope: concat!(
                r#"{"error":{"code":""#,
                $code,
                r#"","details":{},"message":""#,
                $message,
                r#""}}"#
            ),
        };
        &PREPARED
    }};
}

pub(super) use prepared;
