//! The guard: a handler's policy as its first argument, so that it is asked before the body is read.

use std::{
    fmt,
    future::Future,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::{
    AuthRejection,
    authenticate::{Judgement, Known, known, with_caller},
    demand::Demand,
    outcome::{allow, refuse, reject},
};
use crate::{AuthError, Policy};

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
            authorized: authorize(const { &Demand::new(*P::POLICY) }, P::HANDLER, parts, known),
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
    authorize(&Demand::new(*policy), handler, parts, known).await
}

fn authorize<'p>(demand: &'p Demand, handler: &'static str, parts: &'p mut Parts, known: Known) -> Judgement<'p, ()> {
    if demand.is_public() {
        return Judgement::ready(Ok(()));
    }
    with_caller(
        parts,
        known,
        Some(handler),
        move |caller, parts, keycloak| match caller {
            Ok(Some(user)) => match demand.ask(&user, parts, &keycloak) {
                Ok(()) => {
                    allow(&user, handler, parts, &keycloak);
                    Ok(())
                }
                Err((error, why)) => refuse(error, why, Some(&user), handler, parts, keycloak),
            },
            Ok(None) => refuse(AuthError::MissingCredentials, None, None, handler, parts, keycloak),
            Err(error) => Err(reject(error, handler, parts, keycloak)),
        },
    )
}
