//! The OpenAPI operation carries the policy, whichever attribute stands on top.
#![deny(warnings, missing_docs, unreachable_pub)]

use keycloak_auth::keycloak;
use utoipa::OpenApi as _;

const POLICY: &str = "x-keycloak-policy";

/// Above.
#[keycloak(roles = "admin")]
#[utoipa::path(get, path = "/above")]
async fn above() {}

/// Below.
#[utoipa::path(post, path = "/below")]
#[keycloak(roles = "admin")]
async fn below() {}

/// Nested.
mod nested {
    /// Deeper.
    pub(crate) mod deeper {
        use keycloak_auth::keycloak;

        /// Above.
        #[keycloak(roles = "admin")]
        #[utoipa::path(get, path = "/nested/above")]
        pub(crate) async fn above() {}

        /// Below.
        #[utoipa::path(post, path = "/nested/below")]
        #[keycloak(roles = "admin")]
        pub(crate) async fn below() {}
    }
}

use utoipa::path as describe;

/// Renamed, above.
#[keycloak(roles = "admin")]
#[describe(get, path = "/renamed/above")]
async fn renamed_above() {}

/// By `cfg_attr`.
#[keycloak(roles = "admin")]
#[cfg_attr(all(), utoipa::path(get, path = "/by_cfg_attr"))]
async fn by_cfg_attr() {}

/// By a `cfg_attr` that does not hold.
#[keycloak(roles = "admin")]
#[cfg_attr(any(), utoipa::path(get, path = "/by_cfg_attr"))]
async fn by_cfg_attr_not() {}

/// By `cfg_attr`, above.
#[cfg_attr(all(), utoipa::path(get, path = "/by_cfg_attr/above"))]
#[keycloak(roles = "admin")]
async fn by_cfg_attr_above() {}

/// A struct of the user's own.
pub struct Own;

/// For a struct of the user's own.
#[keycloak(roles = "admin")]
#[utoipa::path(get, path = "/impl_for", impl_for = Own)]
async fn with_impl_for() {}

/// A word of Rust.
#[keycloak(roles = "admin")]
#[utoipa::path(get, path = "/raw/above")]
async fn r#type() {}

/// Another word of Rust.
#[utoipa::path(get, path = "/raw/below")]
#[keycloak(roles = "admin")]
async fn r#match() {}

/// Not described at all.
#[keycloak(roles = "admin")]
async fn not_described() {}

#[derive(utoipa::OpenApi)]
#[openapi(paths(
    above,
    below,
    nested::deeper::above,
    nested::deeper::below,
    renamed_above,
    by_cfg_attr
))]
struct Api;

fn main() {
    let declared = Api::openapi().to_json().unwrap();
    assert_eq!(declared.matches(POLICY).count(), 6, "{declared}");

    let (_, paths, _): (_, _, axum::routing::MethodRouter) = utoipa_axum::routes!(above, below);
    let routes = serde_json::to_string(&paths).unwrap();
    assert_eq!(routes.matches(POLICY).count(), 2, "{routes}");

    let _: axum::Router = utoipa_axum::router::OpenApiRouter::new()
        .routes(utoipa_axum::routes!(
            nested::deeper::above,
            nested::deeper::below
        ))
        .routes(utoipa_axum::routes!(renamed_above))
        .routes(utoipa_axum::routes!(by_cfg_attr))
        .routes(utoipa_axum::routes!(by_cfg_attr_above))
        .route("/not", axum::routing::get(by_cfg_attr_not))
        .route("/type", axum::routing::get(r#type).post(r#match))
        .route(
            "/for",
            axum::routing::get(with_impl_for).post(not_described),
        )
        .into();
    for operation in [
        Own::operation(),
        __path_type::operation(),
        __path_match::operation(),
    ] {
        let operation = serde_json::to_string(&operation).unwrap();
        assert_eq!(operation.matches(POLICY).count(), 1, "{operation}");
    }

    in_a_body();
}

fn in_a_body() {
    #[keycloak(roles = "admin")]
    #[utoipa::path(get, path = "/body/above")]
    async fn above_in_a_body() {}

    #[utoipa::path(post, path = "/body/below")]
    #[keycloak(roles = "admin")]
    async fn below_in_a_body() {}

    #[keycloak(public)]
    async fn undescribed_in_a_body() {}

    let (_, paths, _): (_, _, axum::routing::MethodRouter) =
        utoipa_axum::routes!(above_in_a_body, below_in_a_body);
    let routes = serde_json::to_string(&paths).unwrap();
    assert_eq!(routes.matches(POLICY).count(), 2, "{routes}");
    let _: axum::Router = axum::Router::new().route("/", axum::routing::get(undescribed_in_a_body));
}
