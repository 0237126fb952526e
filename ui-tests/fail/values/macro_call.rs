use keycloak_auth::keycloak;

#[keycloak(roles = concat!("admin", "-ops"))]
async fn handler_0() {}

#[keycloak(roles = [concat!("a", NUMBER), "b"])]
async fn handler_1() {}

#[keycloak(realm_roles = env!("ROLE"))]
async fn handler_2() {}

#[keycloak(groups = vec!["/ops", "/sales"])]
async fn handler_3() {}

#[keycloak(scopes = &["orders:read"])]
async fn handler_4() {}

fn main() {
    let _: axum::Router = axum::Router::new()
        .route("/0", axum::routing::get(handler_0))
        .route("/1", axum::routing::get(handler_1))
        .route("/2", axum::routing::get(handler_2))
        .route("/3", axum::routing::get(handler_3))
        .route("/4", axum::routing::get(handler_4));
}
