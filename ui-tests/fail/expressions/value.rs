use keycloak_auth::keycloak;

#[keycloak(role(admin))]
async fn handler_0() {}

#[keycloak(client_role("c"))]
async fn handler_1() {}

#[keycloak(client_role("c",))]
async fn handler_2() {}

#[keycloak(client_role(c, "r"))]
async fn handler_3() {}

#[keycloak(claim("a"))]
async fn handler_4() {}

#[keycloak(claim("a" =))]
async fn handler_5() {}

#[keycloak(claim("a" = 1.5))]
async fn handler_6() {}

#[keycloak(claim("a" = -"x"))]
async fn handler_7() {}

#[keycloak(claim("a" = 99999999999999999999))]
async fn handler_8() {}

#[keycloak(claim("a" = yes))]
async fn handler_9() {}

#[keycloak(claim(a = 1))]
async fn handler_10() {}

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
        .route("/10", axum::routing::get(handler_10));
}
