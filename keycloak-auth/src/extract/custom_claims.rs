//! Custom claims as an argument of a handler.

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::{AuthRejection, context::keycloak_for};
use crate::{InvalidToken, KeycloakUser};

/// The claims of the caller's token, read into a type of the service's own.
///
/// A token whose claims do not fit is answered with 401 and the code `invalid_claims`; a member that may be missing is
/// an `Option` or has a `#[serde(default)]`.
///
/// ```
/// use keycloak_auth::CustomClaims;
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Tenant {
///     tenant_id: u32,
/// }
///
/// async fn invoices(CustomClaims(tenant): CustomClaims<Tenant>) -> String {
///     format!("the invoices of tenant {}", tenant.tenant_id)
/// }
/// # let _ = invoices;
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct CustomClaims<T>(pub T);

impl<S, T> FromRequestParts<S> for CustomClaims<T>
where
    S: Send + Sync + 'static,
    T: DeserializeOwned,
{
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AuthRejection> {
        let user = <KeycloakUser as FromRequestParts<S>>::from_request_parts(parts, state).await?;
        user.claims().map(Self).map_err(|error: serde_json::Error| {
            // The parser's message may quote a claim, so only the place is told.
            tracing::debug!(
                name: "keycloak.custom_claims_refused",
                target: "keycloak_auth",
                { keycloak.column = error.column() },
                "the claims do not fit {}", std::any::type_name::<T>()
            );
            match keycloak_for(&parts.extensions, state) {
                Some(keycloak) => AuthRejection::new(InvalidToken::CustomClaims.into(), &keycloak),
                None => AuthRejection::not_installed(),
            }
        })
    }
}
