//! What a macro passes on is as good as what is written.

use keycloak_auth::{Policy, keycloak, policy};

const OPS: Policy = policy!(role("ops"));

mod policies {
    use keycloak_auth::{Policy, policy};

    pub const SALES: Policy = policy!(group_tree("/sales"));
}

macro_rules! role {
    ($name:ident, $role:literal) => {
        #[keycloak(roles = $role)]
        async fn $name() {}
    };
}

macro_rules! roles {
    ($name:ident, $roles:expr) => {
        #[keycloak(roles = $roles, any)]
        async fn $name() {}
    };
}

macro_rules! policy_of {
    ($name:ident, $policy:expr) => {
        #[keycloak($policy)]
        async fn $name() {}
    };
}

macro_rules! named {
    ($name:ident, $policy:path) => {
        #[keycloak($policy)]
        async fn $name() {}
    };
}

macro_rules! extractor {
    ($name:ident, $extractor:ty, $seconds:literal) => {
        #[keycloak(max_age($seconds))]
        async fn $name(_: $extractor) {}
    };
}

macro_rules! guarded {
    ($item:item) => {
        #[keycloak(authenticated)]
        $item
    };
}

role!(literal, "admin");
roles!(string, "admin");
roles!(list, ["admin", "ops"]);
policy_of!(call, any(role("admin"), not(role("trainee"))));
policy_of!(constant, OPS);
named!(path, policies::SALES);
extractor!(typed, String, 300);
guarded!(
    async fn item() {}
);

fn main() {
    let _: axum::Router = axum::Router::new()
        .route("/0", axum::routing::get(literal))
        .route("/1", axum::routing::get(string))
        .route("/2", axum::routing::get(list))
        .route("/3", axum::routing::get(call))
        .route("/4", axum::routing::get(constant))
        .route("/5", axum::routing::get(path))
        .route("/6", axum::routing::get(typed))
        .route("/7", axum::routing::get(item));
}
