//! `SecureRouter`: axum's router, with policies.

use std::{any::Any, convert::Infallible, fmt};

use axum::{
    Router,
    extract::{FromRef, Request},
    handler::Handler,
    response::IntoResponse,
};
use tower_layer::Layer;
use tower_service::Service;

use super::{
    GuardedHandler, SecureMethodRouter, hand_over::HandOverLayer, handler_cells::HandlerCells, routes::Routes,
};
use crate::{Keycloak, access_matrix::RouteKind, extract::provide_from_state, middleware::ProvideLayer};

/// A router whose handlers all have a `#[keycloak(...)]` policy: one without does not compile.
///
/// It is built like [`axum::Router`], by the method routers of [`routing`](crate::routing), and turned into one at the
/// end by [`secure_with`](Self::secure_with) or [`secure_from_state`](Self::secure_from_state). What needs no policy is
/// added by a method with `public` in its name.
///
/// ```
/// use keycloak_auth::{Keycloak, KeycloakUser, SecureRouter, keycloak, routing::get};
///
/// #[keycloak(roles = "admin", groups = "/ops", any)]
/// async fn orders(user: KeycloakUser) -> String {
///     format!("orders for {}", user.username().unwrap_or("nobody"))
/// }
///
/// #[keycloak(public)]
/// async fn health() -> &'static str {
///     "up"
/// }
///
/// # fn demo() -> Result<axum::Router, keycloak_auth::BuildError> {
/// # let keycloak = Keycloak::builder().server_url("https://id.example.com").realm("acme")
/// #     .client_id("orders-api").audience("orders-api").build()?;
/// let app: axum::Router = SecureRouter::new()
///     .route("/orders", get(orders))
///     .route("/health", get(health))
///     .secure_with(keycloak);
/// # Ok(app)
/// # }
/// # demo().unwrap();
/// ```
#[must_use = "a router does nothing until it is served"]
pub struct SecureRouter<S = ()> {
    pub(super) inner: Router<S>,
    /// What the access matrix says of the routes.
    pub(super) routes: Routes,
    pub(super) cells: HandlerCells,
    /// Whether some handlers have a state of another type than `S` already.
    pub(super) has_provided_state: bool,
    #[cfg(feature = "utoipa-axum")]
    pub(super) openapi: utoipa::openapi::OpenApi,
}

