use keycloak_auth::keycloak;

#[keycloak(max_age(-5))]
async fn handler_0() {}

#[keycloak(max_age(0))]
async fn handler_1() {}

#[keycloak(max_age("300"))]
async fn handler_2() {}

#[keycloak(max_age(300s))]
async fn handler_3() {}

#[keycloak(max_age(5m))]
async fn handler_4() {}

#[keycloak(max_age(1h))]
async fn handler_5() {}

#[keycloak(max_age(5 * 60))]
async fn handler_6() {}

#[keycloak(max_age(300u64))]
async fn handler_7() {}

#[keycloak(max_age(MAX_AGE))]
async fn handler_8() {}

#[keycloak(max_age(99999999999999999999))]
async fn handler_9() {}

fn main() {
    let _: axum::Router = axum::Router::new()
        .route("/0", axum::routing::get(handler_0))
        .route("/1", axum::routing::get(handler_1))
        .route("/2", axum::routing::get(handler_2))
        .route("/3", axum::routing::get(handler_3))
        .route("/4", axum::routing::get(handler_4))
        .route("/5", axum::routing::get(handler_5))
        .route("/6", axum::routing::get(handler_6))
        .route("/7", axum::routing::get(handler_7))
        .route("/8", axum::routing::get(handler_8))
        .route("/9", axum::routing::get(handler_9));
}
