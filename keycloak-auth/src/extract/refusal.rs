//! What becomes of a request that does not meet its policy: a rejection, or a report.

use std::fmt;

use axum::extract::MatchedPath;
use http::request::Parts;
use tracing::Level;

use super::AuthRejection;
use crate::{
    AuthError, Keycloak, KeycloakUser,
    challenge::Answer,
    policy::{EvaluationContext, Explanation, Policy},
    text::shortened,
};

/// In the extensions of a request: policies are reported about and not enforced.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReportOnly;

/// Why the policy is not met, where somebody reads it.
#[cold]
pub(super) fn why(
    policy: &Policy,
    user: &KeycloakUser,
    context: &EvaluationContext<'_>,
    parts: &Parts,
) -> Option<Explanation> {
    let is_read = tracing::enabled!(target: "keycloak_auth", Level::DEBUG) || is_report_only(parts);
    is_read.then(|| policy.explain(user, context))
}

/// Refuses a request for what its policy says of it, and logs why. Lets it through where policies are only reported about.
#[cold]
pub(super) fn refuse(
    error: AuthError,
    why: Option<Explanation>,
    handler: &'static str,
    parts: &Parts,
    keycloak: Keycloak,
) -> Result<(), AuthRejection> {
    let method = shortened(parts.method.as_str());
    let route = parts
        .extensions
        .get::<MatchedPath>()
        .map_or("(no route)", MatchedPath::as_str);
    let why: &dyn fmt::Display = match &why {
        Some(explanation) => explanation,
        None => &error,
    };
    if is_report_only(parts) {
        keycloak.metrics().policy_would_deny(handler, Answer::to(&error).code);
        tracing::warn!(
            target: "keycloak_auth", %method, route, handler, "report only, let through: {why}"
        );
        return Ok(());
    }
    tracing::debug!(target: "keycloak_auth", %method, route, handler, "refused: {why}");
    Err(AuthRejection::new(error, keycloak))
}

fn is_report_only(parts: &Parts) -> bool {
    parts.extensions.get::<ReportOnly>().is_some()
}
