//! `KeycloakUser` and `Option<KeycloakUser>` as arguments of a handler, and out of a request's extensions.

use std::future::Future;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::{Extensions, request::Parts};

use super::{
    AuthRejection,
    authenticate::{Judgement, with_caller},
    context::{determined, known, last_determined},
};
use crate::{KeycloakUser, error::Cause};

impl<S> FromRequestParts<S> for KeycloakUser
where
    S: Send + Sync + 'static,
{
    type Rejection = AuthRejection;

    fn from_request_parts(parts: &mut Parts, state: &S) -> impl Future<Output = Result<Self, AuthRejection>> + Send {
        if let Some(user) = determined(&parts.extensions) {
            return Judgement::ready(Ok(user.clone()));
        }
        let known = known(&parts.extensions, state);
        with_caller(parts, known, None, |caller, _, keycloak| {
            let caller = caller.and_then(|user| user.cloned().ok_or(Cause::NO_CREDENTIALS));
            caller.map_err(|error| AuthRejection::new(error, keycloak))
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
        if let Some(user) = determined(&parts.extensions) {
            return Judgement::ready(Ok(Some(user.clone())));
        }
        let known = known(&parts.extensions, state);
        with_caller(parts, known, None, |caller, _, keycloak| {
            let caller = caller.map(|user| user.cloned());
            caller.map_err(|error| AuthRejection::new(error, keycloak))
        })
    }
}

impl KeycloakUser {
    /// The caller of the request with these extensions, if a [`KeycloakLayer`](crate::KeycloakLayer) or a guard has found out
    /// who it is: for services that are not axum's and have no extractors, as those of tonic or a tower service of your own.
    ///
    /// It is who the innermost layer or guard says. Without a layer there may be none here, although a guard let the request
    /// through: a handler takes a `KeycloakUser` as its argument instead.
    ///
    /// ```
    /// use keycloak_auth::KeycloakUser;
    ///
    /// fn greet<B>(request: &http::Request<B>) -> String {
    ///     let user = KeycloakUser::from_extensions(request.extensions());
    ///     format!("Hello, {}", user.and_then(|user| user.username()).unwrap_or("stranger"))
    /// }
    /// # let _ = greet::<()>;
    /// ```
    #[must_use]
    pub fn from_extensions(extensions: &Extensions) -> Option<&Self> {
        last_determined(extensions)
    }
}
