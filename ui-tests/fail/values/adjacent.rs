use keycloak_auth::keycloak;

#[keycloak(roles = "admin" "ops")]
async fn handler_0() {}

#[keycloak(roles = "admin", "ops")]
async fn handler_1() {}

#[keycloak(roles = "admin" "ops" "sales", any)]
async fn handler_2() {}

#[keycloak(groups = ["/ops"]["/sales"])]
async fn handler_3() {}

#[keycloak(client_roles("c" = "x" "y"))]
async fn handler_4() {}

#[keycloak(client_roles("c" = "x", "y"))]
async fn handler_5() {}

#[keycloak(scopes = "a" 7)]
async fn handler_6() {}

#[keycloak(roles = ["a", "b"], "any")]
async fn handler_7() {}

fn main() {
    let _: axum::Router = axum::Router::new()
        .route("/0", axum::routing::get(handler_0))
        .route("/1", axum::routing::get(handler_1))
        .route("/2", axum::routing::get(handler_2))
        .route("/3", axum::routing::get(handler_3))
        .route("/4", axum::routing::get(handler_4))
        .route("/5", axum::routing::get(handler_5))
        .route("/6", axum::routing::get(handler_6))
        .route("/7", axum::routing::get(handler_7));
}
