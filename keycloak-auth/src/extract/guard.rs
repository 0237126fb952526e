//! The guard: a handler's policy as its first argument, so that it is asked before the body is read.
//!
//! In a `SecureRouter` it is asked by [`admit`] before the arguments are made, and the guard is a receipt for that.

use std::{
    borrow::Cow,
    fmt,
    future::Future,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
};

use axum::extract::{FromRequest, FromRequestParts, Request};
use http::{Extensions, request::Parts};

use super::{
    AuthRejection,
    authenticate::{Asker, Caller, Judgement, Unasked, asked, at_once, with_caller},
    context::{Kept, Known, keep, known_to_guard, pass_guard},
    demand::Demand,
    head::Head,
    outcome::{Enforcement, ReportOnly, allow, refuse, reject},
    state::InState,
};
use crate::{Keycloak, Policy, error::Cause};

/// A policy as a type; `#[keycloak(...)]` makes one for each handler.
pub trait HandlerPolicy: Send + Sync + 'static {
    /// The policy.
    const POLICY: &'static Policy;
    /// The path of the handler, for the log.
    const HANDLER: &'static str;
}

/// Lets a request through to the handler when it meets the policy `P`.
///
/// It is asked before the body is read: as the first of several arguments, or alone in the place of the last one.
pub struct Guard<P, Place = First>(PhantomData<fn() -> (P, Place)>);

/// The place of a [`Guard`] before the handler's other arguments, which are extracted after it.
#[derive(Debug)]
pub enum First {}

/// The place of a [`Guard`] whose handler has no other argument.
///
/// axum hands the whole request to the last argument. To one that wants its parts only, it does so by a detour that is compiled
/// for each handler and is larger than the guard.
#[derive(Debug)]
pub enum Alone {}

impl<P, Place> Guard<P, Place> {
    /// The guard of a request that was let through: only once [`admit`] has returned `Ok`.
    pub(crate) const fn passed() -> Self {
        Self(PhantomData)
    }
}

impl<P, Place> fmt::Debug for Guard<P, Place> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guard")
    }
}

// What follows is compiled for each handler, so it only says which policy: the rest is compiled once.

impl<S, P> FromRequestParts<S> for Guard<P, First>
where
    S: Send + Sync + 'static,
    P: HandlerPolicy,
{
    type Rejection = AuthRejection;

    fn from_request_parts(parts: &mut Parts, state: &S) -> impl Future<Output = Result<Self, AuthRejection>> + Send {
        let rule = const { &Rule::new(P::POLICY, P::HANDLER) };
        Guarding::until(lent(rule, parts, Secured::UNSAID, state))
    }
}

impl<S, P> FromRequest<S> for Guard<P, Alone>
where
    S: Send + Sync + 'static,
    P: HandlerPolicy,
{
    type Rejection = AuthRejection;

    fn from_request(request: Request, state: &S) -> impl Future<Output = Result<Self, AuthRejection>> + Send {
        Guarding::until(given(const { &Rule::new(P::POLICY, P::HANDLER) }, request, state))
    }
}

/// The future of a guard; an `async` block would be as large again.
struct Guarding<'p, P, Place> {
    authorized: Judgement<'p, ()>,
    guard: PhantomData<fn() -> (P, Place)>,
}

impl<'p, P, Place> Guarding<'p, P, Place> {
    const fn until(authorized: Judgement<'p, ()>) -> Self {
        Self {
            authorized,
            guard: PhantomData,
        }
    }
}

impl<P, Place> Future for Guarding<'_, P, Place> {
    type Output = Result<Guard<P, Place>, AuthRejection>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut().authorized.poll_unpinned(context) {
            Poll::Ready(Ok(())) => Poll::Ready(Ok(Guard::passed())),
            Poll::Ready(Err(rejection)) => Poll::Ready(Err(rejection)),
            Poll::Pending => Poll::Pending,
        }
    }
}

/// A policy and its handler, with what is known of them when they are compiled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    demand: Demand,
    handler: &'static str,
}

impl Rule {
    pub(crate) const fn new(policy: &Policy, handler: &'static str) -> Self {
        Self {
            demand: Demand::new(*policy),
            handler,
        }
    }
}

/// What a router says to a guard when it is secured: which [`Keycloak`] it asks.
#[derive(Clone, Debug)]
pub(crate) enum Secured {
    With(Keycloak, Enforcement),
    FromState(InState, Enforcement),
    /// The one that the request or its state names.
    AsRequested(Enforcement),
}

impl Secured {
    /// What is said to a guard that is no more than an argument: what there is to know is in the state and in the request.
    pub(crate) const UNSAID: &Self = &Self::AsRequested(Enforcement::UnlessMarked);

    pub(crate) const fn enforcement(&self) -> Enforcement {
        let (Self::With(_, enforcement) | Self::FromState(_, enforcement) | Self::AsRequested(enforcement)) = self;
        *enforcement
    }

    /// The same with another enforcement.
    pub(crate) fn enforced(mut self, as_said: Enforcement) -> Self {
        let (Self::With(_, enforcement) | Self::FromState(_, enforcement) | Self::AsRequested(enforcement)) = &mut self;
        *enforcement = as_said;
        self
    }

