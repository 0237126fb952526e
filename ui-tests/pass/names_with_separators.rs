//! Keycloak takes almost any letter in a name. In a list each string is one name, whatever is in it.

use keycloak_auth::{Policy, keycloak, policy};

const EUROPE: Policy = policy!(roles = ["sales, europe"]);

#[keycloak(roles = ["sales, europe", "Team Lead", "/root", "a|b;c"], any)]
async fn roles() {}

#[keycloak(client_roles("orders" = ["read, write"]), scopes = ["a,b"], groups = ["/Research, Development"])]
async fn lists() {}

#[keycloak(groups = "/Human Resources/Team Lead")]
async fn group() {}

#[keycloak(any(EUROPE, role("Team Lead"), group("/Human Resources"), group_tree("/Research, Development")))]
async fn expression() {}

fn main() {
    let _: axum::Router = axum::Router::new()
        .route("/0", axum::routing::get(roles))
        .route("/1", axum::routing::get(lists))
        .route("/2", axum::routing::get(group))
        .route("/3", axum::routing::get(expression));
}
