//! `KeycloakUser` and `Option<KeycloakUser>` as arguments of a handler.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;

use super::{
    AuthRejection,
    authenticate::{caller, keycloak_for},
};
use crate::{AuthError, KeycloakUser};

impl<S> FromRequestParts<S> for KeycloakUser
where
    S: Send + Sync + 'static,
{
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AuthRejection> {
        let keycloak = keycloak_for(parts, state);
        match caller(parts, keycloak.as_ref()).await? {
            Some(user) => Ok(user),
            None => Err(keycloak.map_or_else(AuthRejection::not_installed, |keycloak| {
                AuthRejection::new(AuthError::MissingCredentials, keycloak)
            })),
        }
    }
}

/// `None` only for a request without credentials: a bad token is a mistake or an attack, and answered as such.
impl<S> OptionalFromRequestParts<S> for KeycloakUser
where
    S: Send + Sync + 'static,
{
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, AuthRejection> {
        let keycloak = keycloak_for(parts, state);
        caller(parts, keycloak.as_ref()).await
    }
}
