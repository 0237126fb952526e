use keycloak_auth::keycloak;

#[keycloak(role("a", "b"))]
async fn handler_0() {}

#[keycloak(role("a", "b", "c"))]
async fn handler_1() {}

#[keycloak(realm_role("a", "b"))]
async fn handler_2() {}

#[keycloak(acr("1", "2"))]
async fn handler_3() {}

#[keycloak(owner("id", "sub"))]
async fn handler_4() {}

#[keycloak(owner("id", "sub", "x"))]
async fn handler_5() {}

fn main() {
    let _: axum::Router = axum::Router::new()
        .route("/0", axum::routing::get(handler_0))
        .route("/1", axum::routing::get(handler_1))
        .route("/2", axum::routing::get(handler_2))
        .route("/3", axum::routing::get(handler_3))
        .route("/4", axum::routing::get(handler_4))
        .route("/5", axum::routing::get(handler_5));
}
