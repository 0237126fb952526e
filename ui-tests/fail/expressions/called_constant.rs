use keycloak_auth::keycloak;

#[keycloak(OPS())]
async fn handler_0() {}

#[keycloak(any(policies::OPS(), role("a")))]
async fn handler_1() {}

fn main() {
    let _: axum::Router = axum::Router::new()
        .route("/0", axum::routing::get(handler_0))
        .route("/1", axum::routing::get(handler_1));
}
