//! The caller, and a fresh token.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use keycloak_auth::{Keycloak, KeycloakUser, TokenResponse, keycloak};
use serde::Deserialize;
use utoipa::ToSchema;

/// The client by which the users of this service log in; their refresh tokens belong to it.
const WEB_CLIENT: &str = "orders-web";

/// Who am I?
#[keycloak(authenticated)]
#[utoipa::path(get, path = "/me", tag = "account", responses((status = 200, description = "The caller", body = KeycloakUser)))]
pub(crate) async fn me(user: KeycloakUser) -> Json<KeycloakUser> {
    Json(user)
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct Refresh {
    refresh_token: String,
}

/// Exchange a refresh token for new tokens
///
/// For clients that cannot reach Keycloak themselves. The new refresh token takes the place of the old one.
#[keycloak(public)]
#[utoipa::path(
    post,
    path = "/token/refresh",
    tag = "account",
    responses(
        (status = 200, description = "New tokens", body = TokenResponse),
        (status = 400, description = "The refresh token is expired, revoked or not one"),
    )
)]
pub(crate) async fn refresh(State(keycloak): State<Keycloak>, Json(request): Json<Refresh>) -> Response {
    match keycloak
        .refresh_token(&request.refresh_token)
        .public_client(WEB_CLIENT)
        .await
    {
        Ok(tokens) => Json(tokens).into_response(),
        Err(error) => keycloak.respond(&error),
    }
}
