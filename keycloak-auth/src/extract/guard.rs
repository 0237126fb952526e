//! The guard: a handler's policy as its first argument, so that it is asked before the body is read.

use std::{fmt, future::Future, marker::PhantomData};

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;

use super::{
    AuthRejection,
    authenticate::{caller, keycloak_for},
    refusal::{refuse, why},
};
use crate::{
    AuthError, Keycloak,
    policy::{Decision, EvaluationContext, Policy},
};

/// A policy as a type; `#[keycloak(...)]` makes one for each handler.
pub trait HandlerPolicy: Send + Sync + 'static {
    /// The policy.
    const POLICY: &'static Policy;
    /// The path of the handler, for the log.
    const HANDLER: &'static str;
}

/// Lets a request through to the handler when it meets the policy `P`.
pub struct Guard<P>(PhantomData<fn() -> P>);

impl<P> fmt::Debug for Guard<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guard")
    }
}

impl<S, P> FromRequestParts<S> for Guard<P>
where
    S: Send + Sync + 'static,
    P: HandlerPolicy,
{
    type Rejection = AuthRejection;

    fn from_request_parts(parts: &mut Parts, state: &S) -> impl Future<Output = Result<Self, AuthRejection>> + Send {
        // All that depends on the types happens here: the rest is compiled once, not once for each handler.
        let keycloak = keycloak_for(parts, state);
        let authorized = authorize(P::POLICY, P::HANDLER, parts, keycloak);
        async move { authorized.await.map(|()| Self(PhantomData)) }
    }
}

/// What a guard does, for a policy that is no type.
pub(crate) async fn authorize_by<S: 'static>(
    policy: &'static Policy,
    handler: &'static str,
    parts: &mut Parts,
    state: &S,
) -> Result<(), AuthRejection> {
    let keycloak = keycloak_for(parts, state);
    authorize(policy, handler, parts, keycloak).await
}

async fn authorize(
    policy: &'static Policy,
    handler: &'static str,
    parts: &mut Parts,
    keycloak: Option<Keycloak>,
) -> Result<(), AuthRejection> {
    if policy.is_public() {
        return Ok(());
    }
    let Some(keycloak) = keycloak else {
        tracing::error!(target: "keycloak_auth", handler, "{}", AuthError::NotInstalled);
        return Err(AuthRejection::not_installed());
    };
    let Some(user) = caller(parts, Some(&keycloak)).await? else {
        return refuse(AuthError::MissingCredentials, None, handler, parts, keycloak);
    };
    let parameters = match policy.needs_path_parameters() {
        true => RawPathParams::from_request_parts(parts, &()).await.ok(),
        false => None,
    };
    let parameters: Vec<_> = parameters.iter().flatten().collect();
    let context = EvaluationContext::new(keycloak.client_id(), keycloak.now()).with_path_parameters(&parameters);
    let error = match policy.evaluate(&user, &context) {
        Decision::Allow => return Ok(()),
        Decision::Deny(denial) => AuthError::Forbidden(denial),
        Decision::StepUp(step_up) => AuthError::StepUp(step_up),
    };
    let why = why(policy, &user, &context, parts);
    refuse(error, why, handler, parts, keycloak)
}
