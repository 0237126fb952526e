//! Tokens for the tests of a service (feature `testing`): no server, no network, no waiting.
//!
//! A [`TestRealm`] has a key and a clock of its own. It makes the [`Keycloak`](crate::Keycloak) that trusts it, and mints
//! tokens with the claims that Keycloak would put into them, good ones and bad ones.
//!
//! ```
//! use axum::{Router, body::Body, http::{Request, StatusCode}};
//! use keycloak_auth::{Keycloak, SecureRouter, keycloak, routing::get, testing::TestRealm};
//! use tower::ServiceExt as _;
//!
//! #[keycloak(roles = "admin", groups = "/ops", any)]
//! async fn orders() -> &'static str {
//!     "all of them"
//! }
//!
//! fn app(keycloak: Keycloak) -> Router {
//!     SecureRouter::new().route("/orders", get(orders)).secure_with(keycloak)
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! // #[tokio::test] async fn orders_are_for_admins_and_ops()
//! let realm = TestRealm::new("acme", "orders-api");
//! let app = app(realm.keycloak());
//! for (authorization, expected) in [
//!     (realm.user("alice").realm_role("admin").bearer(), StatusCode::OK),
//!     (realm.user("olga").group("/ops").bearer(), StatusCode::OK),
//!     (realm.user("dave").bearer(), StatusCode::FORBIDDEN),
//!     (realm.user("alice").realm_role("admin").expired().bearer(), StatusCode::UNAUTHORIZED),
//! ] {
//!     let request = Request::get("/orders").header("authorization", authorization).body(Body::empty()).unwrap();
//!     assert_eq!(app.clone().oneshot(request).await.unwrap().status(), expected);
//! }
//! # }
//! ```
//!
//! Time passes when the test says so:
//!
//! ```
//! # use keycloak_auth::{AuthError, InvalidToken, testing::TestRealm};
//! # use std::time::Duration;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let realm = TestRealm::new("acme", "orders-api");
//! let keycloak = realm.keycloak();
//! let token = realm.user("alice").token();
//! assert!(keycloak.authenticate(&token).await.is_ok());
//! realm.clock().advance(Duration::from_secs(3600));
//! let error = keycloak.authenticate(&token).await.unwrap_err();
//! assert!(matches!(error, AuthError::InvalidToken(InvalidToken::Expired)));
//! # }
//! ```

mod realm;
mod token;

pub use realm::TestRealm;
pub use token::TestToken;
