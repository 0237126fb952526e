//! Where a router hands a request over to a router or service that is not its own.

use std::task::{Context, Poll};

use http::Request;
use tower_layer::Layer;
use tower_service::Service;

use super::handler_cells::HandlerCell;
use crate::extract::{Secured, leave_router};

/// Ends what a router says to its own guards: what is behind may have been secured by itself, from its state or by a layer.
///
/// Guards that have no [`Keycloak`](crate::Keycloak) of their own still find that of the router outside, as they would that
/// of any layer, but its policies being reported about only is nothing to them.
#[derive(Clone, Debug)]
pub(super) struct HandOverLayer(pub(super) HandlerCell);

impl<S> Layer<S> for HandOverLayer {
    type Service = HandOver<S>;

    fn layer(&self, inner: S) -> HandOver<S> {
        HandOver {
            inner,
            cell: self.0.clone(),
        }
    }
}

/// The service behind a [`HandOverLayer`].
#[derive(Clone, Debug)]
pub(super) struct HandOver<S> {
    inner: S,
    cell: HandlerCell,
}

impl<S, B> Service<Request<B>> for HandOver<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        let keycloak = match self.cell.secured() {
            Secured::With(keycloak, _) => Some(keycloak),
            Secured::FromState(..) | Secured::AsRequested(_) => None,
        };
        leave_router(keycloak, request.extensions_mut());
        self.inner.call(request)
    }
}
