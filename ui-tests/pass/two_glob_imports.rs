//! Handlers that are imported by a glob, as utoipa's users do, stay usable.
#![deny(warnings)]

mod handlers {
    use keycloak_auth::keycloak;

    #[utoipa::path(get, path = "/one")]
    #[keycloak(roles = "admin")]
    pub(crate) async fn one() {}

    #[keycloak(roles = "admin")]
    #[utoipa::path(get, path = "/two")]
    pub(crate) async fn two() {}

    #[keycloak(roles = "admin")]
    pub(crate) async fn three() {}
}

use handlers::*;
use utoipa::OpenApi as _;

#[derive(utoipa::OpenApi)]
#[openapi(paths(one, two))]
struct Api;

fn main() {
    assert_eq!(
        Api::openapi()
            .to_json()
            .unwrap()
            .matches("x-keycloak-policy")
            .count(),
        2
    );
    let _: axum::Router = axum::Router::new().route("/", axum::routing::get(three));
}
