use keycloak_auth::keycloak;

#[keycloak(role("a"), role("b"), any)]
async fn handler_0() {}

fn main() {
    let _: axum::Router = axum::Router::new()
        .route("/0", axum::routing::get(handler_0));
}
