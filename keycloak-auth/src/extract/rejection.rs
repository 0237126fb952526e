//! The rejection of all extractors in here.

use std::{error::Error, fmt};

use axum::response::{IntoResponse, Response};

use crate::{AuthError, Keycloak, challenge::respond_as_anybody, error::Cause};

/// Why an extractor refused a request; answers in the format that was configured.
#[derive(Clone, Debug)]
pub struct AuthRejection(Refusal);

/// Small, because the future of every handler has room for it and nearly none needs it.
#[derive(Clone, Debug)]
enum Refusal {
    /// Whoever refuses for this answers the same.
    ByAnybody(&'static AuthError),
    WithoutCredentials(Keycloak),
    Other(Box<(Cause, Keycloak)>),
}

impl AuthRejection {
    pub(crate) fn new(cause: Cause, keycloak: &Keycloak) -> Self {
        Self(match cause {
            Cause::Known(AuthError::MissingCredentials) => Refusal::WithoutCredentials(keycloak.clone()),
            Cause::Known(error) if keycloak.answers_as_anybody(error) => Refusal::ByAnybody(error),
            cause => Refusal::Other(Box::new((cause, keycloak.clone()))),
        })
    }

    pub(crate) fn not_installed() -> Self {
        Self(Refusal::ByAnybody(&AuthError::NotInstalled))
    }

    /// The cause.
    #[must_use]
    pub fn error(&self) -> &AuthError {
        match &self.0 {
            Refusal::ByAnybody(error) => error,
            Refusal::WithoutCredentials(_) => &AuthError::MissingCredentials,
            Refusal::Other(other) => &other.0,
        }
    }
}

impl fmt::Display for AuthRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error().fmt(f)
    }
}

/// Says what its [`error`](AuthRejection::error) says, so that its cause is that one's.
impl Error for AuthRejection {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error().source()
    }
}

impl IntoResponse for AuthRejection {
    fn into_response(self) -> Response {
        match &self.0 {
            Refusal::ByAnybody(error) => respond_as_anybody(error),
            Refusal::WithoutCredentials(keycloak) => keycloak.respond(&AuthError::MissingCredentials),
            Refusal::Other(other) => other.1.respond(&other.0),
        }
    }
}