impl<S> SecureRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// A router without routes.
    pub fn new() -> Self {
        Self {
            inner: Router::new(),
            routes: Routes::default(),
            cells: HandlerCells::default(),
            has_provided_state: false,
            #[cfg(feature = "utoipa-axum")]
            openapi: super::openapi::empty_document(),
        }
    }

    /// Adds handlers at a path; see [`axum::Router::route`].
    ///
    /// # Panics
    ///
    /// When the path is malformed or clashes with another one, as in axum.
    pub fn route(mut self, path: &str, handlers: impl SecureMethodRouter<State = S>) -> Self {
        let handlers = handlers.into_method_router();
        self.has_provided_state |= handlers.has_provided_state;
        self.inner = self.inner.route(path, handlers.inner);
        self.cells.merge(handlers.cells);
        self.routes.add(path, handlers.handlers);
        self
    }

    /// Adds the routes of another router below a path; see [`axum::Router::nest`].
    ///
    /// # Panics
    ///
    /// When a path clashes with another one, as in axum.
    pub fn nest(mut self, path: &str, router: Self) -> Self {
        self.has_provided_state |= router.has_provided_state;
        #[cfg(feature = "utoipa-axum")]
        {
            self.openapi = self.openapi.nest(path.trim_end_matches('/'), router.openapi);
        }
        self.inner = self.inner.nest(path, router.inner);
        self.cells.merge(router.cells);
        self.routes.nest(path, router.routes);
        self
    }

    /// Adds the routes of another router; see [`axum::Router::merge`].
    ///
    /// # Panics
    ///
    /// When a path clashes with another one, or both have a fallback, as in axum.
    pub fn merge(mut self, router: Self) -> Self {
        self.has_provided_state |= router.has_provided_state;
        #[cfg(feature = "utoipa-axum")]
        self.openapi.merge(router.openapi);
        self.inner = self.inner.merge(router.inner);
        self.cells.merge(router.cells);
        self.routes.merge(router.routes);
        self
    }

    /// Wraps a layer around all routes so far; see [`axum::Router::layer`].
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<axum::routing::Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        self.inner = self.inner.layer(layer);
        self.cells.note_layer();
        self
    }

    /// Wraps a layer around all routes so far, only where one matches; see [`axum::Router::route_layer`].
    pub fn route_layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<axum::routing::Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        self.inner = self.inner.route_layer(layer);
        self.cells.note_layer();
        self
    }

    /// Handles requests that no route matches, by a handler that has a policy; see [`axum::Router::fallback`].
    pub fn fallback<H, T>(mut self, handler: H) -> Self
    where
        H: Handler<T, S> + GuardedHandler<T, S>,
        T: 'static,
    {
        self.inner = self.inner.fallback(handler.into_admitting(&mut self.cells));
        self.routes.set_fallback(H::HANDLER, H::POLICY);
        self
    }

    /// Handles requests whose path matches and whose method does not, by a handler that has a policy.
    pub fn method_not_allowed_fallback<H, T>(mut self, handler: H) -> Self
    where
        H: Handler<T, S> + GuardedHandler<T, S>,
        T: 'static,
    {
        self.inner = self
            .inner
            .method_not_allowed_fallback(handler.into_admitting(&mut self.cells));
        self.routes.add_method_not_allowed(H::HANDLER, H::POLICY);
        self
    }

    /// Provides the state; see [`axum::Router::with_state`].
    pub fn with_state<S2>(self, state: S) -> SecureRouter<S2> {
        SecureRouter {
            inner: self.inner.with_state(state),
            routes: self.routes,
            cells: self.cells,
            has_provided_state: true,
            #[cfg(feature = "utoipa-axum")]
            openapi: self.openapi,
        }
    }

    /// Adds a whole axum router that everybody may call, such as Swagger UI: its handlers are not asked for policies.
    ///
    /// A router that was secured by itself stays so: its guards ask the [`Keycloak`] that it was secured with, be that in its
    /// state, and [`report_only`](Self::report_only) does not reach them. Guards and [`KeycloakUser`](crate::KeycloakUser)s
    /// of a router without one find that of this router, when it is secured by [`secure_with`](Self::secure_with). The same goes
    /// for services.
    ///
    /// # Panics
    ///
    /// When a path clashes with another one, as in axum.
    pub fn merge_public(mut self, router: impl Into<Router<S>>) -> Self {
        let layer = HandOverLayer(self.cells.next_cell());
        self.inner = self.inner.merge(router.into().layer(layer));
        self.routes.add_public("/*", RouteKind::PublicRouter);
        self
    }

    /// Adds a service at a path, that everybody may call; see [`axum::Router::route_service`].
    ///
    /// # Panics
    ///
    /// When the path is malformed or clashes with another one, or the service is a [`Router`], as in axum.
    pub fn route_service_public<T>(mut self, path: &str, service: T) -> Self
    where
        T: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        T::Response: IntoResponse,
        T::Future: Send + 'static,
    {
        assert!(
            !(&service as &dyn Any).is::<Router>(),
            "a router is no service for the single path `{path}`: add it by `nest_service_public` or `merge_public`"
        );
        let layer = HandOverLayer(self.cells.next_cell());
        self.inner = self.inner.route_service(path, layer.layer(service));
        self.routes.add_public(path, RouteKind::PublicService);
        self
    }

    /// Adds a service below a path, that everybody may call, such as a directory of files; see
    /// [`axum::Router::nest_service`].
    ///
    /// # Panics
    ///
    /// When the path is malformed or clashes with another one, as in axum.
    pub fn nest_service_public<T>(mut self, path: &str, service: T) -> Self
    where
        T: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        T::Response: IntoResponse,
        T::Future: Send + 'static,
    {
        let layer = HandOverLayer(self.cells.next_cell());
        self.inner = self.inner.nest_service(path, layer.layer(service));
        self.routes
            .add_public(&format!("{}/*", path.trim_end_matches('/')), RouteKind::PublicService);
        self
    }

    /// Makes an axum router of it whose guards ask `keycloak`.
    ///
    /// Its handlers are handed it at once, and nothing stands between them and the router. Only where there are layers in it
    /// already, which may want to know the caller, or where it was cloned, a layer says it with every request: a layer that
    /// has nothing to do with callers costs less when it is added to what this returns.
    ///
    /// # Panics
    ///
    /// When a policy has an `owner("…")` whose path parameter the route does not have: nobody could ever meet it. A prefix
    /// that has the parameter is known here when it was added by [`nest`](Self::nest).
    #[track_caller]
    pub fn secure_with(self, keycloak: Keycloak) -> Router<S> {
        self.routes.start();
        if self.cells.settle_with(&keycloak) {
            self.inner
        } else {
            self.inner.layer(ProvideLayer(Some(keycloak)))
        }
    }

    /// Makes an axum router of it whose guards ask the [`Keycloak`] in the state: no layer, nothing added to a request. Only where
    /// handlers have layers of their own, or where the router was cloned, a layer keeps what routers further out say from the guards.
    ///
    /// ```
    /// use axum::extract::FromRef;
    /// use keycloak_auth::{Keycloak, SecureRouter, keycloak, routing::get};
    ///
    /// #[derive(Clone, FromRef)]
    /// struct AppState {
    ///     keycloak: Keycloak,
    /// }
    ///
    /// #[keycloak(authenticated)]
    /// async fn orders() -> &'static str {
    ///     "all of them"
    /// }
    ///
    /// fn app(keycloak: Keycloak) -> axum::Router {
    ///     SecureRouter::<AppState>::new()
    ///         .route("/orders", get(orders))
    ///         .secure_from_state()
    ///         .with_state(AppState { keycloak })
    /// }
    /// # let _ = app;
    /// ```
    ///
    /// # Panics
    ///
    /// When some routes were given a state by [`with_state`](Self::with_state) before: their guards would look for a
    /// [`Keycloak`] in that one. Give the state after this call, or use [`secure_with`](Self::secure_with). And when a
    /// policy has an `owner("…")` whose path parameter the route does not have.
    #[track_caller]
    pub fn secure_from_state(self) -> Router<S>
    where
        Keycloak: FromRef<S>,
    {
        assert!(
            !self.has_provided_state,
            "some routes have their state already, and their guards would look for a `Keycloak` in that one: call \
             `with_state` after `secure_from_state`, or secure the router by `secure_with(keycloak)`"
        );
        self.routes.start();
        if self.cells.settle_from_state(provide_from_state::<S>()) {
            self.inner
        } else {
            self.inner.layer(ProvideLayer(None))
        }
    }
}

impl<S> Default for SecureRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Clone for SecureRouter<S> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            routes: self.routes.clone(),
            cells: self.cells.clone(),
            has_provided_state: self.has_provided_state,
            #[cfg(feature = "utoipa-axum")]
            openapi: self.openapi.clone(),
        }
    }
}

impl<S> fmt::Debug for SecureRouter<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecureRouter")
            .field("router", &self.inner)
            .finish_non_exhaustive()
    }
}
