//! The future of the middleware: usually that of the service behind, without a box around it.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::{
    body::{Body, HttpBody},
    response::Response,
};
use bytes::Bytes;
use http::Request;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::layer::Settings;

pin_project! {
    /// The response future of [`KeycloakService`](super::KeycloakService).
    pub struct KeycloakFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, S::Future, B>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, F, B> {
        /// The request was let through.
        Forwarded { #[pin] response: F },
        /// The request was refused.
        Refused { response: Option<Response> },
        /// Keycloak is being asked; afterwards the request goes on its way.
        Asking { admitted: Pin<Box<dyn Future<Output = Result<Request<B>, Response>> + Send>>, service: S },
    }
}

impl<S, B> KeycloakFuture<S, B>
where
    S: Service<Request<B>>,
{
    pub(super) fn forwarded(response: S::Future) -> Self {
        Self {
            state: State::Forwarded { response },
        }
    }

    pub(super) fn refused(response: Response) -> Self {
        Self {
            state: State::Refused {
                response: Some(response),
            },
        }
    }

    pub(super) fn asking(service: S, settings: Arc<Settings>, request: Request<B>) -> Self
    where
        B: Send + 'static,
    {
        let admitted = async move { settings.admit_by_asking(request).await };
        Self {
            state: State::Asking {
                admitted: Box::pin(admitted),
                service,
            },
        }
    }
}

impl<S, B, ResBody> Future for KeycloakFuture<S, B>
where
    S: Service<Request<B>, Response = Response<ResBody>>,
    ResBody: HttpBody<Data = Bytes> + Send + 'static,
    ResBody::Error: Into<axum::BoxError>,
{
    type Output = Result<Response<Body>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProjection::Forwarded { response } => {
                    return response
                        .poll(cx)
                        .map(|response| response.map(|response| response.map(Body::new)));
                }
                StateProjection::Refused { response } => {
                    return Poll::Ready(Ok(response.take().expect("a future is not polled after it is ready")));
                }
                StateProjection::Asking { admitted, service } => match ready!(admitted.as_mut().poll(cx)) {
                    Ok(request) => State::Forwarded {
                        response: service.call(request),
                    },
                    Err(response) => State::Refused {
                        response: Some(response),
                    },
                },
            };
            state.set(next);
        }
    }
}

impl<S, B> fmt::Debug for KeycloakFuture<S, B>
where
    S: Service<Request<B>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeycloakFuture").finish_non_exhaustive()
    }
}
