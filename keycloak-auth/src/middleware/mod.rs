//! The middleware for a plain axum router.
//!
//! 1. Every request needs an acceptable access token; without one it does not get to the service behind.
//! 2. But for the [public paths](KeycloakLayer::public_paths), and for CORS preflights, which carry no credentials
//!    (Fetch §3.2.2) and are answered by a CORS layer further in.
//! 3. A token is judged once: handlers behind get the same [`KeycloakUser`](crate::KeycloakUser).
//!
//! The layer says who is calling. What a caller may do is said by `#[keycloak(...)]` on the handlers, and both work
//! together. Note that a layer added by `Router::layer` also covers the router's fallback, so that an unknown path is
//! answered with 401 rather than 404, and that in a nested router it sees paths without the prefix.
//!
//! ```
//! use axum::{Router, routing::get};
//! use keycloak_auth::{Keycloak, KeycloakUser};
//!
//! # fn demo() -> Result<(), keycloak_auth::BuildError> {
//! # let keycloak = Keycloak::builder().server_url("https://id.example.com").realm("acme")
//! #     .client_id("orders-api").audience("orders-api").build()?;
//! let app: Router = Router::new()
//!     .route("/health", get(|| async { "up" }))
//!     .route("/me", get(|user: KeycloakUser| async move { user.username().unwrap_or_default().to_owned() }))
//!     .layer(keycloak.layer().public_paths(["/health", "/docs/*"]));
//! # let _ = app;
//! # Ok(())
//! # }
//! ```

mod future;
mod layer;
mod provide;
mod public_paths;
mod service;

pub use future::KeycloakFuture;
pub use layer::KeycloakLayer;
pub use service::KeycloakService;

pub(crate) use provide::ProvideLayer;
