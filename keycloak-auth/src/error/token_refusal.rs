//! What the token endpoint answers when it gives no token (RFC 6749 §5.2).

use std::fmt;

use crate::text::shortened;

/// There is no token for a grant: Keycloak gives none, or this service has nothing to authenticate by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRefusal {
    grant: GrantKind,
    error: OAuthError,
    code: String,
    description: Option<String>,
    is_of_keycloak: bool,
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
    /// The client is not known, or did not prove who it is: check `client_id` and `client_secret`. In an exchange also: the
    /// realm has no client of the audience's name.
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
            is_of_keycloak: true,
        }
    }

    /// For a client that has nothing to prove by who it is: Keycloak is not asked then.
    pub(crate) fn for_want_of_credentials(grant: GrantKind) -> Self {
        let error = OAuthError::UnauthorizedClient;
        Self {
            grant,
            error,
            code: error.as_str().to_owned(),
            description: None,
            is_of_keycloak: false,
        }
    }

    /// What to do about a mistake that Keycloak names clearly enough.
    fn advice(&self) -> Option<&'static str> {
        const CREDENTIALS: &str = "check `client_id` and its secret, key or certificate";
        let description = self.description.as_deref().unwrap_or_default();
        match self.error {
            // Keycloak says of an exchange for a client that is not there that the client is invalid.
            OAuthError::InvalidClient if description.starts_with("Audience not found") => {
                Some("the realm has no such client, check `.audience(…)`")
            }
            OAuthError::InvalidClient => Some(CREDENTIALS),
            OAuthError::UnauthorizedClient if description.starts_with("Invalid client") => Some(CREDENTIALS),
            _ => None,
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
    pub(crate) const fn is_definite(self) -> bool {
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
        if !self.is_of_keycloak {
            return write!(
                f,
                "the grant `{grant}` is for confidential clients: set `client_secret` or `client_authentication`"
            );
        }
        write!(f, "Keycloak refuses the grant `{grant}`: `{}`", shortened(code))?;
        if let Some(description) = &self.description {
            write!(f, " ({})", shortened(description))?;
        }
        match self.advice() {
            Some(advice) => write!(f, ": {advice}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for TokenRefusal {}
