//! What the attribute writes is what `SecureRouter` asks for, whatever the shape of the handler.
#![deny(warnings)]

use axum::{Json, Router, extract::State, response::IntoResponse};
use keycloak_auth::{
    Keycloak, KeycloakUser, Policy, SecureRouter, keycloak, policy,
    routing::{get, post},
};

const OPS: Policy = policy!(any(group_tree("/ops"), role("admin")));

#[keycloak(public)]
async fn health() {}

#[keycloak(roles = "admin", groups = "/ops", any)]
#[utoipa::path(get, path = "/orders")]
async fn list(user: KeycloakUser) -> String {
    format!("{:?}", user.subject())
}

#[keycloak(OPS)]
async fn create(
    State(state): State<u8>,
    _: Option<KeycloakUser>,
    Json(body): Json<String>,
) -> impl IntoResponse {
    format!("{state}{body}")
}

#[utoipa::path(get, path = "/generic")]
#[keycloak(owner("id"))]
async fn generic<S: Clone + Send + Sync + 'static>(_: State<S>) {}

#[keycloak(authenticated)]
#[axum::debug_handler]
async fn debugged() {}

#[keycloak(authenticated)]
fn boxed() -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async {})
}

fn app(keycloak: Keycloak) -> Router {
    SecureRouter::new()
        .route("/health", get(health))
        .route("/orders", get(list).post(create))
        .route("/generic/{id}", get(generic::<u8>))
        .route("/others", post(debugged).get(boxed))
        .with_state(1)
        .secure_with(keycloak)
}

fn main() {
    let _ = app;
}
