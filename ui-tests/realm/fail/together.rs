use keycloak_auth::{Policy, keycloak, policy};

const STAFF: Policy = policy!(any(role("staff"), role("stuff")));

#[keycloak(roles = "clrek", gruops = "/ops", scopes = "profil")]
async fn handler_0() {}

#[keycloak(all(not(role("clrek")), any(group("/op"), STAFF), role("")))]
async fn handler_1() {}

fn main() {
    let _: axum::Router = axum::Router::new()
        .route("/0", axum::routing::get(handler_0))
        .route("/1", axum::routing::get(handler_1));
}
