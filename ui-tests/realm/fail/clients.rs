use keycloak_auth::keycloak;

#[keycloak(client_roles("order-api" = "orders:read"))]
async fn handler_0() {}

#[keycloak(client_role("warehouse-api", "orders:read"))]
async fn handler_1() {}

#[keycloak(client_roles("Orders-API" = ["x", "y"]))]
async fn handler_2() {}

fn main() {
    let _: axum::Router = axum::Router::new()
        .route("/0", axum::routing::get(handler_0))
        .route("/1", axum::routing::get(handler_1))
        .route("/2", axum::routing::get(handler_2));
}
