//! The handlers of one path, by method.

use std::{convert::Infallible, fmt};

use axum::{extract::Request, handler::Handler, response::IntoResponse, routing::MethodFilter};
use tower_layer::Layer;
use tower_service::Service;

use super::{
    GuardedHandler,
    handler_cells::HandlerCells,
    routes::{HandlerRoute, methods_of},
};
use crate::{Policy, access_matrix::ANY_METHOD, extract::ReportOnly};

/// The handlers of one path, each with a policy: the counterpart of [`axum::routing::MethodRouter`].
#[must_use = "a method router does nothing until it is added to a router"]
pub struct MethodRouter<S = ()> {
    pub(super) inner: axum::routing::MethodRouter<S>,
    /// What the access matrix says of the handlers.
    pub(super) handlers: Vec<HandlerRoute>,
    pub(super) cells: HandlerCells,
    /// Whether some handlers have a state of another type than `S` already.
    pub(super) has_provided_state: bool,
}

impl<S> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// A method router without handlers, which answers everything with 405.
    pub fn new() -> Self {
        Self::of(axum::routing::MethodRouter::new(), HandlerCells::default())
    }

    /// Adds a handler for the methods of `filter`.
    pub fn on<H, T>(mut self, filter: MethodFilter, handler: H) -> Self
    where
        H: Handler<T, S> + GuardedHandler<T, S>,
        T: 'static,
    {
        self.inner = self.inner.on(filter, handler.into_admitting(&mut self.cells));
        self.list(filter, H::HANDLER, H::POLICY);
        self
    }

    /// Adds a handler for all methods that have none of their own.
    pub fn fallback<H, T>(mut self, handler: H) -> Self
    where
        H: Handler<T, S> + GuardedHandler<T, S>,
        T: 'static,
    {
        self.inner = self.inner.fallback(handler.into_admitting(&mut self.cells));
        self.list_fallback(H::HANDLER, H::POLICY);
        self
    }

    // Apart from what takes a handler, so that it is compiled once, not once for each handler.

    fn of(inner: axum::routing::MethodRouter<S>, cells: HandlerCells) -> Self {
        Self {
            inner,
            handlers: Vec::new(),
            cells,
            has_provided_state: false,
        }
    }

    fn of_one(
        inner: axum::routing::MethodRouter<S>,
        cells: HandlerCells,
        filter: MethodFilter,
        handler: &'static str,
        policy: &'static Policy,
    ) -> Self {
        let mut router = Self::of(inner, cells);
        router.list(filter, handler, policy);
        router
    }

    fn of_fallback(
        inner: axum::routing::MethodRouter<S>,
        cells: HandlerCells,
        handler: &'static str,
        policy: &'static Policy,
    ) -> Self {
        let mut router = Self::of(inner, cells);
        router.list_fallback(handler, policy);
        router
    }

    fn list(&mut self, filter: MethodFilter, handler: &'static str, policy: &'static Policy) {
        self.handlers
            .extend(methods_of(filter).map(|method| HandlerRoute::new(method, handler, policy)));
    }

    fn list_fallback(&mut self, handler: &'static str, policy: &'static Policy) {
        self.handlers.retain(|listed| listed.method != ANY_METHOD);
        self.handlers.push(HandlerRoute::new(ANY_METHOD, handler, policy));
    }

    /// Wraps a layer around all handlers so far, and around the 405 for other methods.
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<axum::routing::Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        self.inner = self.inner.layer(layer);
        self.cells.note_layer();
        self
    }

    /// Wraps a layer around all handlers so far, only for methods that have one.
    pub fn route_layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<axum::routing::Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        self.inner = self.inner.route_layer(layer);
        self.cells.note_layer();
        self
    }

    /// Joins the handlers of two method routers.
    ///
    /// # Panics
    ///
    /// When both have a handler for the same method, as in axum.
    pub fn merge(mut self, other: Self) -> Self {
        self.inner = self.inner.merge(other.inner);
        self.handlers.extend(other.handlers);
        self.cells.merge(other.cells);
        self.has_provided_state |= other.has_provided_state;
        self
    }

    /// Lets requests through that the policies of the handlers so far would refuse; see
    /// [`SecureRouter::report_only`](crate::SecureRouter::report_only).
    pub fn report_only(mut self) -> Self {
        if !self.cells.report_only() {
            self.inner = self.inner.layer(axum::Extension(ReportOnly));
        }
        self.handlers.iter_mut().for_each(|handler| handler.report_only = true);
        self
    }

    /// Provides the state.
    pub fn with_state<S2>(self, state: S) -> MethodRouter<S2> {
        MethodRouter {
            inner: self.inner.with_state(state),
            handlers: self.handlers,
            cells: self.cells,
            has_provided_state: true,
        }
    }
}

impl<S> Default for MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Clone for MethodRouter<S> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            handlers: self.handlers.clone(),
            cells: self.cells.clone(),
            has_provided_state: self.has_provided_state,
        }
    }
}

impl<S> fmt::Debug for MethodRouter<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MethodRouter")
            .field("router", &self.inner)
            .finish_non_exhaustive()
    }
}

/// One free function and one chaining method for each HTTP method.
macro_rules! methods {
    ($($name:ident $filter:ident;)*) => {
        $(
            #[doc = concat!("Routes `", stringify!($filter), "` requests to a handler that has a policy.")]
            pub fn $name<H, T, S>(handler: H) -> MethodRouter<S>
            where
                H: Handler<T, S> + GuardedHandler<T, S>,
                T: 'static,
                S: Clone + Send + Sync + 'static,
            {
                on(MethodFilter::$filter, handler)
            }
        )*

        impl<S> MethodRouter<S>
        where
            S: Clone + Send + Sync + 'static,
        {
            $(
                #[doc = concat!("Adds a handler for `", stringify!($filter), "` requests.")]
                pub fn $name<H, T>(self, handler: H) -> Self
                where
                    H: Handler<T, S> + GuardedHandler<T, S>,
                    T: 'static,
                {
                    self.on(MethodFilter::$filter, handler)
                }
            )*
        }
    };
}

methods! {
    connect CONNECT;
    delete DELETE;
    get GET;
    head HEAD;
    options OPTIONS;
    patch PATCH;
    post POST;
    put PUT;
    trace TRACE;
}

/// Routes the methods of `filter` to a handler that has a policy.
pub fn on<H, T, S>(filter: MethodFilter, handler: H) -> MethodRouter<S>
where
    H: Handler<T, S> + GuardedHandler<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    let mut cells = HandlerCells::default();
    let inner = axum::routing::MethodRouter::new().on(filter, handler.into_admitting(&mut cells));
    MethodRouter::of_one(inner, cells, filter, H::HANDLER, H::POLICY)
}

/// Routes all methods to a handler that has a policy.
pub fn any<H, T, S>(handler: H) -> MethodRouter<S>
where
    H: Handler<T, S> + GuardedHandler<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    let mut cells = HandlerCells::default();
    let inner = axum::routing::any(handler.into_admitting(&mut cells));
    MethodRouter::of_fallback(inner, cells, H::HANDLER, H::POLICY)
}
