use keycloak_auth::keycloak;

#[keycloak(role("a") || role("b") || role("c"))]
async fn handler_0() {}

#[keycloak(all(role("x"), role("a") or role("b")))]
async fn handler_1() {}

#[keycloak(role("a") && role("b") || role("c"))]
async fn handler_2() {}

fn main() {
    let _: axum::Router = axum::Router::new()
        .route("/0", axum::routing::get(handler_0))
        .route("/1", axum::routing::get(handler_1))
        .route("/2", axum::routing::get(handler_2));
}
