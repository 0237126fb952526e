//! Why a token is not acceptable, by cause.

use crate::jose::{MalformedToken, VerifyError};

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
    /// `alg` is not an asymmetric algorithm, not one that is configured, or not one of the key's. That of Keycloak's
    /// refresh tokens is HS512, or another HMAC.
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
    /// Issued before the not-before that [`Keycloak::set_not_before`](crate::Keycloak::set_not_before) was given.
    #[error("issued before the realm's not-before")]
    IssuedBeforeNotBefore,
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
