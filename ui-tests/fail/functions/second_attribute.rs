use keycloak_auth::keycloak;

#[keycloak(roles = "admin")]
#[keycloak(groups = "/ops")]
async fn handler() {}

fn main() {
    let _: axum::Router = axum::Router::new().route("/", axum::routing::get(handler));
}
