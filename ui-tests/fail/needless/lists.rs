#![deny(deprecated)]

use keycloak_auth::keycloak;

#[keycloak(roles = ["a", "b"], realm_roles = "a")]
async fn handler_0() {}

#[keycloak(realm_roles = ["c", "a"], roles = "a", any)]
async fn handler_1() {}

fn main() {
    let _: axum::Router = axum::Router::new()
        .route("/0", axum::routing::get(handler_0))
        .route("/1", axum::routing::get(handler_1));
}
