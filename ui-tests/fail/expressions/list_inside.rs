use keycloak_auth::keycloak;

#[keycloak(any(roles = "a", role("b")))]
async fn handler_0() {}

#[keycloak(all(client_roles("c" = "x"), role("a")))]
async fn handler_1() {}

#[keycloak(not(groups = "/ops"))]
async fn handler_2() {}

fn main() {
    let _: axum::Router = axum::Router::new()
        .route("/0", axum::routing::get(handler_0))
        .route("/1", axum::routing::get(handler_1))
        .route("/2", axum::routing::get(handler_2));
}
