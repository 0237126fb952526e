use keycloak_auth::keycloak;

#[keycloak(claim("a" = null))]
async fn handler_0() {}

#[keycloak(claim("a" = None))]
async fn handler_1() {}

#[keycloak(claim("a" = True))]
async fn handler_2() {}

#[keycloak(claim("a" = ["x", "y"]))]
async fn handler_3() {}

#[keycloak(claim("a" = ["x"]))]
async fn handler_4() {}

#[keycloak(claim("a" = 1u8))]
async fn handler_5() {}

#[keycloak(claim("a" = -1i64))]
async fn handler_6() {}

#[keycloak(claim("a" = b"x"))]
async fn handler_7() {}

#[keycloak(claim("a" = 'x'))]
async fn handler_8() {}

#[keycloak(claim("a" = 1.5))]
async fn handler_9() {}

#[keycloak(claim("a", 1))]
async fn handler_10() {}

#[keycloak(claim("a" != 1))]
async fn handler_11() {}

#[keycloak(claim("a" < 1))]
async fn handler_12() {}

#[keycloak(claim("a" = LEVEL))]
async fn handler_13() {}

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
        .route("/9", axum::routing::get(handler_9))
        .route("/10", axum::routing::get(handler_10))
        .route("/11", axum::routing::get(handler_11))
        .route("/12", axum::routing::get(handler_12))
        .route("/13", axum::routing::get(handler_13));
}
