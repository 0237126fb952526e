//! The way into a handler of a `SecureRouter`.
//!
//! axum makes a handler's arguments inside of its future. Here the guard, which is the first of them, is asked before there is one:
//! a request that is refused is not made ready for anything, and one for a handler without further arguments is not moved into a
//! future either.

use std::{
    future::Future,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    handler::{Handler, Layered},
    response::{IntoResponse, Response},
};

use super::guarded::GuardArg;
use crate::{
    extract::{Admitted, AuthRejection, Demand, Hurdle, admit, ask},
    policy::Policy,
};

/// The future of a handler, which has the same type for all handlers, so that what is around it is compiled once.
type Answering = Pin<Box<dyn Future<Output = Response> + Send>>;

/// The arguments of a handler `H` that has a policy, and how it is called with them.
///
/// `axum::handler::Handler` has the arguments of a handler as its type parameter; that is what this looks at.
#[diagnostic::on_unimplemented(
    message = "this handler has no `#[keycloak(...)]` policy",
    label = "a handler of a `SecureRouter` needs a policy",
    note = "write `#[keycloak(roles = \"…\")]`, `#[keycloak(authenticated)]` or `#[keycloak(public)]` on the handler"
)]
pub trait GuardedArgs<H, S> {
    /// The policy of the handler.
    const POLICY: &'static Policy;
    /// The path of the handler.
    const HANDLER: &'static str;
    /// How the handler is called for a request that is let through.
    const CALL: Call<H, S>;
}

/// How a handler is called.
///
/// By functions that take no more than they need: a request that a handler has no use for stays where it is.
#[derive(Debug)]
pub enum Call<H, S> {
    /// With nothing but its guard.
    Alone(fn(H) -> Answering),
    /// With further arguments, which are made of the request.
    WithArguments(fn(H, Request, S) -> Answering),
    /// Through layers of its own, behind which its guard is asked.
    ThroughLayers(fn(H, Request, S) -> Answering),
}

impl<H, S> Call<H, S> {
    const fn admitted(&self) -> Admitted {
        match self {
            Self::Alone(_) => Admitted::AsItIs,
            Self::WithArguments(_) => Admitted::ForArguments,
            Self::ThroughLayers(_) => Admitted::ToItsGuard,
        }
    }

    fn call(self, handler: H, request: Request, state: S) -> Answering {
        match self {
            Self::Alone(call) => call(handler),
            Self::WithArguments(call) | Self::ThroughLayers(call) => call(handler, request, state),
        }
    }
}

/// A handler with the arguments `T`, whose policy is asked when it is called.
pub(super) struct Admitting<H, T> {
    handler: H,
    args: PhantomData<fn(T)>,
}

impl<H, T> Admitting<H, T> {
    pub(super) const fn new(handler: H) -> Self {
        Self {
            handler,
            args: PhantomData,
        }
    }
}

impl<H: Clone, T> Clone for Admitting<H, T> {
    fn clone(&self) -> Self {
        Self::new(self.handler.clone())
    }
}

impl<H, T, S> Handler<T, S> for Admitting<H, T>
where
    H: Clone + Send + Sync + 'static,
    T: GuardedArgs<H, S> + 'static,
    S: Send + Sync + 'static,
{
    type Future = Admission;

    #[inline(never)] // so that the request stays where it is, rather than being moved into the frame of a caller
    fn call(self, mut request: Request, state: S) -> Admission {
        let demand = const { &Demand::new(*T::POLICY) };
        let admitted = const { T::CALL.admitted() };
        match admit(demand, T::HANDLER, &mut request, &state, admitted) {
            Ok(()) => Admission::Called(match T::CALL {
                Call::Alone(call) => call(self.handler),
                Call::WithArguments(call) | Call::ThroughLayers(call) => call(self.handler, request, state),
            }),
            Err(Hurdle::Refused(rejection)) => Admission::Refused(Some(rejection)),
            Err(Hurdle::Unasked(unasked)) => Admission::Asking {
                asking: ask(demand, T::HANDLER, request, unasked),
                call: Some(Box::new(|request| T::CALL.call(self.handler, request, state))),
            },
        }
    }
}

/// The future of a handler behind its policy.
pub(super) enum Admission {
    /// The request was let through.
    Called(Answering),
    /// The request was refused. Taken out by the poll that answers it.
    Refused(Option<AuthRejection>),
    /// Keycloak is being asked; afterwards the handler is called.
    Asking {
        asking: Pin<Box<dyn Future<Output = Result<Request, AuthRejection>> + Send>>,
        call: Option<Box<dyn FnOnce(Request) -> Answering + Send>>,
    },
}

