//! Every way to put a handler without a policy into a `SecureRouter`; none of them may compile.

use keycloak_auth::{
    KeycloakUser, SecureRouter, keycloak,
    routing::{any, get, post},
};

async fn without_arguments() -> &'static str {
    ""
}

async fn with_user(user: KeycloakUser) -> String {
    format!("{user:?}")
}

async fn with_body(_: Option<KeycloakUser>, body: String) -> String {
    body
}

#[keycloak(authenticated)]
async fn with_policy(user: KeycloakUser) -> String {
    format!("{user:?}")
}

#[rustfmt::skip]
fn main() {
    let _: SecureRouter = SecureRouter::new()
        .route("/1", get(without_arguments))
        .route("/2", get(with_user))
        .route("/3", post(with_body))
        .route("/4", any(with_user))
        .route("/5", get(with_policy).delete(with_user))
        .route("/6", get(with_policy).fallback(without_arguments))
        .route("/7", get(|| async { "a closure" }))
        .route(
            "/8",
            get(with_policy).put(
                with_body,
            ),
        )
        .method_not_allowed_fallback(without_arguments)
        .fallback(without_arguments);
}
