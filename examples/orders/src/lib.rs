//! The orders service: a small, complete REST service whose policies stand on its handlers.
//!
//! `app` makes the router of a [`Keycloak`], so that a test can run it with any; `main.rs` reads the flags and serves it.

mod account;
mod orders;
mod pages;

use axum::{Router, extract::FromRef};
use keycloak_auth::{Keycloak, SecureRouter};
use utoipa::OpenApi;
use utoipa_axum::routes;

use crate::{orders::Orders, pages::Diagnosis};

/// What the handlers share.
#[derive(Clone, FromRef)]
struct AppState {
    keycloak: Keycloak,
    orders: Orders,
    diagnosis: Diagnosis,
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
///
/// A handler that lacks its `#[keycloak(...)]` stops the program at start-up, by its name.
pub fn app(keycloak: Keycloak) -> Router {
    let router = SecureRouter::<AppState>::with_openapi(Api::openapi())
        .routes(routes!(orders::list, orders::create))
        .routes(routes!(orders::show, orders::remove))
        .routes(routes!(account::me))
        .routes(routes!(account::refresh))
        .routes(routes!(pages::ops))
        .routes(routes!(pages::reports))
        .routes(routes!(pages::landing))
        .routes(routes!(pages::health));
    let document = keycloak.secure_openapi(router.openapi().clone());
    router
        .merge_public(pages::swagger_ui(document))
        .secure_from_state()
        .with_state(AppState {
            keycloak,
            orders: Orders::with_samples(),
            diagnosis: Diagnosis::default(),
        })
}
