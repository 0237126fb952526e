//! The orders service: a small, complete REST service whose policies stand on its handlers.
//!
//! `app` makes the router of a [`Keycloak`], so that a test can run it with any; `main.rs` reads the flags and serves it.

mod account;
mod orders;
mod pages;

use axum::{Router, extract::FromRef};
use keycloak_auth::{Keycloak, SecureRouter, policy, secure_routes};
use utoipa::OpenApi;

use crate::orders::Orders;

/// What the handlers share.
#[derive(Clone, FromRef)]
struct AppState {
    keycloak: Keycloak,
    orders: Orders,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Orders",
        description = "Who may call what stands under each operation, in `x-keycloak-policy`. Press *Authorize*, leave the client \
                       as it is, and log in as one of the realm's users.",
        license(name = "MIT", identifier = "MIT"),
    ),
    tags(
        (name = "orders", description = "Read by clerks, written by whoever may write, deleted by administrators"),
        (name = "account", description = "The caller, and a fresh token"),
        (name = "office", description = "Pages for some"),
        (name = "service", description = "For everybody"),
    )
)]
struct Api;

/// The whole service.
pub fn app(keycloak: Keycloak) -> Router {
    let routes = routes();
    let document = keycloak.secure_openapi(routes.openapi().clone());
    routes
        .access_matrix_page("/access-matrix", &policy!(realm_roles = "admin"))
        .merge_public(pages::swagger_ui(document))
        .secure_from_state()
        .with_state(AppState {
            keycloak,
            orders: Orders::with_samples(),
        })
}

/// A handler that lacks its `#[keycloak(...)]` does not compile in here.
fn routes() -> SecureRouter<AppState> {
    SecureRouter::with_openapi(Api::openapi())
        .routes(secure_routes!(orders::list, orders::create))
        .routes(secure_routes!(orders::show, orders::remove))
        .routes(secure_routes!(account::me))
        .routes(secure_routes!(account::refresh))
        .routes(secure_routes!(pages::ops))
        .routes(secure_routes!(pages::reports))
        .routes(secure_routes!(pages::landing))
        .routes(secure_routes!(pages::health))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever changes a policy or the realm sees here who gains and who loses, and agrees by `ACCEPT_ACCESS_MATRIX=1 cargo test`.
    #[test]
    fn everybody_may_do_what_was_agreed_on() {
        let matrix = routes().access_matrix();
        let matrix = matrix
            .for_realm(include_str!("../realm.json"), "orders-api")
            .expect("a realm file");
        matrix.assert_snapshot(concat!(env!("CARGO_MANIFEST_DIR"), "/access-matrix.txt"));
    }
}
