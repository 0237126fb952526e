//! The way into a handler of a `SecureRouter`.
//!
//! axum makes a handler's arguments inside of its future. Here the guard, which is the first of them, is asked before there is one:
//! a request that is refused is not made ready for anything, and one for a handler without further arguments is not moved into a
//! future either.
//!
//! All handlers become the same type, so that what axum makes of a handler is compiled once for all of them.

use std::{
    fmt,
    future::Future,
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
    handler_cells::{HandlerCell, HandlerCells},
};
use crate::{
    extract::{Asker, AuthRejection, Hurdle, Rule, admit, ask},
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
pub trait GuardedArgs<H, S>: Sized {
    /// The policy of the handler.
    const POLICY: &'static Policy;
    /// The path of the handler.
    const HANDLER: &'static str;

    /// The handler, whose policy is asked when it is called.
    type Admitting: Handler<Self::Args, S>;
    /// What axum takes for the arguments of that.
    type Args: 'static;

    /// Has the policy of the handler asked when it is called, as the router says by what it hands to it.
    fn admitting(handler: H, cells: &mut HandlerCells) -> Self::Admitting;
}

/// The future of a handler.
type HandlerFuture = Pin<Box<dyn Future<Output = Response> + Send>>;

/// A handler behind its policy, in a router with the state `S`.
pub struct Admitting<S: 'static> {
    rule: &'static Rule,
    call: Call<S>,
    cell: HandlerCell,
}

/// How a handler is called with a request that is let through. It captures nothing, so that a reference to it for ever takes no memory.
enum Call<S: 'static> {
    /// A handler without arguments but its guard. The request stays where it is: nobody has a use for it.
    Alone(&'static (dyn Fn() -> HandlerFuture + Send + Sync)),
    WithArguments(&'static (dyn Fn(Request, S) -> HandlerFuture + Send + Sync)),
}

impl<S: 'static> Admitting<S> {
    fn new<H, G: GuardArg>(call: Call<S>, cells: &mut HandlerCells) -> Self {
        const {
            assert!(
                size_of::<H>() == 0,
                "a handler of a `SecureRouter` captures nothing: make it an `async fn`"
            )
        }
        Self {
            rule: const { &Rule::new(G::POLICY, G::HANDLER) },
            call,
            cell: cells.next_cell(),
        }
    }
}

impl<S: 'static> Clone for Call<S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S: 'static> Copy for Call<S> {}

impl<S: 'static> Call<S> {
    const fn asker(self) -> Asker {
        match self {
            Self::Alone(_) => Asker::Last,
            Self::WithArguments(_) => Asker::Any,
        }
    }
}

impl<S: 'static> Clone for Admitting<S> {
    fn clone(&self) -> Self {
        Self {
            rule: self.rule,
            call: self.call,
            cell: self.cell.clone(),
        }
    }
}

impl<S: 'static> fmt::Debug for Admitting<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Admitting").field(self.rule).finish()
    }
}

impl<S: Send + Sync + 'static> Handler<(), S> for Admitting<S> {
    type Future = Admission;

    #[inline(never)] // moving the request into the frame of a caller would take longer
    fn call(self, mut request: Request, state: S) -> Admission {
        let Self { rule, call, cell } = self;
        let secured = cell.secured();
        match admit(rule, &mut request, secured, &state, call.asker()) {
            Ok(()) => Admission::Called(match call {
                // Not by a function, which the request would be moved to.
                Call::Alone(handler) => handler(),
                Call::WithArguments(handler) => handler(request, state),
            }),
            Err(Hurdle::Refused(rejection)) => Admission::Refused(Some(rejection)),
            Err(Hurdle::Unasked(unasked)) => Admission::Asking {
                asking: ask(rule, request, unasked, secured.enforcement()),
                call: Some(Box::new(move |request| match call {
                    Call::Alone(handler) => handler(),
                    Call::WithArguments(handler) => handler(request, state),
                })),
            },
        }
    }
}

/// The future of a handler behind its policy.
pub enum Admission {
    /// The request was let through.
    Called(HandlerFuture),
    /// The request was refused. Taken out by the poll that answers it.
    Refused(Option<AuthRejection>),
    /// Keycloak is being asked; afterwards the handler is called.
    Asking {
        asking: Pin<Box<dyn Future<Output = Result<Request, AuthRejection>> + Send>>,
        call: Option<Box<dyn FnOnce(Request) -> HandlerFuture + Send>>,
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

/// A handler inside of layers, which are in front of its guard: it has that asked itself.
///
/// `Layered` is no `FnOnce`, so this does not overlap with the implementations for handlers.
#[diagnostic::do_not_recommend]
impl<L, H, S, T> GuardedArgs<Layered<L, H, T, S>, S> for T
where
    T: GuardedArgs<H, S> + 'static,
    Layered<L, H, T, S>: Handler<T, S>,
{
    const POLICY: &'static Policy = <T as GuardedArgs<H, S>>::POLICY;
    const HANDLER: &'static str = <T as GuardedArgs<H, S>>::HANDLER;

    type Admitting = Layered<L, H, T, S>;
    type Args = T;

    fn admitting(handler: Layered<L, H, T, S>, cells: &mut HandlerCells) -> Self::Admitting {
        cells.note_layered_handler();
        handler
    }
}

macro_rules! guarded_args {
    (;) => {
        guarded_args!(@admitting [] []; handler => {
            Call::Alone(Box::leak(Box::new(move || -> HandlerFuture {
                let handler = handler.clone();
                Box::pin(async move { handler(G::passed()).await.into_response() })
            })))
        });
    };
    ($($argument:ident)* ; $last:ident) => {
        guarded_args!(@admitting [$($argument)* $last] [$($argument: FromRequestParts<S> + Send,)* $last: FromRequest<S, M> + Send,]; handler => {
            // The arguments are made as axum makes them.
            Call::WithArguments(Box::leak(Box::new(move |request: Request, state: S| -> HandlerFuture {
                let handler = handler.clone();
                Box::pin(async move {
                    guarded_args!(@parts request, state; $($argument)*);
                    let $last = match $last::from_request(request, &state).await {
                        Ok(argument) => argument,
                        Err(rejection) => return rejection.into_response(),
                    };
                    handler(G::passed(), $($argument,)* $last).await.into_response()
                })
            })))
        });
    };
    (@admitting [$($argument:ident)*] [$($bounds:tt)*]; $handler:ident => $answer:expr) => {
        #[diagnostic::do_not_recommend]
        impl<H, S, M, G, $($argument,)* Fut, Res> GuardedArgs<H, S> for (M, G, $($argument,)*)
        where
            H: FnOnce(G, $($argument,)*) -> Fut + Clone + Send + Sync + 'static,
            Fut: Future<Output = Res> + Send,
            Res: IntoResponse,
            S: Send + Sync + 'static,
            G: GuardArg,
            $($bounds)*
        {
            const POLICY: &'static Policy = G::POLICY;
            const HANDLER: &'static str = G::HANDLER;

            type Admitting = Admitting<S>;
            type Args = ();

            #[allow(non_snake_case, reason = "arguments are named as their types")]
            fn admitting($handler: H, cells: &mut HandlerCells) -> Admitting<S> {
                Admitting::new::<H, G>($answer, cells)
            }
        }
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
}

guarded_args!(;);
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
