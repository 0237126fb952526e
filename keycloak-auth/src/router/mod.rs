//! A router in which every handler has a policy, or the program does not compile.

mod admitting;
mod guarded;
mod hand_over;
mod handler_cells;
mod method_router;
#[cfg(feature = "utoipa-axum")]
pub(crate) mod openapi;
mod oversight;
mod routes;
mod secure_router;

pub use guarded::{GuardedHandler, SecureMethodRouter};
use method_router::MethodRouter;
pub use secure_router::SecureRouter;

/// Method routers whose handlers need a `#[keycloak(...)]` policy: the counterparts of `axum::routing`.
///
/// ```
/// use keycloak_auth::{SecureRouter, keycloak, routing::get};
///
/// #[keycloak(roles = "admin")]
/// async fn orders() -> &'static str {
///     "all of them"
/// }
///
/// let router: SecureRouter = SecureRouter::new().route("/orders", get(orders));
/// # let _ = router;
/// ```
///
/// A handler without a policy does not compile:
///
/// ```compile_fail
/// use keycloak_auth::{SecureRouter, routing::get};
///
/// async fn orders() -> &'static str {
///     "all of them"
/// }
///
/// let router: SecureRouter = SecureRouter::new().route("/orders", get(orders));
/// ```
pub mod routing {
    pub use super::method_router::{
        MethodRouter, any, connect, delete, get, head, on, options, patch, post, put, trace,
    };
}
