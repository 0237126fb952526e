#![deny(deprecated)]

use keycloak_auth::keycloak;

#[keycloak(not(not(role("a"))))]
async fn handler_0() {}

#[keycloak(any(role("a")))]
async fn handler_1() {}

#[keycloak(all(not(any(role("a"))), role("b")))]
async fn handler_2() {}

#[keycloak(all(role("a"), all(role("b"), role("c"))))]
async fn handler_3() {}

#[keycloak(any(group("/a/b"), group_tree("/a")))]
async fn handler_4() {}

#[keycloak(all(group("/a/b"), group_tree("/a")))]
async fn handler_5() {}

#[keycloak(all(max_age(300), role("a"), max_age(60)))]
async fn handler_6() {}

#[keycloak(any(role("a"), all(role("a"), role("b"))))]
async fn handler_7() {}

#[keycloak(all(
    any(role("1"), role("2"), role("3"), role("4"), role("5"), role("6"), role("7"), role("8"), role("9"), role("10")),
    all(role("11"), group_tree("/a")),
    group("/a/b"),
))]
async fn handler_8() {}

#[keycloak(any(
    role("1"), role("2"), role("3"), role("4"), role("5"), role("6"), role("7"), role("8"), role("9"), role("10"),
    realm_role("3"),
))]
async fn handler_9() {}

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
        .route("/9", axum::routing::get(handler_9));
}
