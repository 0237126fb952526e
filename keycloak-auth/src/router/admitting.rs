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

use super::{
    guarded::GuardArg,
    handed::{Handed, Handing},
};
use crate::{
    extract::{Asker, AuthRejection, Hurdle, Rule, admit, ask},
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
pub trait GuardedArgs<H, S>: Sized {
    /// The policy of the handler.
    const POLICY: &'static Policy;
    /// The path of the handler.
    const HANDLER: &'static str;

    /// The handler, whose policy is asked when it is called.
    type Admitting: Handler<Self, S>;

    /// Has the policy of the handler asked when it is called, as the router says by what it hands to it.
    fn admitting(handler: H, handing: &mut Handing) -> Self::Admitting;
}

/// A handler without arguments but its guard. A request that is let through stays where it is: nobody has a use for it.
#[derive(Debug)]
pub struct GuardAlone<H, G>(H, Handed, PhantomData<fn(G)>);

impl<H: Clone, G> Clone for GuardAlone<H, G> {
    fn clone(&self) -> Self {
        Self(self.0.clone(), self.1.clone(), PhantomData)
    }
}

impl<H, S, M, G, Fut, Res> Handler<(M, G), S> for GuardAlone<H, G>
where
    H: FnOnce(G) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Res> + Send,
    Res: IntoResponse,
    G: GuardArg,
    S: Send + Sync + 'static,
{
    type Future = Admission;

    #[inline(never)] // moving the request into the frame of a caller would take longer
    fn call(self, mut request: Request, state: S) -> Admission {
        let rule = const { &Rule::new(G::POLICY, G::HANDLER) };
        let secured = self.1.secured();
        match admit(rule, &mut request, secured, &state, Asker::Last) {
            Ok(()) => Admission::Called(answer_alone(self.0)),
            Err(Hurdle::Refused(rejection)) => Admission::Refused(Some(rejection)),
            Err(Hurdle::Unasked(unasked)) => Admission::Asking {
                asking: ask(rule, request, unasked, secured.enforcement),
                call: Some(Box::new(|_| answer_alone(self.0))),
            },
        }
    }
}

fn answer_alone<H, G, Fut, Res>(handler: H) -> Answering
where
    H: FnOnce(G) -> Fut + Send + 'static,
    Fut: Future<Output = Res> + Send,
    Res: IntoResponse,
    G: GuardArg,
{
    Box::pin(async move { handler(G::passed()).await.into_response() })
}

impl<H, S, M, G, Fut> GuardedArgs<H, S> for (M, G)
where
    H: FnOnce(G) -> Fut,
    GuardAlone<H, G>: Handler<Self, S>,
    G: GuardArg,
{
    const POLICY: &'static Policy = G::POLICY;
    const HANDLER: &'static str = G::HANDLER;

    type Admitting = GuardAlone<H, G>;

    fn admitting(handler: H, handing: &mut Handing) -> GuardAlone<H, G> {
        GuardAlone(handler, handing.next_handed(), PhantomData)
    }
}

/// A handler with the arguments `T`, the first of which is its guard.
#[derive(Debug)]
pub struct GuardFirst<H, T>(H, Handed, PhantomData<fn(T)>);

impl<H: Clone, T> Clone for GuardFirst<H, T> {
    fn clone(&self) -> Self {
        Self(self.0.clone(), self.1.clone(), PhantomData)
    }
}

impl<H: Send + 'static, T> GuardFirst<H, T> {
    /// Asks the policy, and has the handler `answer` a request that is let through.
    fn call_guarded<G: GuardArg, S: Send + 'static>(
        self,
        mut request: Request,
        state: S,
        answer: fn(H, Request, S) -> Answering,
    ) -> Admission {
        let rule = const { &Rule::new(G::POLICY, G::HANDLER) };
        let secured = self.1.secured();
        match admit(rule, &mut request, secured, &state, Asker::Any) {
            Ok(()) => Admission::Called(answer(self.0, request, state)),
            Err(Hurdle::Refused(rejection)) => Admission::Refused(Some(rejection)),
            Err(Hurdle::Unasked(unasked)) => Admission::Asking {
                asking: ask(rule, request, unasked, secured.enforcement),
                call: Some(Box::new(move |request| answer(self.0, request, state))),
            },
        }
    }
}

/// The future of a handler behind its policy.
pub enum Admission {
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

impl fmt::Debug for Admission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admission").finish_non_exhaustive()
    }
}

fn once<T>(there: &mut Option<T>) -> T {
    there.take().expect("a future is not polled after it is ready")
}

macro_rules! guarded_args {
    ($($argument:ident)* ; $last:ident) => {
        #[diagnostic::do_not_recommend]
        #[expect(non_snake_case, reason = "arguments are named as their types")]
        impl<H, S, M, G, $($argument,)* $last, Fut, Res> Handler<(M, G, $($argument,)* $last), S>
            for GuardFirst<H, (M, G, $($argument,)* $last)>
        where
            H: FnOnce(G, $($argument,)* $last) -> Fut + Clone + Send + Sync + 'static,
            Fut: Future<Output = Res> + Send,
            Res: IntoResponse,
            S: Send + Sync + 'static,
            Self: 'static,
            G: GuardArg,
            $($argument: FromRequestParts<S> + Send,)*
            $last: FromRequest<S, M> + Send,
        {
            type Future = Admission;

            fn call(self, request: Request, state: S) -> Admission {
                // The arguments are made as axum makes them.
                self.call_guarded::<G, S>(request, state, |handler, request, state| {
                    Box::pin(async move {
                        guarded_args!(@parts request, state; $($argument)*);
                        let $last = match $last::from_request(request, &state).await {
                            Ok(argument) => argument,
                            Err(rejection) => return rejection.into_response(),
                        };
                        handler(G::passed(), $($argument,)* $last).await.into_response()
                    })
                })
            }
        }

        #[diagnostic::do_not_recommend]
        impl<H, S, M, G, $($argument,)* $last, Fut> GuardedArgs<H, S> for (M, G, $($argument,)* $last)
        where
            H: FnOnce(G, $($argument,)* $last) -> Fut,
            GuardFirst<H, Self>: Handler<Self, S>,
            G: GuardArg,
        {
            const POLICY: &'static Policy = G::POLICY;
            const HANDLER: &'static str = G::HANDLER;

            type Admitting = GuardFirst<H, Self>;

            fn admitting(handler: H, handing: &mut Handing) -> GuardFirst<H, Self> {
                GuardFirst(handler, handing.next_handed(), PhantomData)
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
    // No type is both: whether it implements `FnOnce`, which is `#[fundamental]`, is settled for those of other crates too.
    (@layered $($argument:ident)*) => {
        /// A handler inside of layers, which are in front of its guard: it has that asked itself.
        #[diagnostic::do_not_recommend]
        impl<L, H, S, M, G, $($argument,)*> GuardedArgs<Layered<L, H, (M, G, $($argument,)*), S>, S> for (M, G, $($argument,)*)
        where
            Self: GuardedArgs<H, S>,
            Layered<L, H, Self, S>: Handler<Self, S>,
            G: GuardArg,
        {
            const POLICY: &'static Policy = G::POLICY;
            const HANDLER: &'static str = G::HANDLER;

            type Admitting = Layered<L, H, Self, S>;

            fn admitting(handler: Layered<L, H, Self, S>, handing: &mut Handing) -> Self::Admitting {
                handing.note_layer();
                handler
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
