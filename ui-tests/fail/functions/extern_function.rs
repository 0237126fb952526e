use keycloak_auth::keycloak;

#[keycloak(public)]
async extern "C" fn handler() {}

fn main() {
    let _: axum::Router = axum::Router::new().route("/", axum::routing::get(handler));
}
