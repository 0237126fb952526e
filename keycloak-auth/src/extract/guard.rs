//! The guard: a handler's policy as its first argument, so that it is asked before the body is read.

use std::{
    fmt,
    future::Future,
    marker::PhantomData,
    pin::{Pin, pin},
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;

use super::{
    AuthRejection,
    authenticate::{Judgement, Known, known, with_caller},
    outcome::{allow, refuse, reject, why},
};
use crate::{
    AuthError, Keycloak, KeycloakUser,
    metrics::route_of,
    policy::{EvaluationContext, Policy},
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
        let known = known(parts, state);
        Guarding {
            authorized: authorize(const { &Demand::new(P::POLICY, P::HANDLER) }, parts, known),
            guard: PhantomData,
        }
    }
}

/// The future of a guard; an `async` block would be as large again.
struct Guarding<'p, P> {
    authorized: Judgement<'p, ()>,
    guard: PhantomData<fn() -> P>,
}

impl<P> Future for Guarding<'_, P> {
    type Output = Result<Guard<P>, AuthRejection>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let authorized = ready!(Pin::new(&mut self.authorized).poll(context));
        Poll::Ready(authorized.map(|()| Guard(PhantomData)))
    }
}

/// What a guard does, for a policy that is no type.
pub(crate) async fn authorize_by<S: 'static>(
    policy: &'static Policy,
    handler: &'static str,
    parts: &mut Parts,
    state: &S,
) -> Result<(), AuthRejection> {
    let known = known(parts, state);
    authorize(&Demand::new(policy, handler), parts, known).await
}

/// What is asked of a caller. A guard's is a constant: no request looks through the policy for what it needs.
struct Demand {
    policy: &'static Policy,
    handler: &'static str,
    needs_time: bool,
    needs_path_parameters: bool,
}

impl Demand {
    const fn new(policy: &'static Policy, handler: &'static str) -> Self {
        Self {
            policy,
            handler,
            needs_time: policy.needs_time(),
            needs_path_parameters: policy.needs_path_parameters(),
        }
    }
}

fn authorize<'p>(demand: &'p Demand, parts: &'p mut Parts, known: Known) -> Judgement<'p, ()> {
    let handler = demand.handler;
    if demand.policy.is_public() {
        return Judgement::ready(Ok(()));
    }
    if !known.has_keycloak() {
        tracing::error!(
            name: "keycloak.not_installed",
            target: "keycloak_auth",
            { http.route = route_of(&parts.extensions), code.function.name = handler },
            "{}", AuthError::NotInstalled
        );
        return Judgement::ready(Err(AuthRejection::not_installed()));
    }
    with_caller(parts, known, move |caller, parts, keycloak| match caller {
        Ok(Some(user)) => decide(demand, &user, parts, keycloak),
        Err(error) => Err(reject(error, handler, parts, keycloak)),
        Ok(None) => refuse(AuthError::MissingCredentials, None, None, handler, parts, keycloak),
    })
}

fn decide(demand: &Demand, user: &KeycloakUser, parts: &mut Parts, keycloak: Keycloak) -> Result<(), AuthRejection> {
    let policy = demand.policy;
    let now = if demand.needs_time {
        keycloak.now()
    } else {
        Duration::ZERO
    };
    let parameters = if demand.needs_path_parameters {
        path_parameters(parts)
    } else {
        None
    };
    // Looking through what is not there would take longer than the decision.
    let parameters = parameters
        .as_ref()
        .map_or_else(Vec::new, |parameters| parameters.iter().collect());
    let context = EvaluationContext::new(keycloak.client_id(), now).with_path_parameters(&parameters);
    let Some(error) = AuthError::of(policy.evaluate(user, &context)) else {
        allow(user, demand.handler, parts, &keycloak);
        return Ok(());
    };
    let why = why(policy, user, &context, parts);
    refuse(error, why, Some(user), demand.handler, parts, keycloak)
}

/// The path's parameters. They lie in the request, so the first poll of their extractor has them; were that ever otherwise,
/// there would be none, and no policy about them would be met.
pub(crate) fn path_parameters(parts: &mut Parts) -> Option<RawPathParams> {
    let extracted = pin!(RawPathParams::from_request_parts(parts, &()));
    match extracted.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(parameters) => parameters.ok(),
        Poll::Pending => None,
    }
}
