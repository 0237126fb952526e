use keycloak_auth::keycloak;

#[keycloak((role("a")))]
async fn handler_0() {}

#[keycloak((roles = "a", any))]
async fn handler_1() {}

#[keycloak(any((role("a")), role("b")))]
async fn handler_2() {}

#[keycloak(|user| user.is_admin())]
async fn handler_3() {}

fn main() {
    let _: axum::Router = axum::Router::new()
        .route("/0", axum::routing::get(handler_0))
        .route("/1", axum::routing::get(handler_1))
        .route("/2", axum::routing::get(handler_2))
        .route("/3", axum::routing::get(handler_3));
}
