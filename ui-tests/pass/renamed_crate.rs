//! `crate = path`, where the runtime has another name.
#![deny(warnings)]

use keycloak_auth as renamed;

mod reexport {
    pub(crate) use keycloak_auth as kc;
}

use renamed::keycloak;

#[keycloak(crate = renamed, roles = "admin")]
async fn local() {}

#[keycloak(roles = "admin", crate = reexport::kc)]
async fn nested() {}

#[keycloak(roles = ["admin", "ops"], any, crate = crate::reexport::kc)]
async fn from_the_root() {}

#[keycloak(crate = self::reexport::kc, roles = "admin")]
#[utoipa::path(get, path = "/")]
async fn from_here() {}

#[keycloak(crate = self::reexport::kc, roles = "admin")]
async fn from_here_not_described() {}

#[utoipa::path(get, path = "/")]
#[keycloak(crate = self::reexport::kc, roles = "admin")]
async fn from_here_below() {}

mod inner {
    use super::renamed::{Policy, keycloak, policy};

    #[keycloak(crate = super::renamed, roles = "admin")]
    pub(crate) async fn from_above() {}

    pub(crate) const POLICY: Policy = policy!(crate = super::renamed, roles = "admin");
}

fn main() {
    let get = axum::routing::get::<_, _, ()>;
    let _ = (get(local), inner::POLICY);
    let _: axum::Router = axum::Router::new()
        .route("/1", axum::routing::get(nested).post(from_the_root))
        .route(
            "/3",
            axum::routing::get(from_here_not_described).post(from_here_below),
        )
        .route("/2", axum::routing::get(from_here).post(inner::from_above));
}
