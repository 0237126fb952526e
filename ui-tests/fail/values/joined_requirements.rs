use keycloak_auth::keycloak;

#[keycloak(roles = "admin" || groups = "/ops")]
async fn either() {}

#[keycloak(roles = "admin" & groups = "/ops")]
async fn both() {}

fn main() {
    let _: axum::Router = axum::Router::new()
        .route("/either", axum::routing::get(either))
        .route("/both", axum::routing::get(both));
}
