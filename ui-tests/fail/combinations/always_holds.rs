use keycloak_auth::keycloak;

#[keycloak(any(realm_role("a"), not(realm_role("a"))))]
async fn handler_0() {}

#[keycloak(any(not(realm_role("a")), role("a")))]
async fn handler_1() {}

#[keycloak(any(not(role("a")), not(role("b")), all(role("a"), role("b"))))]
async fn handler_2() {}

#[keycloak(all(scope("s"), not(all(acr("1"), acr("2")))))]
async fn handler_3() {}

#[keycloak(any(
    role("1"), role("2"), role("3"), role("4"), role("5"), role("6"), role("7"), role("8"), role("9"), role("10"),
    not(realm_role("3")),
))]
async fn handler_4() {}

fn main() {
    let _: axum::Router = axum::Router::new()
        .route("/0", axum::routing::get(handler_0))
        .route("/1", axum::routing::get(handler_1))
        .route("/2", axum::routing::get(handler_2))
        .route("/3", axum::routing::get(handler_3))
        .route("/4", axum::routing::get(handler_4));
}