impl Future for Admission {
    type Output = Response;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Response> {
        let mut answering = match &mut *self {
            Self::Called(answering) => return answering.as_mut().poll(context),
            Self::Refused(rejection) => return Poll::Ready(once(rejection).into_response()),
            Self::Asking { asking, call } => match ready!(asking.as_mut().poll(context)) {
                Ok(request) => once(call)(request),
                Err(rejection) => return Poll::Ready(rejection.into_response()),
            },
        };
        let answered = answering.as_mut().poll(context);
        *self = Self::Called(answering);
        answered
    }
}

fn once<T>(there: &mut Option<T>) -> T {
    there.take().expect("a future is not polled after it is ready")
}

/// A handler without arguments but its guard.
impl<H, S, M, G, Fut, Res> GuardedArgs<H, S> for (M, G)
where
    H: FnOnce(G) -> Fut + Send + 'static,
    Fut: Future<Output = Res> + Send,
    Res: IntoResponse,
    G: GuardArg,
{
    const POLICY: &'static Policy = G::POLICY;
    const HANDLER: &'static str = G::HANDLER;
    const CALL: Call<H, S> = Call::Alone(|handler| Box::pin(async move { handler(G::passed()).await.into_response() }));
}

macro_rules! guarded_args {
    ($($argument:ident)* ; $last:ident) => {
        /// A handler with more arguments: they are made as axum makes them.
        #[diagnostic::do_not_recommend]
        #[expect(non_snake_case, reason = "arguments are named as their types")]
        impl<H, S, M, G, $($argument,)* $last, Fut, Res> GuardedArgs<H, S> for (M, G, $($argument,)* $last)
        where
            H: FnOnce(G, $($argument,)* $last) -> Fut + Send + 'static,
            Fut: Future<Output = Res> + Send,
            Res: IntoResponse,
            S: Send + Sync + 'static,
            G: GuardArg,
            $($argument: FromRequestParts<S> + Send,)*
            $last: FromRequest<S, M> + Send,
        {
            const POLICY: &'static Policy = G::POLICY;
            const HANDLER: &'static str = G::HANDLER;
            const CALL: Call<H, S> = Call::WithArguments(|handler, request, state| {
                Box::pin(async move {
                    guarded_args!(@parts request, state; $($argument)*);
                    let $last = match $last::from_request(request, &state).await {
                        Ok(argument) => argument,
                        Err(rejection) => return rejection.into_response(),
                    };
                    handler(G::passed(), $($argument,)* $last).await.into_response()
                })
            });
        }

        guarded_args!(@layered $($argument)* $last);
    };
    (@parts $request:ident, $state:ident;) => {};
    (@parts $request:ident, $state:ident; $($argument:ident)+) => {
        let (mut parts, body) = $request.into_parts();
        $(
            let $argument = match $argument::from_request_parts(&mut parts, &$state).await {
                Ok(argument) => argument,
                Err(rejection) => return rejection.into_response(),
            };
        )+
        let $request = Request::from_parts(parts, body);
    };
    (@layered $($argument:ident)*) => {
        /// A handler inside of layers, which are in front of its guard.
        #[diagnostic::do_not_recommend]
        impl<L, H, S, M, G, $($argument,)*> GuardedArgs<Layered<L, H, (M, G, $($argument,)*), S>, S> for (M, G, $($argument,)*)
        where
            Layered<L, H, Self, S>: Handler<Self, S>,
            G: GuardArg,
        {
            const POLICY: &'static Policy = G::POLICY;
            const HANDLER: &'static str = G::HANDLER;
            const CALL: Call<Layered<L, H, Self, S>, S> =
                Call::ThroughLayers(|handler, request, state| Box::pin(handler.call(request, state)));
        }
    };
}

guarded_args!(@layered);
guarded_args!(; T2);
guarded_args!(T2; T3);
guarded_args!(T2 T3; T4);
guarded_args!(T2 T3 T4; T5);
guarded_args!(T2 T3 T4 T5; T6);
guarded_args!(T2 T3 T4 T5 T6; T7);
guarded_args!(T2 T3 T4 T5 T6 T7; T8);
guarded_args!(T2 T3 T4 T5 T6 T7 T8; T9);
guarded_args!(T2 T3 T4 T5 T6 T7 T8 T9; T10);
guarded_args!(T2 T3 T4 T5 T6 T7 T8 T9 T10; T11);
guarded_args!(T2 T3 T4 T5 T6 T7 T8 T9 T10 T11; T12);
guarded_args!(T2 T3 T4 T5 T6 T7 T8 T9 T10 T11 T12; T13);
guarded_args!(T2 T3 T4 T5 T6 T7 T8 T9 T10 T11 T12 T13; T14);
guarded_args!(T2 T3 T4 T5 T6 T7 T8 T9 T10 T11 T12 T13 T14; T15);
guarded_args!(T2 T3 T4 T5 T6 T7 T8 T9 T10 T11 T12 T13 T14 T15; T16);
