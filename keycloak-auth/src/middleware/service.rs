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
use http::{
    Method, Request,
    header::{ACCESS_CONTROL_REQUEST_METHOD, CONTENT_LENGTH, ORIGIN, TRANSFER_ENCODING},
};
use tower_service::Service;

use super::{future::KeycloakFuture, layer::Settings};
use crate::{
    AuthError, Keycloak, KeycloakUser,
    bearer::BearerToken,
    extract::{RequestContext, note_refusal},
};

/// The middleware around a service; made by [`KeycloakLayer`](super::KeycloakLayer).
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
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone + Send + 'static,
    S::Future: Send,
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
        let Settings { keycloak, public_paths } = &*self.settings;
        if is_preflight(&request) || public_paths.contains(request.uri().path()) {
            request.extensions_mut().insert(RequestContext {
                keycloak: keycloak.clone(),
                user: None,
                is_of_router: false,
            });
            return KeycloakFuture::forwarded(self.inner.call(request));
        }
        let token = match BearerToken::from_headers(request.headers()) {
            Ok(Some(token)) => token,
            Ok(None) => return KeycloakFuture::refused(refuse(keycloak, &request, &AuthError::MissingCredentials)),
            Err(fault) => return KeycloakFuture::refused(refuse(keycloak, &request, &fault.into())),
        };
        match keycloak.authenticate_with_current_keys(token, keycloak.now()) {
            Some(Ok(verified)) => {
                let user = Some(KeycloakUser::new(verified));
                request.extensions_mut().insert(RequestContext {
                    keycloak: keycloak.clone(),
                    user,
                    is_of_router: false,
                });
                KeycloakFuture::forwarded(self.inner.call(request))
            }
            Some(Err(error)) => KeycloakFuture::refused(refuse(keycloak, &request, &error)),
            None => {
                // The service that was polled ready must be the one that is called; its clone stays behind.
                let clone = self.inner.clone();
                KeycloakFuture::waiting_for_keys(mem::replace(&mut self.inner, clone), keycloak.clone(), request)
            }
        }
    }
}

fn refuse<B>(keycloak: &Keycloak, request: &Request<B>, error: &AuthError) -> Response<Body> {
    note_refusal(error, None, request.method(), request.extensions(), keycloak);
    keycloak.respond(error)
}

/// Whether this is a CORS preflight: only then does an `OPTIONS` request come without credentials by design.
fn is_preflight<B>(request: &Request<B>) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(ORIGIN)
        && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD)
        && request.headers().get(CONTENT_LENGTH).is_none_or(|length| length == "0")
        && !request.headers().contains_key(TRANSFER_ENCODING)
}
