//! The way into a handler of a `SecureRouter`.
//!
//! axum makes a handler's arguments inside of its future. Here the guard, which is the first of them, is asked before there is one:
//! a request that is refused is not made ready for anything, and one for a handler without further arguments is not moved into a
//! future either.

use std::{
    fmt,
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
use pin_project_lite::pin_project;

use super::guarded::GuardArg;
use crate::{
    extract::{Admitted, AuthRejection, Demand, Hurdle, admit, ask},
    policy::Policy,
};

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
    /// What becomes of a request that the policy lets through; `None` where the handler asks its guard itself.
    const ADMITTED: Option<Admitted>;

    /// What becomes of the call.
    type Future: Future<Output: IntoResponse> + Send + 'static;

    /// Calls the handler for a request that its policy lets through.
    fn call(handler: H, request: Request, state: S) -> Self::Future;
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
    type Future = Admission<H, T, S>;

    fn call(self, mut request: Request, state: S) -> Admission<H, T, S> {
        let demand = const { &Demand::new(*T::POLICY) };
        match T::ADMITTED.map_or(Ok(()), |admitted| {
            admit(demand, T::HANDLER, &mut request, &state, admitted)
        }) {
            Ok(()) => Admission::Called {
                future: T::call(self.handler, request, state),
            },
            Err(Hurdle::Refused(rejection)) => Admission::Refused {
                rejection: Some(rejection),
            },
            Err(Hurdle::Unasked(unasked)) => Admission::Asking {
                asking: ask(demand, T::HANDLER, request, unasked),
                handler: Some((self.handler, state)),
            },
        }
    }
}

pin_project! {
    /// The future of a handler behind its policy.
    #[project = Projected]
    pub(super) enum Admission<H, T, S>
    where
        T: GuardedArgs<H, S>,
    {
        /// The request was let through.
        Called { #[pin] future: T::Future },
        /// The request was refused. Taken out by the poll that answers it.
        Refused { rejection: Option<AuthRejection> },
        /// Keycloak is being asked; afterwards the handler is called.
        Asking {
            asking: Pin<Box<dyn Future<Output = Result<Request, AuthRejection>> + Send>>,
            handler: Option<(H, S)>,
        },
    }
}

impl<H, T, S> Future for Admission<H, T, S>
where
    T: GuardedArgs<H, S>,
{
    type Output = Response;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Response> {
        let future = match self.as_mut().project() {
            Projected::Called { future } => return future.poll(context).map(IntoResponse::into_response),
            Projected::Refused { rejection } => return Poll::Ready(once(rejection).into_response()),
            Projected::Asking { asking, handler } => match ready!(asking.as_mut().poll(context)) {
                Ok(request) => {
                    let (handler, state) = once(handler);
                    T::call(handler, request, state)
                }
                Err(rejection) => return Poll::Ready(rejection.into_response()),
            },
        };
        self.set(Self::Called { future });
        self.poll(context)
    }
}

fn once<T>(there: &mut Option<T>) -> T {
    there.take().expect("a future is not polled after it is ready")
}

impl<H, T, S> fmt::Debug for Admission<H, T, S>
where
    T: GuardedArgs<H, S>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admission").finish_non_exhaustive()
    }
}

/// A handler without arguments but its guard: its future is all there is.
impl<H, S, M, G, Fut, Res> GuardedArgs<H, S> for (M, G)
where
    H: FnOnce(G) -> Fut,
    Fut: Future<Output = Res> + Send + 'static,
    Res: IntoResponse,
    G: GuardArg,
{
    const POLICY: &'static Policy = G::POLICY;
    const HANDLER: &'static str = G::HANDLER;
    const ADMITTED: Option<Admitted> = Some(Admitted::AsItIs);

    type Future = Fut;

    fn call(handler: H, _: Request, _: S) -> Fut {
        handler(G::passed())
    }
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
            const ADMITTED: Option<Admitted> = Some(Admitted::ForArguments);

            type Future = Pin<Box<dyn Future<Output = Response> + Send>>;

            fn call(handler: H, request: Request, state: S) -> Self::Future {
                Box::pin(async move {
                    guarded_args!(@parts request, state; $($argument)*);
                    let $last = match $last::from_request(request, &state).await {
                        Ok(argument) => argument,
                        Err(rejection) => return rejection.into_response(),
                    };
                    handler(G::passed(), $($argument,)* $last).await.into_response()
                })
            }
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
            const ADMITTED: Option<Admitted> = None;

            type Future = <Layered<L, H, Self, S> as Handler<Self, S>>::Future;

            fn call(handler: Layered<L, H, Self, S>, request: Request, state: S) -> Self::Future {
                handler.call(request, state)
            }
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
