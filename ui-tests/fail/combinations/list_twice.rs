use keycloak_auth::keycloak;

#[keycloak(roles = "a", roles = "b")]
async fn handler_0() {}

#[keycloak(groups = "/a", roles = "b", groups = "/c")]
async fn handler_1() {}

#[keycloak(client_roles("c" = "x"), client_roles("c" = "y"))]
async fn handler_2() {}

fn main() {
    let _: axum::Router = axum::Router::new()
        .route("/0", axum::routing::get(handler_0))
        .route("/1", axum::routing::get(handler_1))
        .route("/2", axum::routing::get(handler_2));
}
