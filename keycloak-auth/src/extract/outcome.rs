//! What becomes of a request that a policy was asked about: it is let through, refused, or let through and reported. Each
//! outcome is counted by route, and told at `debug`.

use http::{Extensions, Method};
use tracing::{Level, Span};

use super::{AuthRejection, head::Head};
use crate::{
    AuthError, Keycloak, KeycloakUser,
    challenge::code_of,
    error::Cause,
    metrics::Outcome,
    policy::{EvaluationContext, Explanation, Policy},
    route::{method_name, route_of},
    text::{chain, shortened},
};

/// In the extensions of a request: policies are reported about and not enforced.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReportOnly;

/// What becomes of a request that a policy would refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Enforcement {
    /// It is refused.
    Enforced,
    /// It is let through and reported.
    ReportOnly,
    /// It is refused, unless it is marked [`ReportOnly`].
    UnlessMarked,
}

impl Enforcement {
    fn is_report_only(self, head: &impl Head) -> bool {
        match self {
            Self::Enforced => false,
            Self::ReportOnly => true,
            Self::UnlessMarked => head.extensions().get::<ReportOnly>().is_some(),
        }
    }
}

/// Tells of a decision, and nothing of the request but its method and route.
macro_rules! decision {
    ($level:ident, $outcome:expr, $handler:expr, $method:expr, $extensions:expr, [$($field:tt)*], $($message:tt)*) => {
        tracing::$level!(
            name: "keycloak.decision",
            target: "keycloak_auth",
            { http.request.method = method_name($method), http.route = route_of($extensions),
              code.function.name = $handler, keycloak.outcome = $outcome.as_str(), $($field)* },
            $($message)*
        )
    };
}

/// Lets a request through that meets its policy.
pub(super) fn allow(user: &KeycloakUser, handler: &'static str, head: &impl Head, keycloak: &Keycloak) {
    let (outcome, method, extensions) = (Outcome::Allowed, head.method(), head.extensions());
    keycloak.metrics().decided(extensions, method, outcome);
    record_enduser_id(user, keycloak);
    decision!(
        debug,
        outcome,
        handler,
        method,
        extensions,
        ["enduser.id" = enduser_id(user, keycloak)],
        "allowed"
    );
}

/// Why the policy is not met, where somebody reads it.
#[cold]
pub(super) fn why(
    policy: &Policy,
    user: &KeycloakUser,
    context: &EvaluationContext<'_>,
    enforcement: Enforcement,
    head: &impl Head,
) -> Option<Explanation> {
    let is_read = tracing::enabled!(target: "keycloak_auth", Level::DEBUG) || enforcement.is_report_only(head);
    is_read.then(|| policy.explain(user, context).of_incomplete(user.is_incomplete()))
}

/// Refuses a request for what its policy says of it, and logs why. Lets it through where policies are only reported about.
#[cold]
pub(super) fn refuse(
    error: Cause,
    why: Option<Explanation>,
    user: Option<&KeycloakUser>,
    enforcement: Enforcement,
    handler: &'static str,
    head: &impl Head,
    keycloak: &Keycloak,
) -> Result<(), AuthRejection> {
    let (method, extensions) = (head.method(), head.extensions());
    if !enforcement.is_report_only(head) {
        note_refusal(&error, why.as_ref(), user, Some(handler), method, extensions, keycloak);
        return Err(AuthRejection::new(error, keycloak));
    }
    if let Some(user) = user {
        record_enduser_id(user, keycloak);
    }
    let (outcome, code) = (Outcome::WouldDeny, code_of(&error));
    keycloak.metrics().decided(extensions, method, outcome);
    keycloak.metrics().policy_would_deny(handler, code);
    decision!(
        warn,
        outcome,
        handler,
        method,
        extensions,
        [
            "error.type" = code,
            "enduser.id" = user.and_then(|user| enduser_id(user, keycloak))
        ],
        "report only, the policy would have refused: {}",
        text_of(&error, why.as_ref())
    );
    Ok(())
}

/// Refuses a request whose credentials are not acceptable or cannot be judged, also where policies are only reported about.
#[cold]
pub(super) fn reject(error: Cause, handler: &'static str, head: &impl Head, keycloak: &Keycloak) -> AuthRejection {
    note_refusal(
        &error,
        None,
        None,
        Some(handler),
        head.method(),
        head.extensions(),
        keycloak,
    );
    AuthRejection::new(error, keycloak)
}

/// Notes that a request is refused: for its credentials by the guard of `handler`, or by a layer in front of all handlers.
#[cold]
pub(crate) fn note_refusal(
    error: &AuthError,
    why: Option<&Explanation>,
    user: Option<&KeycloakUser>,
    handler: Option<&'static str>,
    method: &Method,
    extensions: &Extensions,
    keycloak: &Keycloak,
) {
    if let Some(user) = user {
        record_enduser_id(user, keycloak);
    }
    let outcome = outcome_of(error);
    keycloak.metrics().decided(extensions, method, outcome);
    decision!(
        debug,
        outcome,
        handler,
        method,
        extensions,
        [
            "error.type" = code_of(error),
            "enduser.id" = user.and_then(|user| enduser_id(user, keycloak))
        ],
        "refused: {}",
        text_of(error, why)
    );
}

/// The outcome of a request that is answered with this error.
const fn outcome_of(error: &AuthError) -> Outcome {
    match error {
        AuthError::MissingCredentials => Outcome::Unauthenticated,
        AuthError::InvalidRequest(_) => Outcome::InvalidRequest,
        AuthError::InvalidToken(_) => Outcome::InvalidToken,
        AuthError::Forbidden(_) => Outcome::Denied,
        AuthError::StepUp(_) => Outcome::StepUp,
        AuthError::Unavailable(_)
        | AuthError::IntrospectionUnavailable(_)
        | AuthError::TokenRefused(_)
        | AuthError::TokenEndpointUnavailable(_)
        | AuthError::NotInstalled => Outcome::Unavailable,
    }
}

fn text_of(error: &AuthError, why: Option<&Explanation>) -> String {
    why.map_or_else(|| chain(error), Explanation::to_string)
}

/// The caller's subject, where the configuration wants it told.
fn enduser_id(user: &KeycloakUser, keycloak: &Keycloak) -> Option<String> {
    keycloak
        .records_enduser_id()
        .then(|| shortened(user.subject().unwrap_or_default()).to_string())
}

/// Tells the span of the request whose it is, where the configuration wants it told and the span has a field for that.
#[inline]
fn record_enduser_id(user: &KeycloakUser, keycloak: &Keycloak) {
    if keycloak.records_enduser_id()
        && let Some(subject) = user.subject()
    {
        Span::current().record("enduser.id", tracing::field::display(shortened(subject)));
    }
}
