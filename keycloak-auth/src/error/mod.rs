//! Why a request is not let through, by cause.
//!
//! What a client gets to see of it is decided in one place: `challenge`.

mod cause;
mod http_client;
mod provider;
mod tls_fault;
mod token_refusal;
mod unavailable;

use crate::{
    bearer::HeaderFault,
    invalid_token::InvalidToken,
    policy::{Decision, Denial, StepUp},
};

pub(crate) use cause::Cause;
#[cfg(test)]
pub(crate) use cause::credential_errors;
pub use http_client::HttpClientError;
pub use provider::ProviderError;
pub use tls_fault::TlsFault;
pub use token_refusal::{GrantKind, OAuthError, TokenRefusal};
pub use unavailable::Unavailable;

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
    #[error(transparent)]
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

impl AuthError {
    /// The error of a decision that does not let the caller through.
    pub(crate) fn of(decision: Decision) -> Option<Self> {
        match decision {
            Decision::Allow => None,
            Decision::Deny(denial) => Some(Self::Forbidden(denial)),
            Decision::StepUp(step_up) => Some(Self::StepUp(step_up)),
        }
    }
}

/// A not-before lies in the future; the one that holds stays. Given to whoever calls
/// [`Keycloak::set_not_before`](crate::Keycloak::set_not_before).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the not-before {seconds} is later than {latest}, the present time and the leeway: until then it would refuse every token; it \
     is in seconds since 1970, not in milliseconds"
)]
#[non_exhaustive]
pub struct FutureNotBefore {
    /// The time that was given, in seconds since the Unix epoch.
    pub seconds: u64,
    /// The latest time that is taken, in seconds since the Unix epoch.
    pub latest: u64,
}
