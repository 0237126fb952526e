use keycloak_auth::keycloak;

#[keycloak(roles = ["a", "b"], any, any)]
async fn handler_0() {}

fn main() {
    let _: axum::Router = axum::Router::new()
        .route("/0", axum::routing::get(handler_0));
}
