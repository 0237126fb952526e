use keycloak_auth::keycloak;

#[keycloak(roles = "admin,ops")]
async fn handler_0() {}

#[keycloak(roles = "admin, ops")]
async fn handler_1() {}

#[keycloak(roles = "admin ops")]
async fn handler_2() {}

#[keycloak(realm_roles = "admin;ops", any)]
async fn handler_3() {}

#[keycloak(client_roles("orders" = "read|write"))]
async fn handler_4() {}

#[keycloak(groups = "ops,sales")]
async fn handler_5() {}

#[keycloak(groups = "/ops /sales")]
async fn handler_6() {}

#[keycloak(scopes = "a,b")]
async fn handler_7() {}

#[keycloak(role("a,b"))]
async fn handler_8() {}

#[keycloak(not(realm_role("a, b")))]
async fn handler_9() {}

#[keycloak(client_role("orders", "read,write"))]
async fn handler_10() {}

#[keycloak(all(role("x"), group("/Human Resources,/sales")))]
async fn handler_11() {}

#[keycloak(group_tree("/ops,/sales"))]
async fn handler_12() {}

#[keycloak(scope("a,b"))]
async fn handler_13() {}

fn main() {
    let _: axum::Router = axum::Router::new()
        .route("/0", axum::routing::get(handler_0))
        .route("/1", axum::routing::get(handler_1))
        .route("/2", axum::routing::get(handler_2))
        .route("/3", axum::routing::get(handler_3))
        .route("/4", axum::routing::get(handler_4))
        .route("/5", axum::routing::get(handler_5))
        .route("/6", axum::routing::get(handler_6))
        .route("/7", axum::routing::get(handler_7))
        .route("/8", axum::routing::get(handler_8))
        .route("/9", axum::routing::get(handler_9))
        .route("/10", axum::routing::get(handler_10))
        .route("/11", axum::routing::get(handler_11))
        .route("/12", axum::routing::get(handler_12))
        .route("/13", axum::routing::get(handler_13));
}
