//! Telling handlers with a policy from those without, by their arguments.

use axum::handler::Handler;

use super::{MethodRouter, admitting::GuardedArgs, handler_cells::HandlerCells};
use crate::{
    extract::{Guard, HandlerPolicy},
    policy::Policy,
};

/// A handler that has a `#[keycloak(...)]` policy: one whose first argument is a guard.
///
/// A trait of the handler rather than of its arguments, so that the compiler points at the handler and names it.
#[diagnostic::on_unimplemented(
    message = "this handler has no `#[keycloak(...)]` policy",
    label = "a handler of a `SecureRouter` needs a policy",
    note = "write `#[keycloak(roles = \"…\")]`, `#[keycloak(authenticated)]` or `#[keycloak(public)]` on the handler",
    note = "closures cannot have the attribute: make the closure an `async fn`",
    note = "a type of your own around a handler is not taken: use `handler.layer(…)`"
)]
pub trait GuardedHandler<T, S>: sealed::SealedHandler<T, S> {
    /// The policy of the handler.
    #[doc(hidden)]
    const POLICY: &'static Policy;
    /// The path of the handler.
    #[doc(hidden)]
    const HANDLER: &'static str;

    /// The handler, whose policy is asked when it is called.
    #[doc(hidden)]
    fn into_admitting(self, cells: &mut HandlerCells) -> impl Handler<Self::Args, S>;
    #[doc(hidden)]
    type Args: 'static;
}

#[diagnostic::do_not_recommend]
impl<H, T, S> GuardedHandler<T, S> for H
where
    H: Handler<T, S>,
    T: GuardedArgs<H, S>,
{
    const POLICY: &'static Policy = T::POLICY;
    const HANDLER: &'static str = T::HANDLER;

    type Args = T::Args;

    fn into_admitting(self, cells: &mut HandlerCells) -> impl Handler<T::Args, S> {
        T::admitting(self, cells)
    }
}

impl<H, T, S> sealed::SealedHandler<T, S> for H
where
    H: Handler<T, S>,
    T: GuardedArgs<H, S>,
{
}

/// The method routers of [`keycloak_auth::routing`](crate::routing), whose handlers have policies.
#[diagnostic::on_unimplemented(
    message = "a `SecureRouter` takes handlers from `keycloak_auth::routing` only",
    label = "this is not from `keycloak_auth::routing`",
    note = "write `keycloak_auth::routing::get(…)` in place of `axum::routing::get(…)`: it sees to it that every handler has a policy",
    note = "services go in by `route_service_public`, routers that need no policy by `merge_public` or `nest_service_public`"
)]
pub trait SecureMethodRouter: sealed::Sealed {
    /// The state of the router that it is for.
    #[doc(hidden)]
    type State;

    /// The method router itself.
    #[doc(hidden)]
    fn into_method_router(self) -> MethodRouter<Self::State>;
}

pub(super) mod sealed {
    pub trait Sealed {}

    pub trait SealedHandler<T, S> {}
}

impl<S> sealed::Sealed for MethodRouter<S> {}

impl<S> SecureMethodRouter for MethodRouter<S> {
    type State = S;

    fn into_method_router(self) -> Self {
        self
    }
}

/// The first argument of a handler that has a policy.
///
/// A trait of its own, so that the compiler takes the arguments from the handler before it asks whether the first one
/// is a guard. Were `Guard<P>` named in the implementations above, it would expect one, and report a wrong argument.
#[diagnostic::on_unimplemented(
    message = "this handler has no `#[keycloak(...)]` policy",
    label = "a handler of a `SecureRouter` needs a policy",
    note = "write `#[keycloak(roles = \"…\")]`, `#[keycloak(authenticated)]` or `#[keycloak(public)]` on the handler"
)]
pub trait GuardArg: 'static {
    /// The policy that the guard asks.
    const POLICY: &'static Policy;
    /// The path of the handler behind the guard.
    const HANDLER: &'static str;

    /// The guard of a request that was let through: only once [`admit`](crate::extract::admit) has returned `Ok`.
    fn passed() -> Self;
}

impl<P: HandlerPolicy, Place: 'static> GuardArg for Guard<P, Place> {
    const POLICY: &'static Policy = P::POLICY;
    const HANDLER: &'static str = P::HANDLER;

    fn passed() -> Self {
        Self::passed()
    }
}
