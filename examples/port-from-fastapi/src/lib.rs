//! The example service of Python's fastapi-authlib-keycloak, in Rust: the same routes, answered in the same way.
//!
//! | there | here |
//! |---|---|
//! | `KeycloakBuilder().with_…().build()` | [`Keycloak::builder`], in `main.rs` |
//! | `KeycloakMiddleware` with its public paths | [`SecureRouter`]: a handler without a policy does not compile into it |
//! | `Depends(get_current_user)` | an argument [`KeycloakUser`] |
//! | `Depends(require_roles(["admin"]))` | `#[keycloak(roles = "admin")]` |
//! | the exception handler | none: refusals are responses, and [`Keycloak::respond`] makes one of any other error |
//! | the scheme of the implicit flow | authorization code with PKCE |
//!
//! `/users/me` leaves out `raw_claims`, which nobody needs who has the token.
//!
//! What everything else is called stands in `keycloak_auth::guide::from_fastapi`.

use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse, Response},
};
use keycloak_auth::{DiagnosticReport, Keycloak, KeycloakUser, SecureRouter, TokenResponse, keycloak, secure_routes};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{OpenApi, ToSchema};
use utoipa_swagger_ui::{Config, SwaggerUi, oauth};

#[derive(OpenApi)]
#[openapi(info(title = "Port of the FastAPI example", license(name = "MIT", identifier = "MIT")))]
struct Api;

/// The whole service.
pub fn app(keycloak: Keycloak) -> Router {
    let routes = SecureRouter::<Keycloak>::with_openapi(Api::openapi())
        .routes(secure_routes!(root))
        .routes(secure_routes!(me))
        .routes(secure_routes!(admin))
        .routes(secure_routes!(refresh))
        .routes(secure_routes!(health));
    let document = keycloak.secure_openapi(routes.openapi().clone());
    let login = oauth::Config::new()
        .client_id(keycloak.client_id())
        .scopes(vec!["openid".to_owned(), "profile".to_owned(), "email".to_owned()])
        .use_pkce_with_authorization_code_grant(true);
    let docs = SwaggerUi::new("/docs").url("/openapi.json", document);
    routes
        .merge_public(docs.config(Config::default().try_it_out_enabled(true)).oauth(login))
        .secure_from_state()
        .with_state(keycloak)
}

/// For everybody
#[keycloak(public)]
#[utoipa::path(get, path = "/", responses((status = 200, description = "A greeting")))]
async fn root() -> Json<Value> {
    Json(json!({ "message": "Public endpoint" }))
}

/// The caller, under the names that the original has: a [`KeycloakUser`] has others as JSON, such as `subject`.
#[derive(Serialize, ToSchema)]
struct Me {
    sub: Option<String>,
    username: Option<String>,
    preferred_username: Option<String>,
    email: Option<String>,
    email_verified: bool,
    given_name: Option<String>,
    family_name: Option<String>,
    name: Option<String>,
    /// Those of the realm. The original adds those of all clients, so that nobody can tell whose they are.
    roles: Vec<String>,
    groups: Vec<String>,
}

impl From<KeycloakUser> for Me {
    fn from(user: KeycloakUser) -> Self {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Self {
            sub: owned(user.subject()),
            username: owned(user.username()),
            preferred_username: owned(user.username()),
            email: owned(user.email()),
            email_verified: user.email_verified(),
            given_name: owned(user.given_name()),
            family_name: owned(user.family_name()),
            name: owned(user.name()),
            roles: user.realm_roles().map(str::to_owned).collect(),
            groups: user.groups().map(str::to_owned).collect(),
        }
    }
}

/// The caller
#[keycloak(authenticated)]
#[utoipa::path(get, path = "/users/me", responses((status = 200, description = "The caller", body = Me)))]
async fn me(user: KeycloakUser) -> Json<Me> {
    Json(user.into())
}

/// For administrators
#[keycloak(roles = "admin")]
#[utoipa::path(get, path = "/admin", responses((status = 200, description = "A greeting")))]
async fn admin(user: KeycloakUser) -> Json<Value> {
    Json(json!({ "message": format!("Hello Admin {}!", user.username().unwrap_or("without a name")) }))
}

#[derive(Deserialize, ToSchema)]
struct Refresh {
    refresh_token: String,
}

/// A fresh token
///
/// The new refresh token takes the place of the old one.
#[keycloak(public)]
#[utoipa::path(
    post,
    path = "/token/refresh",
    responses(
        (status = 200, description = "New tokens", body = TokenResponse),
        (status = 400, description = "The refresh token is expired, revoked or not one"),
    )
)]
async fn refresh(State(keycloak): State<Keycloak>, Json(request): Json<Refresh>) -> Response {
    match keycloak.refresh_token(&request.refresh_token).await {
        Ok(tokens) => Json(tokens).into_response(),
        Err(error) => keycloak.respond(&error),
    }
}

/// Is Keycloak there, and is all as it should be?
#[keycloak(public)]
#[utoipa::path(
    get,
    path = "/health/keycloak",
    responses(
        (status = 200, description = "Tokens can be judged; warnings may be there", body = DiagnosticReport),
        (status = 503, description = "Something fails, with what to do", body = DiagnosticReport),
    )
)]
async fn health(State(keycloak): State<Keycloak>) -> DiagnosticReport {
    keycloak.recent_diagnosis().await
}
