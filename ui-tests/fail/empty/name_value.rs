use keycloak_auth::keycloak;

#[keycloak = "admin"]
async fn handler() {}

fn main() {
    let _: axum::Router = axum::Router::new().route("/", axum::routing::get(handler));
}
