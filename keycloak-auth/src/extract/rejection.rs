//! The rejection of all extractors in here.

use axum::response::{IntoResponse, Response};

use crate::{
    AuthError, Keycloak,
    challenge::{Answer, ErrorFormat},
};

/// Why an extractor refused a request; answers in the format that was configured.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{error}")]
pub struct AuthRejection {
    #[source]
    error: AuthError,
    /// Whose format and realm the answer has.
    keycloak: Option<Keycloak>,
}

impl AuthRejection {
    pub(crate) fn new(error: AuthError, keycloak: Keycloak) -> Self {
        Self {
            error,
            keycloak: Some(keycloak),
        }
    }

    pub(crate) fn not_installed() -> Self {
        Self {
            error: AuthError::NotInstalled,
            keycloak: None,
        }
    }

    /// The cause.
    #[must_use]
    pub fn error(&self) -> &AuthError {
        &self.error
    }
}

impl IntoResponse for AuthRejection {
    fn into_response(self) -> Response {
        match &self.keycloak {
            Some(keycloak) => keycloak.respond(&self.error),
            None => Answer::to(&self.error).response(&ErrorFormat::Envelope, None),
        }
    }
}
