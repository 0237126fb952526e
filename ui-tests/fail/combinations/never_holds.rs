use keycloak_auth::keycloak;

#[keycloak(all(realm_role("a"), not(realm_role("a"))))]
async fn handler_0() {}

#[keycloak(all(role("a"), any(role("b"), acr("1")), not(role("a"))))]
async fn handler_1() {}

#[keycloak(all(acr("1"), acr("2")))]
async fn handler_2() {}

#[keycloak(any(role("x"), all(group("/a/b"), not(group_tree("/a")))))]
async fn handler_3() {}

#[keycloak(all(any(role("a"), role("b")), not(role("a")), not(role("b"))))]
async fn handler_4() {}

#[keycloak(all(max_age(60), not(max_age(300))))]
async fn handler_5() {}

#[keycloak(all(
    any(role("1"), role("2"), role("3"), role("4"), role("5"), role("6"), role("7"), role("8"), role("9")),
    group("/ops"),
    not(group_tree("/ops")),
))]
async fn handler_6() {}

#[keycloak(any(
    all(role("1"), role("2"), role("3"), role("4"), role("5"), role("6"), role("7"), role("8"), role("9")),
    all(acr("1"), role("10"), acr("2")),
    role("11"),
))]
async fn handler_7() {}

fn main() {
    let _: axum::Router = axum::Router::new()
        .route("/0", axum::routing::get(handler_0))
        .route("/1", axum::routing::get(handler_1))
        .route("/2", axum::routing::get(handler_2))
        .route("/3", axum::routing::get(handler_3))
        .route("/4", axum::routing::get(handler_4))
        .route("/5", axum::routing::get(handler_5))
        .route("/6", axum::routing::get(handler_6))
        .route("/7", axum::routing::get(handler_7));
}
