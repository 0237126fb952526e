//! `SecureRouter` with `utoipa-axum`: routes and their OpenAPI document in one.

use std::marker::PhantomData;

use axum::handler::Handler;
use utoipa::openapi::{
    OpenApi,
    path::{Operation, PathItem},
};
use utoipa_axum::router::UtoipaMethodRouter;

use super::{GuardedArgs, SecureRouter};
use crate::{
    access_matrix::{AccessRow, RouteKind},
    openapi::policy_of,
};

/// Collects handlers for [`SecureRouter::routes`] as `utoipa_axum::routes!` does, and does not compile when one of them has
/// no `#[keycloak(...)]` policy.
///
/// ```
/// use keycloak_auth::{SecureRouter, keycloak, secure_routes};
///
/// #[keycloak(roles = "admin")]
/// #[utoipa::path(get, path = "/orders", responses((status = 200, description = "All orders")))]
/// async fn list() {}
///
/// let router: SecureRouter = SecureRouter::new().routes(secure_routes!(list));
/// assert_eq!(router.access_matrix().rows()[0].path(), "/orders");
/// ```
///
/// A handler without a policy:
///
/// ```compile_fail
/// use keycloak_auth::{SecureRouter, secure_routes};
///
/// #[utoipa::path(get, path = "/orders", responses((status = 200, description = "All orders")))]
/// async fn list() {}
///
/// let router: SecureRouter = SecureRouter::new().routes(secure_routes!(list));
/// ```
#[macro_export]
macro_rules! secure_routes {
    ($($handler:path),+ $(,)?) => {
        $crate::__private::secured(
            [$($crate::__private::guarded($handler)),+],
            $crate::__private::utoipa_axum::routes!($($handler),+),
        )
    };
}

/// Stands for a handler that has a policy, in a router with the state `S`.
#[derive(Clone, Copy, Debug)]
pub struct Guarded<S>(PhantomData<fn(S)>);

/// A handler that has a policy. A trait of the handler rather than of its arguments, so that the compiler points at it.
#[diagnostic::on_unimplemented(
    message = "this handler has no `#[keycloak(...)]` policy",
    label = "a handler of a `SecureRouter` needs a policy",
    note = "write `#[keycloak(roles = \"…\")]`, `#[keycloak(authenticated)]` or `#[keycloak(public)]` on the handler"
)]
pub trait GuardedHandler<T, S> {}

#[diagnostic::do_not_recommend]
impl<H, T, S> GuardedHandler<T, S> for H
where
    H: Handler<T, S>,
    T: GuardedArgs,
{
}

/// Takes no handler without a policy.
pub fn guarded<H, T, S>(_: H) -> Guarded<S>
where
    H: GuardedHandler<T, S>,
{
    Guarded(PhantomData)
}

/// The routes as they are; the handlers are looked at by the compiler only.
pub fn secured<S, const N: usize>(_: [Guarded<S>; N], routes: UtoipaMethodRouter<S>) -> UtoipaMethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    routes
}

/// A document with nothing in it.
pub(super) fn empty_document() -> OpenApi {
    OpenApi::new(utoipa::openapi::Info::default(), utoipa::openapi::Paths::new())
}

impl<S> SecureRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// A router without routes whose OpenAPI document begins as `document`.
    pub fn with_openapi(document: OpenApi) -> Self {
        Self {
            openapi: document,
            ..Self::new()
        }
    }

    /// Adds the handlers of [`secure_routes!`](crate::secure_routes), at the paths of their `#[utoipa::path(...)]`, to router
    /// and document.
    ///
    /// ```
    /// use keycloak_auth::{SecureRouter, keycloak, secure_routes};
    ///
    /// #[keycloak(roles = "admin")]
    /// #[utoipa::path(get, path = "/orders", responses((status = 200, description = "All orders")))]
    /// async fn list() {}
    ///
    /// #[keycloak(roles = "admin")]
    /// #[utoipa::path(post, path = "/orders", responses((status = 201, description = "Created")))]
    /// async fn create() {}
    ///
    /// let router: SecureRouter = SecureRouter::new().routes(secure_routes!(list, create));
    /// assert!(router.openapi().paths.paths.contains_key("/orders"));
    /// ```
    ///
    /// # Panics
    ///
    /// When one of the handlers has no `#[keycloak(...)]` policy: `utoipa_axum::routes!` is taken too, and hides the
    /// handlers' types, so what is a compile error with `secure_routes!` shows at start-up. And when paths clash, as in axum.
    pub fn routes(mut self, (schemas, paths, handlers): UtoipaMethodRouter<S>) -> Self {
        for (path, item) in &paths.paths {
            for (method, operation) in operations(item) {
                let handler = operation.operation_id.as_deref().unwrap_or("?");
                let Some(policy) = policy_of(operation) else {
                    panic!(
                        "`{method} {path}` (handler `{handler}`) has no `#[keycloak(...)]` policy: write \
                         `#[keycloak(roles = \"…\")]`, `#[keycloak(authenticated)]` or `#[keycloak(public)]` on the handler"
                    );
                };
                let row = AccessRow::new(method, path, RouteKind::Handler, *policy);
                self.routes.add_row(row.handled_by(handler.to_owned()));
            }
        }
        let documented =
            utoipa_axum::router::OpenApiRouter::with_openapi(self.openapi).routes((schemas, paths, handlers));
        let (router, document) = documented.split_for_parts();
        self.openapi = document;
        self.inner = self.inner.merge(router);
        self
    }

    /// The OpenAPI document of all routes that were added by [`routes`](Self::routes); for
    /// [`Keycloak::secure_openapi`](crate::Keycloak::secure_openapi).
    #[must_use]
    pub fn openapi(&self) -> &OpenApi {
        &self.openapi
    }
}

fn operations(item: &PathItem) -> impl Iterator<Item = (&'static str, &Operation)> {
    [
        ("GET", &item.get),
        ("PUT", &item.put),
        ("POST", &item.post),
        ("DELETE", &item.delete),
        ("OPTIONS", &item.options),
        ("HEAD", &item.head),
        ("PATCH", &item.patch),
        ("TRACE", &item.trace),
    ]
    .into_iter()
    .filter_map(|(method, operation)| operation.as_ref().map(|operation| (method, operation)))
}
