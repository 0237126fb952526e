//! What becomes of a request that does not meet its policy: a rejection, or a report.

use axum::extract::MatchedPath;
use http::request::Parts;

use super::AuthRejection;
use crate::{AuthError, Keycloak, challenge::Answer, policy::Policy, text::shortened};

/// In the extensions of a request: policies are reported about and not enforced.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReportOnly;

/// Refuses a request for what its policy says of it, and logs why. Lets it through where policies are only reported about.
#[cold]
pub(super) fn refuse(
    error: AuthError,
    policy: &'static Policy,
    handler: &'static str,
    parts: &Parts,
    keycloak: Keycloak,
) -> Result<(), AuthRejection> {
    let method = shortened(parts.method.as_str());
    let route = parts
        .extensions
        .get::<MatchedPath>()
        .map_or("(no route)", MatchedPath::as_str);
    if parts.extensions.get::<ReportOnly>().is_some() {
        keycloak.metrics().policy_would_deny(handler, Answer::to(&error).code);
        tracing::warn!(
            target: "keycloak_auth", %method, route, handler, policy = %policy, "report only, let through: {error}"
        );
        return Ok(());
    }
    tracing::debug!(target: "keycloak_auth", %method, route, handler, policy = %policy, "denied: {error}");
    Err(AuthRejection::new(error, keycloak))
}
