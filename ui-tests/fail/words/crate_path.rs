use keycloak_auth::keycloak;

#[keycloak(crate = "renamed", roles = "a")]
async fn handler_0() {}

#[keycloak(crate, roles = "a")]
async fn handler_1() {}

#[keycloak(crate("x"), roles = "a")]
async fn handler_2() {}

#[keycloak(crate = keycloak_auth, roles = "a", crate = keycloak_auth)]
async fn handler_3() {}

fn main() {
    let _: axum::Router = axum::Router::new()
        .route("/0", axum::routing::get(handler_0))
        .route("/1", axum::routing::get(handler_1))
        .route("/2", axum::routing::get(handler_2))
        .route("/3", axum::routing::get(handler_3));
}
