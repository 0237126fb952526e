//! From cause to answer: status, `WWW-Authenticate`, code and message, in one total match.
//!
//! The log gets the why, the client gets the code of the RFC. No text in here contains anything that came with the
//! request.

use std::{borrow::Cow, fmt, sync::Arc};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{
    HeaderValue, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
};
use serde_json::{Value, json};

use crate::{
    bearer::HeaderFault,
    error::{AuthError, InvalidToken, Unavailable},
    jose::MalformedToken,
    policy::{Denial, Policy},
    provider::TlsFault,
    token_endpoint::{GrantKind, TokenRefusal},
};

/// What a client is told about an [`AuthError`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Answer {
    /// The status of the response.
    pub status: StatusCode,
    /// The stable code of the error, such as `token_expired`.
    pub code: &'static str,
    /// One sentence for a developer.
    pub message: Cow<'static, str>,
    /// More about the error, as data: an object. Never what the caller is or has.
    pub details: Value,
    /// The `WWW-Authenticate` header, unless a realm has to be named in it.
    challenge: Challenge,
    retry_after: Option<u64>,
}

#[derive(Clone, Debug, PartialEq)]
enum Challenge {
    None,
    /// The scheme and the realm, without an error: RFC 6750 §3.1, last paragraph.
    Realm,
    /// `error` and its description (RFC 6750 §3).
    Error {
        error: &'static str,
        scope: Vec<&'static str>,
    },
    /// RFC 9470 §3.
    StepUp {
        acr: Option<&'static str>,
        max_age: Option<u64>,
    },
}

impl Answer {
    /// The answer to an error: the one place where causes become wire codes.
    #[must_use]
    pub fn to(error: &AuthError) -> Self {
        match error {
            // RFC 6750 §3.1: no error code when the request lacks any authentication information.
            AuthError::MissingCredentials => Self::new(
                StatusCode::UNAUTHORIZED,
                "missing_header",
                "an access token is required",
                Challenge::Realm,
            ),
            // RFC 6750 §3.1, invalid_request.
            AuthError::InvalidRequest(fault) => Self::new(
                StatusCode::BAD_REQUEST,
                "invalid_header_format",
                match fault {
                    HeaderFault::SeveralCredentials => "the request has more than one set of credentials",
                    HeaderFault::Malformed => "the authorization header is not `Bearer` followed by one token",
                },
                Challenge::error("invalid_request"),
            ),
            // RFC 6750 §3.1, invalid_token.
            AuthError::InvalidToken(invalid) => {
                let (code, message) = invalid_token(*invalid);
                Self::new(
                    StatusCode::UNAUTHORIZED,
                    code,
                    message,
                    Challenge::error("invalid_token"),
                )
            }
            // RFC 6750 §3.1, insufficient_scope.
            AuthError::Forbidden(denial) => Self::new(
                StatusCode::FORBIDDEN,
                denial_code(denial),
                "the caller may not do this",
                Challenge::Error {
                    error: "insufficient_scope",
                    scope: denial.unmet().scopes(),
                },
            ),
            // RFC 9470 §3.
            AuthError::StepUp(step_up) => Self {
                details: json!({ "acr_values": step_up.acr(), "max_age": step_up.max_age() }),
                ..Self::new(
                    StatusCode::UNAUTHORIZED,
                    "insufficient_user_authentication",
                    "a fresher or stronger login is required",
                    Challenge::StepUp {
                        acr: step_up.acr(),
                        max_age: step_up.max_age(),
                    },
                )
            },
            AuthError::Unavailable(unavailable) => Self::unavailable("keycloak_connection_error", unavailable),
            AuthError::IntrospectionUnavailable(unavailable) => {
                Self::unavailable("introspection_service_error", unavailable)
            }
            AuthError::TokenRefused(refusal) => Self::token_refused(refusal),
            AuthError::TokenEndpointUnavailable(unavailable) => Self {
                message: "no token can be had at the moment".into(),
                ..Self::unavailable("keycloak_connection_error", unavailable)
            },
            AuthError::NotInstalled => Self::misconfigured("the service is not set up to check tokens"),
        }
    }

