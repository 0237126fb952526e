//! What the token endpoint answers when it gives no token (RFC 6749 §5.2).

use std::fmt;

use crate::text::shortened;

/// Keycloak gives no token for a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRefusal {
    grant: GrantKind,
    error: OAuthError,
    code: String,
    description: Option<String>,
}

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GrantKind {
    /// `refresh_token` (RFC 6749 §6).
    RefreshToken,
    /// `client_credentials` (RFC 6749 §4.4).
    ClientCredentials,
    /// `urn:ietf:params:oauth:grant-type:token-exchange` (RFC 8693 §2.1).
    TokenExchange,
}

/// The error code of the answer (RFC 6749 §5.2, RFC 8693 §2.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OAuthError {
    /// A parameter is missing, repeated or not acceptable.
    InvalidRequest,
    /// The client is not known, or did not prove who it is: check `client_id` and `client_secret`.
    InvalidClient,
    /// The refresh token is expired, revoked, used up, or another client's.
    InvalidGrant,
    /// The client may not use this grant: check its capabilities in Keycloak.
    UnauthorizedClient,
    /// Keycloak does not know the grant: check its version and features.
    UnsupportedGrantType,
    /// A scope is not known, or not one of the client's.
    InvalidScope,
    /// The audience of a token exchange is not available.
    InvalidTarget,
    /// The exchange is not allowed.
    AccessDenied,
    /// Keycloak's code is none of these.
    Other,
}

impl TokenRefusal {
    /// With the error code as it came.
    pub(crate) fn new(grant: GrantKind, code: String, description: Option<String>) -> Self {
        Self {
            grant,
            error: OAuthError::of(&code),
            code,
            description,
        }
    }

    /// What was asked for.
    #[must_use]
    pub const fn grant(&self) -> GrantKind {
        self.grant
    }

    /// The error code of the answer as it came, also where it is [`OAuthError::Other`].
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The error code of the answer.
    #[must_use]
    pub const fn error(&self) -> OAuthError {
        self.error
    }

    /// Keycloak's explanation, such as `Token is not active`: for logs and developers.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }
}

impl OAuthError {
    const KNOWN: [Self; 8] = [
        Self::InvalidRequest,
        Self::InvalidClient,
        Self::InvalidGrant,
        Self::UnauthorizedClient,
        Self::UnsupportedGrantType,
        Self::InvalidScope,
        Self::InvalidTarget,
        Self::AccessDenied,
    ];

    fn of(code: &str) -> Self {
        let known = Self::KNOWN.into_iter().find(|error| error.as_str() == code);
        known.unwrap_or(Self::Other)
    }

    /// Whether the service itself is not set up rightly, in contrast to a token that is not good.
    pub(crate) const fn is_configuration(self) -> bool {
        match self {
            Self::InvalidClient | Self::UnauthorizedClient | Self::UnsupportedGrantType => true,
            Self::InvalidRequest
            | Self::InvalidGrant
            | Self::InvalidScope
            | Self::InvalidTarget
            | Self::AccessDenied
            | Self::Other => false,
        }
    }

    /// Whether the same request would be refused again; an unknown code may be about a passing trouble.
    pub(super) const fn is_definite(self) -> bool {
        !matches!(self, Self::Other)
    }

    /// The code as it stands in the answer; `other` for one that is not known here.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::AccessDenied => "access_denied",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for GrantKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
            Self::TokenExchange => "token-exchange",
        })
    }
}

impl fmt::Display for TokenRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { grant, code, .. } = self;
        write!(f, "Keycloak refuses the grant `{grant}`: `{}`", shortened(code))?;
        match &self.description {
            Some(description) => write!(f, " ({})", shortened(description)),
            None => Ok(()),
        }
    }
}

impl std::error::Error for TokenRefusal {}
