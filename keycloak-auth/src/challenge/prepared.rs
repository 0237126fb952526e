//! Texts of responses that are made by the compiler.

use std::borrow::Cow;

use http::HeaderValue;

/// The texts of a response that depends on nothing: refusing garbage must cost an attacker more than the service.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Prepared {
    /// `None`: the realm has to be named in it.
    pub(super) challenge: Option<&'static HeaderValue>,
    pub(super) envelope: &'static str,
}

/// The code and message of an answer, with the texts of its response; `error` is that of RFC 6750 §3.1.
macro_rules! prepared {
    ($code:literal, $message:literal) => {
        prepared!($code, $message, None)
    };
    ($error:literal: $code:literal, $message:literal) => {{
        // Each character is checked here, by the compiler, and not in each response.
        static CHALLENGE: ::http::HeaderValue = ::http::HeaderValue::from_static(concat!(
            r#"Bearer error=""#,
            $error,
            r#"", error_description=""#,
            $message,
            '"'
        ));
        prepared!($code, $message, Some(&CHALLENGE))
    }};
    ($code:literal, $message:literal, $challenge:expr) => {
        (
            $code,
            Cow::Borrowed($message),
            Some(Prepared {
                challenge: $challenge,
                envelope: concat!(
                    r#"{"error":{"code":""#,
                    $code,
                    r#"","details":{},"message":""#,
                    $message,
                    r#""}}"#
                ),
            }),
        )
    };
}

pub(super) use prepared;

/// Code and message, and the whole texts where they depend on nothing.
pub(super) type Texts = (&'static str, Cow<'static, str>, Option<Prepared>);
