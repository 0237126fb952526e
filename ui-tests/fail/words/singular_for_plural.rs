use keycloak_auth::keycloak;

#[keycloak(role = "admin")]
async fn handler_0() {}

#[keycloak(group = ["/ops", "/dev"])]
async fn handler_1() {}

#[keycloak(scope = "orders:read")]
async fn handler_2() {}

#[keycloak(client_role = "x")]
async fn handler_3() {}

#[keycloak(role)]
async fn handler_4() {}

#[keycloak(acr = "gold")]
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
