//! The service: one request on its way in.

use std::{
    mem,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    body::{Body, HttpBody},
    response::Response,
};
use bytes::Bytes;
use http::Request;
use tower_service::Service;

use super::{future::KeycloakFuture, layer::Settings};
use crate::{AuthError, bearer::BearerToken, extract::offer};

/// The middleware around a service; made by [`KeycloakLayer`](super::KeycloakLayer).
///
/// Around any service over `http` types, not only axum's: requests may have any body, and responses any
/// [`HttpBody`] with [`Bytes`] as its data, which becomes axum's `Body`. The service has to be `Clone`, since the one that was
/// polled ready waits with the request where Keycloak has to be asked first.
#[derive(Clone, Debug)]
pub struct KeycloakService<S> {
    inner: S,
    settings: Arc<Settings>,
}

impl<S> KeycloakService<S> {
    pub(super) fn new(inner: S, settings: Arc<Settings>) -> Self {
        Self { inner, settings }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for KeycloakService<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    ReqBody: Send + 'static,
    ResBody: HttpBody<Data = Bytes> + Send + 'static,
    ResBody::Error: Into<axum::BoxError>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = KeycloakFuture<S, ReqBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let settings = &*self.settings;
        let keycloak = &settings.keycloak;
        if settings.is_open_to(&request) {
            offer(keycloak, None, request.extensions_mut());
            return KeycloakFuture::forwarded(self.inner.call(request));
        }
        let token = match BearerToken::from_headers(request.headers()) {
            Ok(Some(token)) => token,
            Ok(None) if settings.admits_anybody() => {
                offer(keycloak, None, request.extensions_mut());
                return KeycloakFuture::forwarded(self.inner.call(request));
            }
            Ok(None) => {
                let error = AuthError::MissingCredentials;
                return KeycloakFuture::refused(settings.refuse(&request, &error, None));
            }
            Err(fault) => return KeycloakFuture::refused(settings.refuse(&request, &fault.into(), None)),
        };
        match keycloak.authenticator().judge(token, keycloak.now()) {
            Some(Ok((user, place))) => {
                let admitted = settings.admit(&mut request, &user);
                keycloak.authenticator().hand_back(user, place);
                match admitted {
                    Ok(()) => KeycloakFuture::forwarded(self.inner.call(request)),
                    Err(response) => KeycloakFuture::refused(response),
                }
            }
            Some(Err(error)) => KeycloakFuture::refused(settings.refuse(&request, &error, None)),
            None => {
                // The service that was polled ready must be the one that is called; its clone stays behind.
                let clone = self.inner.clone();
                let ready = mem::replace(&mut self.inner, clone);
                KeycloakFuture::asking(ready, Arc::clone(&self.settings), request)
            }
        }
    }
}
