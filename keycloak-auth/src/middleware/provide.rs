//! The layer under which guards find their [`Keycloak`] where the router could not hand it to them: behind layers of its own, or in a
//! clone. It does nothing else.

use std::task::{Context, Poll};

use http::Request;
use tower_layer::Layer;
use tower_service::Service;

use crate::{Keycloak, extract::enter_router};

/// Tells the guards behind it the [`Keycloak`] to ask, `None` for that in their state; leaves it to them whom to let through.
#[derive(Clone, Debug)]
pub(crate) struct ProvideLayer(pub(crate) Option<Keycloak>);

impl<S> Layer<S> for ProvideLayer {
    type Service = ProvideService<S>;

    fn layer(&self, inner: S) -> ProvideService<S> {
        ProvideService {
            inner,
            keycloak: self.0.clone(),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct ProvideService<S> {
    inner: S,
    keycloak: Option<Keycloak>,
}

impl<S, B> Service<Request<B>> for ProvideService<S>
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
        enter_router(self.keycloak.as_ref(), request.extensions_mut());
        self.inner.call(request)
    }
}
