//! Keycloak cannot be asked now.

use std::{sync::Arc, time::Duration};

use super::ProviderError;

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

    /// For an endpoint that is asked anew by each request: the next one may come right away, unless the endpoint says otherwise.
    pub(crate) fn for_now(cause: Arc<ProviderError>) -> Self {
        let wait = cause.retry_after().unwrap_or_default();
        Self::new(cause, wait)
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
