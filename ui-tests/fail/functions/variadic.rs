use keycloak_auth::keycloak;

#[keycloak(public)]
async fn handler(_: ...) {}

fn main() {
    let _: axum::Router = axum::Router::new().route("/", axum::routing::get(handler));
}
