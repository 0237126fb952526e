use keycloak_auth::keycloak;

#[keycloak(roles = ["a", "a"])]
async fn handler_0() {}

#[keycloak(groups = ["ops", "/ops"])]
async fn handler_1() {}

#[keycloak(client_roles("c" = ["x", "x"]))]
async fn handler_2() {}

#[keycloak(any(role("a"), role("a")))]
async fn handler_3() {}

#[keycloak(all(role("b"), any(group("/a"), group("a"))))]
async fn handler_4() {}

fn main() {
    let _: axum::Router = axum::Router::new()
        .route("/0", axum::routing::get(handler_0))
        .route("/1", axum::routing::get(handler_1))
        .route("/2", axum::routing::get(handler_2))
        .route("/3", axum::routing::get(handler_3))
        .route("/4", axum::routing::get(handler_4));
}
