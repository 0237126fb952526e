//! A handler whose state is not that of its router, and cannot be had from it.

use keycloak_auth::{SecureRouter, keycloak, routing::get};

#[derive(Clone)]
struct AppState;

#[keycloak(authenticated)]
async fn handler(_: axum::extract::State<String>) {}

fn main() {
    let _ = SecureRouter::<AppState>::new().route("/", get(handler));
}
