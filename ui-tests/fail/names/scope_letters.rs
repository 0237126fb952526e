use keycloak_auth::keycloak;

#[keycloak(scopes = "aufträge:lesen")]
async fn handler_0() {}

#[keycloak(scope("a\"b"))]
async fn handler_1() {}

#[keycloak(scopes = ["a\\b"])]
async fn handler_2() {}

fn main() {
    let _: axum::Router = axum::Router::new()
        .route("/0", axum::routing::get(handler_0))
        .route("/1", axum::routing::get(handler_1))
        .route("/2", axum::routing::get(handler_2));
}
