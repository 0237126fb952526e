use keycloak_auth::{Policy, keycloak, policy};

const STAFF: Policy = policy!(any(role("staff"), group_tree("/ops")));

#[keycloak(roles = ["admin", "orders:read"])]
async fn handler_0() {}

#[keycloak(realm_roles = ["clerk", "offline_access", "uma_authorization", "default-roles-acme"])]
async fn handler_1() {}

#[keycloak(client_roles("orders-api" = ["orders:read", "orders:write"]), client_roles("billing-api" = "admin"))]
async fn handler_2() {}

#[keycloak(client_role("realm-management", "view-users"))]
async fn handler_3() {}

#[keycloak(any(client_role("account", "manage-account"), client_role("broker", "read-token")))]
async fn handler_4() {}

#[keycloak(groups = ["ops", "/ops/oncall", "/finance"])]
async fn handler_5() {}

#[keycloak(group_tree("/ops"))]
async fn handler_6() {}

#[keycloak(scopes = ["openid", "email", "profile", "organization", "organization:acme"])]
async fn handler_7() {}

#[keycloak(all(claim("anything" = "superuser"), acr("2"), max_age(60), not(STAFF), owner("superuser")))]
async fn handler_8() {}

#[keycloak(public)]
async fn handler_9() {}

#[keycloak(authenticated)]
async fn handler_10() {}

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
        .route("/10", axum::routing::get(handler_10));
}
