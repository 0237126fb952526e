//! The caller of a request, determined once.

use http::request::Parts;

use super::{AuthRejection, state::find_in_state};
use crate::{AuthError, Keycloak, KeycloakUser, bearer::BearerToken};

/// What a layer leaves in a request's extensions for the extractors behind it.
#[derive(Clone, Debug)]
pub(crate) struct RequestContext {
    pub(crate) keycloak: Keycloak,
    /// The caller, once it has been determined.
    pub(crate) user: Option<KeycloakUser>,
}

/// The [`Keycloak`] that a request is under: the one of the innermost layer, else the one in the state.
pub(super) fn keycloak_for<S: 'static>(parts: &Parts, state: &S) -> Option<Keycloak> {
    match parts.extensions.get::<RequestContext>() {
        Some(context) => Some(context.keycloak.clone()),
        None => find_in_state(state),
    }
}

/// The caller, or `None` for a request without credentials.
///
/// The credentials are judged once for each request: what was found out is kept beside the request where there is a place
/// for it, and in the cache of verified tokens where there is none.
pub(super) async fn caller(
    parts: &mut Parts,
    keycloak: Option<&Keycloak>,
) -> Result<Option<KeycloakUser>, AuthRejection> {
    let keycloak = keycloak.ok_or_else(AuthRejection::not_installed)?;
    let known = parts
        .extensions
        .get::<RequestContext>()
        .and_then(|context| context.user.clone());
    if known.is_some() {
        return Ok(known);
    }
    let reject = |error: AuthError| AuthRejection::new(error, keycloak.clone());
    let Some(token) = BearerToken::from_headers(&parts.headers).map_err(|fault| reject(fault.into()))? else {
        return Ok(None);
    };
    let verified = match keycloak.authenticate_with_current_keys(token) {
        Some(result) => result,
        None => keycloak.authenticate_by_asking(token).await,
    };
    let user = KeycloakUser::new(verified.map_err(reject)?);
    match parts.extensions.get_mut::<RequestContext>() {
        Some(context) => context.user = Some(user.clone()),
        None if keycloak.has_token_cache() => {}
        None => {
            parts.extensions.insert(RequestContext {
                keycloak: keycloak.clone(),
                user: Some(user.clone()),
            });
        }
    }
    Ok(Some(user))
}
