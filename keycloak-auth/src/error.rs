//! Why a request is not let through, by cause.
//!
//! What a client gets to see of it is decided in one place: `challenge.rs`.

use std::{sync::Arc, time::Duration};

use crate::{
    bearer::HeaderFault,
    jose::{MalformedToken, VerifyError},
    policy::{Denial, StepUp},
    provider::ProviderError,
    token_endpoint::TokenRefusal,
};

/// Why a request is not let through.
///
/// Absent credentials, unacceptable credentials, a denial and an unreachable Keycloak are different facts, with
/// different answers: 401, 401 with `error="invalid_token"`, 403 and 503.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// The request has no bearer token.
    #[error("no access token in the request")]
    MissingCredentials,
    /// The credentials cannot be read.
    #[error("the credentials cannot be read")]
    InvalidRequest(#[from] HeaderFault),
    /// The access token is not acceptable.
    #[error("the access token is not acceptable")]
    InvalidToken(#[from] InvalidToken),
    /// The caller is known, and the policy says no.
    #[error("the policy is not met: {0}")]
    Forbidden(Denial),
    /// The caller is known, and the policy wants a fresher or stronger login (RFC 9470).
    #[error("the policy is not met: {0}")]
    StepUp(StepUp),
    /// Keycloak's keys are needed and cannot be had.
    #[error("the token cannot be judged now")]
    Unavailable(#[from] Unavailable),
    /// Keycloak's introspection endpoint is needed and does not answer.
    #[error("the token cannot be introspected now")]
    IntrospectionUnavailable(#[source] Unavailable),
    /// Keycloak's token endpoint gives no token.
    #[error("no token")]
    TokenRefused(#[from] TokenRefusal),
    /// Keycloak's token endpoint is needed and does not answer.
    #[error("no token can be had now")]
    TokenEndpointUnavailable(#[source] Unavailable),
    /// A guarded handler runs in a router that was not given a [`Keycloak`](crate::Keycloak).
    #[error(
        "the handler asks for the caller or has a `#[keycloak(...)]` policy, but its router has no Keycloak: end the router \
         with `SecureRouter::secure_with(keycloak)` or `secure_from_state()`, or add `.layer(keycloak.layer())`"
    )]
    NotInstalled,
}

/// Why an access token is not acceptable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidToken {
    /// Not a compact JWS, or not strict JSON in it.
    #[error("malformed: {0}")]
    Malformed(MalformedToken),
    /// A header parameter that is never accepted: `crit`, `jwk`, `jku`, `x5c`, `zip`, …
    #[error("header parameter `{0}` is not accepted")]
    HeaderParameter(&'static str),
    /// `alg` is not an asymmetric algorithm, not one that is configured, or not one of the key's.
    #[error("algorithm not accepted")]
    Algorithm,
    /// No current key of the issuer has the token's `kid`.
    #[error("unknown key")]
    UnknownKey,
    /// The signature does not verify.
    #[error("invalid signature")]
    Signature,
    /// A claim that is required is missing.
    #[error("claim `{0}` is missing")]
    MissingClaim(&'static str),
    /// A claim has a wrong type or a value that is not accepted here.
    #[error("claim `{0}` is not acceptable")]
    Claim(&'static str),
    /// The claims do not fit the type that [`CustomClaims`](crate::CustomClaims) reads them into.
    #[error("the custom claims do not fit")]
    CustomClaims,
    /// The token has expired.
    #[error("expired")]
    Expired,
    /// The token is not valid yet (`nbf`), or was issued in the future (`iat`).
    #[error("not valid yet")]
    NotYetValid,
    /// An ID, refresh or other token: not an access token.
    #[error("not an access token")]
    TokenType,
    /// Keycloak says that the token is not active: revoked, logged out, expired or none of its own (RFC 7662 §2.2).
    #[error("not active")]
    Inactive,
    /// The token is bound to a key or certificate and was sent without proof (RFC 9449 §7.2, RFC 8705 §3).
    #[error("bound to a key, so not a bearer token")]
    SenderConstrained,
}

impl From<VerifyError> for InvalidToken {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Malformed(malformed) => Self::Malformed(malformed),
            VerifyError::HeaderParameter(parameter) => Self::HeaderParameter(parameter),
            VerifyError::Algorithm => Self::Algorithm,
            VerifyError::UnknownKey => Self::UnknownKey,
            VerifyError::Signature => Self::Signature,
        }
    }
}

/// Keycloak cannot be asked, and nothing that is cached answers.
#[derive(Clone, Debug, thiserror::Error)]
#[error("Keycloak cannot be asked; next attempt in {} s", retry_after.as_secs())]
pub struct Unavailable {
    /// Why the last attempt failed.
    #[source]
    cause: Arc<ProviderError>,
    /// When to come again.
    retry_after: Duration,
}

impl Unavailable {
    /// Comes to whole seconds, as Retry-After has them (RFC 9110 §10.2.3), and to at least one.
    pub(crate) fn new(cause: Arc<ProviderError>, wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        Self {
            cause,
            retry_after: Duration::from_secs(seconds.max(1)),
        }
    }

    /// Why the last attempt failed.
    #[must_use]
    pub fn cause(&self) -> &ProviderError {
        &self.cause
    }

    /// How long a client should wait before it tries again: whole seconds, at least one.
    #[must_use]
    pub const fn retry_after(&self) -> Duration {
        self.retry_after
    }
}
