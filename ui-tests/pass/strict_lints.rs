//! No lint sees the generated code, also where none may be allowed again.
#![forbid(
    dead_code,
    missing_copy_implementations,
    missing_debug_implementations,
    missing_docs,
    non_ascii_idents,
    non_camel_case_types,
    private_interfaces,
    single_use_lifetimes,
    unnameable_types,
    unreachable_pub,
    unsafe_code,
    unused_imports,
    unused_qualifications,
    unused_variables
)]
#![deny(warnings)]

use keycloak_auth::keycloak;

/// Visible to everyone.
#[keycloak(roles = ["admin", "ops"], any)]
pub async fn public() {}

#[keycloak(roles = "admin")]
async fn private() {}

mod inner {
    use keycloak_auth::keycloak;

    #[keycloak(public)]
    pub(crate) async fn in_the_crate() {}

    #[keycloak(public)]
    pub(super) async fn for_the_parent() {}
}

fn main() {
    #[keycloak(authenticated)]
    async fn in_a_body() {}

    let _: axum::Router = axum::Router::new()
        .route("/1", axum::routing::get(public).post(private))
        .route(
            "/2",
            axum::routing::get(inner::in_the_crate).post(inner::for_the_parent),
        )
        .route("/3", axum::routing::get(in_a_body));
}