    fn new(
        status: StatusCode,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
        challenge: Challenge,
    ) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            details: json!({}),
            challenge,
            retry_after: None,
        }
    }

    fn unavailable(code: &'static str, unavailable: &Unavailable) -> Self {
        let code = match unavailable.cause().tls_fault() {
            Some(TlsFault::Expired) => "cert_expired",
            Some(TlsFault::HostnameMismatch) => "hostname_mismatch",
            Some(TlsFault::Untrusted | TlsFault::NotYetValid) => "cert_untrusted",
            Some(TlsFault::Other) | None => code,
        };
        let seconds = unavailable.retry_after().as_secs();
        Self {
            details: json!({ "retry_after": seconds }),
            retry_after: Some(seconds),
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                code,
                "the token cannot be checked at the moment",
                Challenge::None,
            )
        }
    }

    /// RFC 6749 §5.2; where the service's own client is refused, its clients can do nothing about it.
    fn token_refused(refusal: &TokenRefusal) -> Self {
        if refusal.error().is_configuration() {
            return Self::misconfigured("the service is not set up to obtain tokens");
        }
        let (code, message) = match refusal.grant() {
            GrantKind::RefreshToken => (
                "token_refresh_failed",
                "the refresh token is not accepted: log in again",
            ),
            GrantKind::ClientCredentials => ("token_request_failed", "the service obtains no token of its own"),
            GrantKind::TokenExchange => ("token_exchange_failed", "the token cannot be exchanged"),
        };
        Self {
            details: json!({ "error": refusal.error().as_str() }),
            ..Self::new(StatusCode::BAD_REQUEST, code, message, Challenge::None)
        }
    }

    fn misconfigured(message: &'static str) -> Self {
        Self {
            retry_after: Some(60),
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "keycloak_config_error",
                message,
                Challenge::None,
            )
        }
    }

    /// The value of `WWW-Authenticate`; `realm` is named where the answer has no error.
    fn challenge(&self, realm: Option<&str>) -> Option<HeaderValue> {
        let text = match &self.challenge {
            Challenge::None => return None,
            Challenge::Realm => realm.map_or_else(
                || "Bearer".to_owned(),
                |realm| format!("Bearer realm=\"{}\"", quotable(realm)),
            ),
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
        HeaderValue::from_str(&text)
            .ok()
            .or(Some(HeaderValue::from_static("Bearer")))
    }

    /// The whole response: the body in the given format; status and challenge always as above.
    pub(crate) fn response(&self, format: &ErrorFormat, realm: Option<&str>) -> Response {
        let mut response = match format {
            ErrorFormat::Envelope => json_response(
                "application/json",
                &json!({ "error": { "code": self.code, "message": self.message, "details": self.details } }),
            ),
            ErrorFormat::ProblemDetails => json_response("application/problem+json", &self.problem_details()),
            ErrorFormat::Custom(renderer) => (renderer.0)(self),
        };
        *response.status_mut() = self.status;
        response.headers_mut().remove(WWW_AUTHENTICATE);
        if let Some(challenge) = self.challenge(realm) {
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }

    /// RFC 9457 §3: the status says what kind of problem it is, `code` which one.
    fn problem_details(&self) -> Value {
        let mut problem = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason(),
            "status": self.status.as_u16(),
            "detail": self.message,
            "code": self.code,
        });
        if self.details.as_object().is_some_and(|details| !details.is_empty()) {
            problem["details"] = self.details.clone();
        }
        problem
    }
}

impl Challenge {
    const fn error(error: &'static str) -> Self {
        Self::Error {
            error,
            scope: Vec::new(),
        }
    }
}

fn invalid_token(invalid: InvalidToken) -> (&'static str, Cow<'static, str>) {
    match invalid {
        InvalidToken::Malformed(malformed) => (
            "malformed_token",
            match malformed {
                MalformedToken::TooLarge => "the access token is too large".into(),
                MalformedToken::Parts | MalformedToken::Encoding | MalformedToken::Header | MalformedToken::Payload => {
                    "the access token is malformed".into()
                }
            },
        ),
        InvalidToken::HeaderParameter(_) => ("malformed_token", "the access token's header is not acceptable".into()),
        InvalidToken::Algorithm => (
            "invalid_algorithm",
            "the access token's algorithm is not accepted".into(),
        ),
        InvalidToken::UnknownKey => (
            "unknown_kid",
            "the access token names no current key of the issuer".into(),
        ),
        InvalidToken::Signature => ("invalid_signature", "the access token's signature is not valid".into()),
        InvalidToken::MissingClaim(claim) => (
            "missing_claim",
            format!("the access token has no claim `{claim}`").into(),
        ),
        InvalidToken::Claim(claim) => (
            "invalid_claims",
            format!("the access token's claim `{claim}` is not acceptable").into(),
        ),
        InvalidToken::CustomClaims => (
            "invalid_claims",
            "the access token lacks claims that are required here".into(),
        ),
        InvalidToken::Inactive => ("token_inactive", "the access token is not active".into()),
        InvalidToken::Expired => ("token_expired", "the access token has expired".into()),
        InvalidToken::NotYetValid => ("token_not_yet_valid", "the access token is not valid yet".into()),
        InvalidToken::TokenType => ("invalid_token_type", "the token is not an access token".into()),
        InvalidToken::SenderConstrained => (
            "sender_constrained_token",
            "the access token is bound to a key and not acceptable as a bearer token".into(),
        ),
    }
}

/// The code of a denial: by what was missing, where that is of one kind.
fn denial_code(denial: &Denial) -> &'static str {
    fn code(policy: &Policy) -> &'static str {
        match policy {
            Policy::Role(_) | Policy::RealmRole(_) | Policy::ClientRole { .. } => "missing_roles",
            Policy::Group(_) | Policy::GroupTree(_) => "missing_groups",
            Policy::Scope(_) => "missing_scopes",
            Policy::Any([first, rest @ ..]) if rest.iter().all(|operand| code(operand) == code(first)) => code(first),
            Policy::Any(_)
            | Policy::Public
            | Policy::Authenticated
            | Policy::All(_)
            | Policy::Not(_)
            | Policy::Claim { .. }
            | Policy::Acr(_)
            | Policy::MaxAge(_)
            | Policy::Owner { .. } => "forbidden",
        }
    }
    code(&denial.unmet())
}

/// A text as the inside of a quoted-string: what may not stand there is left out (RFC 6750 §3, RFC 9110 §5.6.4).
fn quotable(text: &str) -> String {
    text.chars()
        .filter(|character| matches!(character, ' '..='~') && !matches!(character, '"' | '\\'))
        .collect()
}

fn json_response(content_type: &'static str, body: &Value) -> Response {
    ([(CONTENT_TYPE, content_type)], Body::from(body.to_string())).into_response()
}

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
