//! A call that is not sent, since there is no token for it.

use std::{error::Error, fmt};

use crate::AuthError;

/// A service is not called, because there is no token for the call. `Display` says why.
#[derive(Debug)]
pub struct NoToken {
    origin: String,
    cause: AuthError,
}

impl NoToken {
    pub(super) fn new(origin: String, cause: AuthError) -> Self {
        Self { origin, cause }
    }

    /// The service: scheme, host and port.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Why there is none: [`AuthError::TokenRefused`] or [`AuthError::TokenEndpointUnavailable`].
    #[must_use]
    pub fn cause(&self) -> &AuthError {
        &self.cause
    }
}

impl fmt::Display for NoToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, cause } = self;
        write!(f, "`{origin}` is not called: {cause}")
    }
}

/// The sources are those of the cause, which `Display` has said already.
impl Error for NoToken {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.source()
    }
}
