//! `KeycloakUser` and `Option<KeycloakUser>` as arguments of a handler.

use std::future::Future;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;

use super::{
    AuthRejection,
    authenticate::{known, with_caller},
};
use crate::{AuthError, KeycloakUser};

impl<S> FromRequestParts<S> for KeycloakUser
where
    S: Send + Sync + 'static,
{
    type Rejection = AuthRejection;

    fn from_request_parts(parts: &mut Parts, state: &S) -> impl Future<Output = Result<Self, AuthRejection>> + Send {
        let known = known(&parts.extensions, state);
        with_caller(parts, known, None, |caller, _, keycloak| {
            let caller = caller.and_then(|user| user.ok_or(AuthError::MissingCredentials));
            caller.map_err(|error| AuthRejection::new(error, keycloak.clone()))
        })
    }
}

/// `None` only for a request without credentials: a bad token is a mistake or an attack, and answered as such.
impl<S> OptionalFromRequestParts<S> for KeycloakUser
where
    S: Send + Sync + 'static,
{
    type Rejection = AuthRejection;

    fn from_request_parts(
        parts: &mut Parts,
        state: &S,
    ) -> impl Future<Output = Result<Option<Self>, AuthRejection>> + Send {
        let known = known(&parts.extensions, state);
        with_caller(parts, known, None, |caller, _, keycloak| {
            caller.map_err(|error| AuthRejection::new(error, keycloak.clone()))
        })
    }
}
