//! What a client is told, by cause.

use std::borrow::Cow;

use http::StatusCode;
use serde_json::{Value, json};

use super::prepared::{Prepared, prepared};
use crate::{
    bearer::HeaderFault,
    error::{AuthError, GrantKind, TlsFault, TokenRefusal, Unavailable},
    invalid_token::InvalidToken,
    jose::MalformedToken,
    policy::Policy,
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
    pub(super) challenge: Challenge,
    pub(super) retry_after: Option<u64>,
    pub(super) prepared: Option<&'static Prepared>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Challenge {
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

impl Prepared {
    /// The answer to an error, where it depends on nothing: what [`Answer::to`] is made of there.
    pub(super) fn to(error: &AuthError) -> Option<&'static Self> {
        match error {
            AuthError::MissingCredentials => Some(no_credentials()),
            AuthError::InvalidRequest(fault) => Some(invalid_request(*fault)),
            AuthError::InvalidToken(invalid) => invalid_token(*invalid).ok(),
            _ => None,
        }
    }
}

impl Answer {
    /// The answer to an error: what causes become on the wire.
    #[must_use]
    pub fn to(error: &AuthError) -> Self {
        match error {
            AuthError::MissingCredentials => Self::of(no_credentials()),
            AuthError::InvalidRequest(fault) => Self::of(invalid_request(*fault)),
            AuthError::InvalidToken(invalid) => match invalid_token(*invalid) {
                Ok(prepared) => Self::of(prepared),
                Err((code, message)) => Self::new(
                    StatusCode::UNAUTHORIZED,
                    code,
                    message.concat(),
                    Challenge::error("invalid_token"),
                ),
            },
            // RFC 6750 §3.1, insufficient_scope.
            AuthError::Forbidden(denial) => Self::denied(&denial.unmet()),
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

    /// The answer to a caller who lacks this: its code is by what is missing, where that is of one kind.
    pub(crate) fn denied(unmet: &Policy) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            code_of_unmet(unmet),
            "the caller may not do this",
            Challenge::Error {
                error: "insufficient_scope",
                scope: unmet.scopes(),
            },
        )
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
            prepared: None,
        }
    }

    fn of(prepared: &'static Prepared) -> Self {
        Self {
            prepared: Some(prepared),
            ..Self::new(
                prepared.status,
                prepared.code,
                prepared.message,
                prepared.error.map_or(Challenge::Realm, Challenge::error),
            )
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
}

impl Challenge {
    const fn error(error: &'static str) -> Self {
        Self::Error {
            error,
            scope: Vec::new(),
        }
    }
}

/// RFC 6750 §3.1: no error code when the request lacks any authentication information.
fn no_credentials() -> &'static Prepared {
    prepared!(UNAUTHORIZED, "missing_header", "an access token is required")
}

/// RFC 6750 §3.1, invalid_request.
fn invalid_request(fault: HeaderFault) -> &'static Prepared {
    match fault {
        HeaderFault::SeveralCredentials => prepared!(
            BAD_REQUEST,
            "invalid_request": "invalid_header_format",
            "the request has more than one set of credentials"
        ),
        HeaderFault::Malformed => prepared!(
            BAD_REQUEST,
            "invalid_request": "invalid_header_format",
            "the authorization header is not `Bearer` followed by one token"
        ),
    }
}

/// RFC 6750 §3.1, invalid_token. Where a claim has to be named: the code, and the message in pieces.
fn invalid_token(invalid: InvalidToken) -> Result<&'static Prepared, (&'static str, [&'static str; 3])> {
    Ok(match invalid {
        InvalidToken::Malformed(MalformedToken::TooLarge) => {
            prepared!(UNAUTHORIZED, "invalid_token": "malformed_token", "the access token is too large")
        }
        InvalidToken::Malformed(
            MalformedToken::Parts | MalformedToken::Encoding | MalformedToken::Header | MalformedToken::Payload,
        ) => prepared!(UNAUTHORIZED, "invalid_token": "malformed_token", "the access token is malformed"),
        InvalidToken::HeaderParameter(_) => {
            prepared!(UNAUTHORIZED, "invalid_token": "malformed_token", "the access token's header is not acceptable")
        }
        InvalidToken::Algorithm => {
            prepared!(UNAUTHORIZED, "invalid_token": "invalid_algorithm", "the access token's algorithm is not accepted")
        }
        InvalidToken::UnknownKey => {
            prepared!(UNAUTHORIZED, "invalid_token": "unknown_kid", "the access token names no current key of the issuer")
        }
        InvalidToken::Signature => {
            prepared!(UNAUTHORIZED, "invalid_token": "invalid_signature", "the access token's signature is not valid")
        }
        InvalidToken::MissingClaim(claim) => {
            return Err(("missing_claim", ["the access token has no claim `", claim, "`"]));
        }
        InvalidToken::Claim(claim) => {
            return Err((
                "invalid_claims",
                ["the access token's claim `", claim, "` is not acceptable"],
            ));
        }
        InvalidToken::CustomClaims => {
            prepared!(UNAUTHORIZED, "invalid_token": "invalid_claims", "the access token lacks claims that are required here")
        }
        InvalidToken::Inactive | InvalidToken::IssuedBeforeNotBefore => {
            prepared!(UNAUTHORIZED, "invalid_token": "token_inactive", "the access token is not active")
        }
        InvalidToken::Expired => {
            prepared!(UNAUTHORIZED, "invalid_token": "token_expired", "the access token has expired")
        }
        InvalidToken::NotYetValid => {
            prepared!(UNAUTHORIZED, "invalid_token": "token_not_yet_valid", "the access token is not valid yet")
        }
        InvalidToken::TokenType => {
            prepared!(UNAUTHORIZED, "invalid_token": "invalid_token_type", "the token is not an access token")
        }
        InvalidToken::SenderConstrained => prepared!(
            UNAUTHORIZED,
            "invalid_token": "sender_constrained_token",
            "the access token is bound to a key and not acceptable as a bearer token"
        ),
    })
}

/// The code for a caller who does not meet this.
fn code_of_unmet(policy: &Policy) -> &'static str {
    let code = code_of_unmet;
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
