//! A service that keeps its `axum::Router`: the layer asks for a token on all paths but the public ones, and a handler
//! that needs more than a token says so by its annotation.

use axum::{Json, Router, routing::get};
use keycloak_auth::{Keycloak, KeycloakUser, keycloak};

async fn health() -> &'static str {
    "up"
}

/// Asks for a token, as the layer does for every path that is not public.
async fn me(user: KeycloakUser) -> Json<KeycloakUser> {
    Json(user)
}

/// Greets by name whoever sends a token; a path that is public for those without one.
async fn greeting(user: Option<KeycloakUser>) -> String {
    match user {
        Some(user) => format!("Hello, {}!", user.username().unwrap_or("stranger")),
        None => "Hello! Log in, and I shall know your name.".to_owned(),
    }
}

/// Needs more than a token.
#[keycloak(realm_roles = "admin")]
async fn admin() -> &'static str {
    "You may do everything."
}

fn app(keycloak: Keycloak) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/greeting", get(greeting))
        .route("/me", get(me))
        .route("/admin", get(admin))
        .layer(keycloak.layer().public_paths(["/health", "/greeting"]))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let app = app(Keycloak::from_env()?);
    let address = "127.0.0.1:3000";
    let listener = tokio::net::TcpListener::bind(address).await;
    let listener = listener.map_err(|error| format!("cannot listen on {address}: {error}"))?;
    println!("http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}
