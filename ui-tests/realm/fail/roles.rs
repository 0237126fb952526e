use keycloak_auth::keycloak;

#[keycloak(roles = "clrek")]
async fn handler_0() {}

#[keycloak(role("superuser"))]
async fn handler_1() {}

#[keycloak(any(role("ops"), role("admin")))]
async fn handler_2() {}

#[keycloak(roles = ["admin", "Auditor"])]
async fn handler_3() {}

#[keycloak(role("phone"))]
async fn handler_4() {}

fn main() {
    let _: axum::Router = axum::Router::new()
        .route("/0", axum::routing::get(handler_0))
        .route("/1", axum::routing::get(handler_1))
        .route("/2", axum::routing::get(handler_2))
        .route("/3", axum::routing::get(handler_3))
        .route("/4", axum::routing::get(handler_4));
}
