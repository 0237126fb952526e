use keycloak_auth::keycloak;

#[keycloak(client_roles = "x")]
async fn handler_0() {}

#[keycloak(client_roles)]
async fn handler_1() {}

#[keycloak(client_roles())]
async fn handler_2() {}

#[keycloak(client_roles("c"))]
async fn handler_3() {}

#[keycloak(client_roles("c", "x"))]
async fn handler_4() {}

#[keycloak(client_roles("c", ["x", "y"]))]
async fn handler_5() {}

#[keycloak(client_roles("c" = "x", "y"))]
async fn handler_6() {}

#[keycloak(client_roles("c" = "x", "d" = "y"))]
async fn handler_7() {}

#[keycloak(client_roles["c" = "x"])]
async fn handler_8() {}

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
        .route("/8", axum::routing::get(handler_8));
}
