use keycloak_auth::keycloak;

#[keycloak(role("a") && role("b"))]
async fn handler_0() {}

#[keycloak(role("a") or role("b"))]
async fn handler_1() {}

#[keycloak(any(role("a") | role("b"), role("c")))]
async fn handler_2() {}

#[keycloak(all(role("a"), not(role("b")) +))]
async fn handler_3() {}

#[keycloak(role("a") ||)]
async fn handler_4() {}

#[keycloak(not(role("a") and role("b")))]
async fn handler_5() {}

#[keycloak(!role("a"))]
async fn handler_6() {}

fn main() {
    let _: axum::Router = axum::Router::new()
        .route("/0", axum::routing::get(handler_0))
        .route("/1", axum::routing::get(handler_1))
        .route("/2", axum::routing::get(handler_2))
        .route("/3", axum::routing::get(handler_3))
        .route("/4", axum::routing::get(handler_4))
        .route("/5", axum::routing::get(handler_5))
        .route("/6", axum::routing::get(handler_6));
}