    /// It is all the same to a guard that has a [`Keycloak`] by its router who has asked further out, and whom that one found: the
    /// request may have other credentials since.
    fn known<'k, S: 'static>(&'k self, extensions: &Extensions, state: &'k S) -> Known<'k> {
        let (keycloak, kept) = match self {
            Self::With(keycloak, _) => (Some(Cow::Borrowed(keycloak)), Kept::ForHandler),
            Self::FromState(in_state, _) => (in_state(state), Kept::InPlaceOfOthers),
            Self::AsRequested(_) => return known_to_guard(extensions, state),
        };
        Known {
            keycloak,
            user: None,
            kept,
        }
    }

    /// Says to the arguments of a handler whose policy asks nothing which [`Keycloak`] they are to ask.
    fn introduce<S: 'static>(&self, extensions: &mut Extensions, state: &S) {
        end_mark(self.enforcement(), extensions);
        match self {
            Self::With(keycloak, _) => keep(None, extensions, keycloak, Kept::ForHandler),
            Self::FromState(in_state, _) => {
                if let Some(keycloak) = in_state(state) {
                    keep(None, extensions, &keycloak, Kept::InPlaceOfOthers);
                }
            }
            Self::AsRequested(_) => pass_guard(extensions),
        }
    }
}

/// Asks about a request whose parts are needed afterwards, as by other arguments.
pub(crate) fn lent<'p, S: 'static>(
    rule: &'p Rule,
    parts: &'p mut Parts,
    secured: &Secured,
    state: &S,
) -> Judgement<'p, ()> {
    if rule.demand.is_public() {
        secured.introduce(&mut parts.extensions, state);
        return Judgement::ready(Ok(()));
    }
    let known = secured.known(&parts.extensions, state);
    with_caller(parts, known, Some(rule.handler), decision(rule, secured.enforcement()))
}

/// Asks about a request that nobody needs afterwards. It stays where it is, unless it has to wait.
fn given<S: 'static>(rule: &'static Rule, mut request: Request, state: &S) -> Judgement<'static, ()> {
    let secured = Secured::UNSAID;
    match admit(rule, &mut request, secured, state, Asker::Last) {
        Ok(()) => Judgement::ready(Ok(())),
        Err(Hurdle::Refused(rejection)) => Judgement::ready(Err(rejection)),
        Err(Hurdle::Unasked(unasked)) => Judgement::asked(async move {
            ask(rule, request, unasked, secured.enforcement()).await?;
            Ok(())
        }),
    }
}

/// What keeps a request from being let through.
pub(crate) enum Hurdle {
    Refused(AuthRejection),
    /// Keycloak has to be asked, by [`ask`].
    Unasked(Unasked),
}

/// Asks about a request where it lies.
pub(crate) fn admit<S: 'static>(
    rule: &Rule,
    request: &mut Request,
    secured: &Secured,
    state: &S,
    asker: Asker,
) -> Result<(), Hurdle> {
    if rule.demand.is_public() {
        if asker == Asker::Any {
            secured.introduce(request.extensions_mut(), state);
        }
        return Ok(());
    }
    let known = secured.known(request.extensions(), state);
    let decision = decision(rule, secured.enforcement());
    match at_once(request, known, asker, Some(rule.handler), decision) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(rejection)) => Err(Hurdle::Refused(rejection)),
        Err(unasked) => Err(Hurdle::Unasked(unasked)),
    }
}

/// Asks about a request by asking Keycloak, and gives it back when it is let through.
#[cold]
pub(crate) fn ask(
    rule: &'static Rule,
    mut request: Request,
    unasked: Unasked,
    enforcement: Enforcement,
) -> Pin<Box<dyn Future<Output = Result<Request, AuthRejection>> + Send>> {
    Box::pin(async move {
        asked(&mut request, unasked, decision(rule, enforcement)).await?;
        Ok(request)
    })
}

/// What the rule makes of a caller.
fn decision<'p, H: Head>(
    rule: &'p Rule,
    enforcement: Enforcement,
) -> impl Fn(Caller<'_>, &mut H, &Keycloak) -> Result<(), AuthRejection> + Copy + Send + 'p {
    let Rule { demand, handler } = rule;
    move |caller, head, keycloak| {
        let decided = match caller {
            Ok(Some(user)) => match demand.check(user, enforcement, head, keycloak) {
                Ok(()) => {
                    allow(user, handler, head, keycloak);
                    Ok(())
                }
                Err((error, why)) => refuse(error.into(), why, Some(user), enforcement, handler, head, keycloak),
            },
            Ok(None) => refuse(Cause::NO_CREDENTIALS, None, None, enforcement, handler, head, keycloak),
            Err(error) => Err(reject(error, handler, head, keycloak)),
        };
        end_mark(enforcement, head.extensions_mut());
        decided
    }
}

/// A mark is for the first guard that finds it, whose handler may pass the request on to others.
#[inline]
fn end_mark(enforcement: Enforcement, extensions: &mut Extensions) {
    if enforcement != Enforcement::Enforced {
        extensions.remove::<ReportOnly>();
    }
}
