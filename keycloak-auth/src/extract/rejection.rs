//! The rejection of all extractors in here.

use std::{error::Error, fmt};

use axum::response::{IntoResponse, Response};

use crate::{
    AuthError, Keycloak,
    challenge::{Answer, ErrorFormat},
};

/// Why an extractor refused a request; answers in the format that was configured.
#[derive(Clone, Debug)]
pub struct AuthRejection(Box<Refusal>);

/// In a box, because the future of every handler has room for it and nearly none needs it.
#[derive(Clone, Debug)]
struct Refusal {
    error: AuthError,
    /// Whose format and realm the answer has.
    keycloak: Option<Keycloak>,
}

impl AuthRejection {
    pub(crate) fn new(error: AuthError, keycloak: Keycloak) -> Self {
        Self(Box::new(Refusal {
            error,
            keycloak: Some(keycloak),
        }))
    }

    pub(crate) fn not_installed() -> Self {
        Self(Box::new(Refusal {
            error: AuthError::NotInstalled,
            keycloak: None,
        }))
    }

    /// The cause.
    #[must_use]
    pub fn error(&self) -> &AuthError {
        &self.0.error
    }
}

impl fmt::Display for AuthRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.error.fmt(f)
    }
}

/// Says what its [`error`](AuthRejection::error) says, so that its cause is that one's.
impl Error for AuthRejection {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.error.source()
    }
}

impl IntoResponse for AuthRejection {
    fn into_response(self) -> Response {
        match &self.0.keycloak {
            Some(keycloak) => keycloak.respond(&self.0.error),
            None => Answer::to(&self.0.error).response(&ErrorFormat::Envelope, None),
        }
    }
}
