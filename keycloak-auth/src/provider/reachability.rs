//! Whether an endpoint answers, told once for each change.

use std::sync::atomic::{AtomicBool, Ordering};

use super::ProviderError;
use crate::text::chain;

/// What is known of an endpoint that is asked on demand.
#[derive(Debug)]
pub(crate) struct Reachability {
    endpoint: &'static str,
    is_failing: AtomicBool,
}

impl Reachability {
    /// Of an endpoint by its name in a sentence, such as `the token endpoint`.
    pub(crate) const fn of(endpoint: &'static str) -> Self {
        Self {
            endpoint,
            is_failing: AtomicBool::new(false),
        }
    }

    /// Notes how an exchange ended: a warning where the endpoint begins to fail, and not for each request that fails with it.
    pub(crate) fn note(&self, error: Option<&ProviderError>) {
        let was_failing = self.is_failing.swap(error.is_some(), Ordering::Relaxed);
        let endpoint = self.endpoint;
        match error {
            Some(error) if was_failing => {
                tracing::debug!(
                    name: "keycloak.token_endpoint_still_failing",
                    target: "keycloak_auth",
                    { "error.type" = &*error.kind() },
                    "{endpoint} still does not answer: {}", chain(error)
                );
            }
            Some(error) => tracing::warn!(
                name: "keycloak.token_endpoint_failed",
                target: "keycloak_auth",
                { "error.type" = &*error.kind() },
                "{endpoint} does not answer: {}", chain(error)
            ),
            None if was_failing => tracing::info!(
                name: "keycloak.token_endpoint_recovered",
                target: "keycloak_auth",
                "{endpoint} answers again"
            ),
            None => {}
        }
    }
}
