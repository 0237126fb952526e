use keycloak_auth::keycloak;

#[keycloak(role(ROLE))]
async fn handler_0() {}

#[keycloak(role(names::ROLE))]
async fn handler_1() {}

#[keycloak(role(concat!("a", "b")))]
async fn handler_2() {}

#[keycloak(role(["a", "b"]))]
async fn handler_3() {}

#[keycloak(group(&"/a"))]
async fn handler_4() {}

#[keycloak(owner("id" = CLAIM))]
async fn handler_5() {}

#[keycloak(not role("a"))]
async fn handler_6() {}

#[keycloak(role { "a" })]
async fn handler_7() {}

#[keycloak(acr = "gold")]
async fn handler_8() {}

#[keycloak(max_age = 300)]
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
