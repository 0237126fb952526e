//! `SecureRouter` with `utoipa-axum`: routes and their OpenAPI document in one.

use std::fmt;

use axum::{handler::Handler, routing::MethodFilter};
use utoipa::openapi::{HttpMethod, OpenApi, Paths, RefOr, path::Operation, schema::Schema};
use utoipa_axum::{PathItemExt, router::OpenApiRouter};

use super::{GuardedHandler, MethodRouter, SecureRouter, guarded::sealed::Sealed, routing::on};

/// Collects handlers with `#[utoipa::path(...)]` for [`SecureRouter::routes`], each at its own path, and does not compile
/// when one of them has no `#[keycloak(...)]` policy.
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
    ($($handlers:tt)+) => {
        $crate::__private::SecureRoutes::new(
            $crate::__secure_routes!(@guarded $($handlers)+),
            $crate::__secure_routes!(@routes $($handlers)+),
        )
    };
}

/// The handlers twice: what is passed on as an expression keeps its place, where the compiler points when it has no policy; what is
/// passed on as a path is what utoipa takes.
#[doc(hidden)]
#[macro_export]
macro_rules! __secure_routes {
    (@guarded $($handler:expr),+ $(,)?) => {
        [$($crate::__private::guarded($handler)),+]
    };
    // What `routes!` makes its tuple of, which is the document's part: the whole would have the handler compiled once more, without
    // what its router hands to it.
    (@routes $($handler:path),+ $(,)?) => {
        [$({
            let mut schemas = ::std::vec::Vec::new();
            let (path, operation, methods) =
                $crate::__private::utoipa_axum::routes!(@resolve_types $handler : schemas);
            $crate::__private::Documented { path, methods, operation, schemas }
        }),+]
    };
}

/// A handler that has a policy, in a router with the state `S`; not yet said for which methods.
pub struct SecureRoute<S> {
    handler: &'static str,
    on: Box<dyn FnOnce(MethodFilter) -> MethodRouter<S> + Send + Sync>,
}

impl<S> fmt::Debug for SecureRoute<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SecureRoute").field(&self.handler).finish()
    }
}

/// Takes no handler without a policy.
pub fn guarded<H, T, S>(handler: H) -> SecureRoute<S>
where
    H: Handler<T, S> + GuardedHandler<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    SecureRoute {
        handler: H::HANDLER,
        on: Box::new(move |methods| on(methods, handler)),
    }
}

/// What `#[utoipa::path(...)]` says of a handler.
#[expect(missing_debug_implementations, reason = "utoipa's types have none")]
pub struct Documented {
    /// Its path.
    pub path: String,
    /// Its methods.
    pub methods: Vec<HttpMethod>,
    /// What is said of each of them.
    pub operation: Operation,
    /// The types that are named there.
    pub schemas: Vec<(String, RefOr<Schema>)>,
}

/// What [`secure_routes!`](crate::secure_routes) collected.
pub struct SecureRoutes<S>(Vec<(SecureRoute<S>, Documented)>);

impl<S> SecureRoutes<S> {
    #[doc(hidden)]
    pub fn new<const N: usize>(guarded: [SecureRoute<S>; N], routes: [Documented; N]) -> Self {
        Self(guarded.into_iter().zip(routes).collect())
    }
}

impl<S> fmt::Debug for SecureRoutes<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(guarded, _)| guarded.handler))
            .finish()
    }
}

/// What [`SecureRouter::routes`] takes: the result of [`secure_routes!`](crate::secure_routes).
#[diagnostic::on_unimplemented(
    message = "`SecureRouter::routes` takes the result of `secure_routes!` only",
    label = "this is not from `secure_routes!`",
    note = "write `keycloak_auth::secure_routes!(…)` in place of `utoipa_axum::routes!(…)`: it sees to it that every handler has a policy"
)]
pub trait IntoSecureRoutes<S>: Sealed {
    /// The routes themselves.
    #[doc(hidden)]
    fn into_secure_routes(self) -> SecureRoutes<S>;
}

impl<S> Sealed for SecureRoutes<S> {}

impl<S> IntoSecureRoutes<S> for SecureRoutes<S> {
    fn into_secure_routes(self) -> Self {
        self
    }
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
    /// `utoipa_axum::routes!` is not taken: it hides the handlers' policies.
    ///
    /// ```compile_fail
    /// # use keycloak_auth::{SecureRouter, keycloak};
    /// # #[keycloak(roles = "admin")]
    /// # #[utoipa::path(get, path = "/orders", responses((status = 200, description = "All orders")))]
    /// # async fn list() {}
    /// let router: SecureRouter = SecureRouter::new().routes(utoipa_axum::routes!(list));
    /// ```
    ///
    /// # Panics
    ///
    /// When paths clash, as in axum.
    pub fn routes(mut self, routes: impl IntoSecureRoutes<S>) -> Self {
        let mut documented = OpenApiRouter::with_openapi(self.openapi);
        for (guarded, route) in routes.into_secure_routes().0 {
            let methods = route.methods.iter().map(PathItemExt::to_method_filter);
            let methods = methods.reduce(MethodFilter::or);
            let methods = methods.expect("`#[utoipa::path]` does not compile without a method");
            let handlers = (guarded.on)(methods);
            self.routes.add(&route.path, handlers.handlers);
            self.cells.merge(handlers.cells);
            let mut paths = Paths::new();
            paths.add_path_operation(&route.path, route.methods, route.operation);
            documented = documented.routes((route.schemas, paths, handlers.inner));
        }
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
