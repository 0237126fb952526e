use keycloak_auth::keycloak;

#[keycloak(max_age("300"))]
async fn handler_0() {}

#[keycloak(max_age(0))]
async fn handler_1() {}

#[keycloak(max_age(-1))]
async fn handler_2() {}

#[keycloak(max_age(5m))]
async fn handler_3() {}

#[keycloak(max_age(300s))]
async fn handler_4() {}

fn main() {
    let _: axum::Router = axum::Router::new()
        .route("/0", axum::routing::get(handler_0))
        .route("/1", axum::routing::get(handler_1))
        .route("/2", axum::routing::get(handler_2))
        .route("/3", axum::routing::get(handler_3))
        .route("/4", axum::routing::get(handler_4));
}
