//! The future of the middleware: usually that of the service behind, without a box around it.

use std::{
    fmt,
    future::Future,
    pin::Pin,
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

use crate::{
    AuthError, Keycloak, KeycloakUser,
    bearer::BearerToken,
    extract::{RequestContext, note_refusal},
};

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
        /// Keys are being fetched; afterwards the request goes on its way.
        Waiting { authenticated: Pin<Box<dyn Future<Output = Result<Request<B>, AuthError>> + Send>>, service: S, keycloak: Keycloak },
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

    pub(super) fn waiting_for_keys(service: S, keycloak: Keycloak, request: Request<B>) -> Self
    where
        B: Send + 'static,
    {
        let authenticated = Box::pin(authenticate(keycloak.clone(), request));
        Self {
            state: State::Waiting {
                authenticated,
                service,
                keycloak,
            },
        }
    }
}

async fn authenticate<B>(keycloak: Keycloak, request: Request<B>) -> Result<Request<B>, AuthError> {
    let (mut parts, body) = request.into_parts();
    let judge = async {
        let token = BearerToken::from_headers(&parts.headers)?.ok_or(AuthError::MissingCredentials)?;
        keycloak.authenticate_by_asking(token).await
    };
    let user = match judge.await {
        Ok(verified) => KeycloakUser::new(verified),
        Err(error) => {
            note_refusal(&error, None, &parts.method, &parts.extensions, &keycloak);
            return Err(error);
        }
    };
    parts.extensions.insert(RequestContext {
        keycloak,
        user: Some(user),
        is_of_router: false,
    });
    Ok(Request::from_parts(parts, body))
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
                StateProjection::Waiting {
                    authenticated,
                    service,
                    keycloak,
                } => match ready!(authenticated.as_mut().poll(cx)) {
                    Ok(request) => State::Forwarded {
                        response: service.call(request),
                    },
                    Err(error) => State::Refused {
                        response: Some(keycloak.respond(&error)),
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
