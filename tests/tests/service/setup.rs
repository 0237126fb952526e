//! A service with a few handlers that all tests use.

use axum::{Router, body::Body, http::Request};
use keycloak_auth::{
    Clock, Keycloak, KeycloakBuilder, KeycloakUser, SecureRouter, keycloak,
    routing::{get, post},
};
use keycloak_auth_tests::{Issuer, Service, Token, now};
use std::time::Duration;
use tower::ServiceExt as _;

/// The usual settings towards a local issuer.
pub fn builder(issuer: &Issuer) -> KeycloakBuilder {
    Keycloak::builder()
        .server_url(issuer.url())
        .realm("acme")
        .client_id("orders-api")
        .audience("orders-api")
}

/// One whose Keycloak nobody reaches.
pub fn unreachable() -> Keycloak {
    Keycloak::builder()
        .server_url("http://127.0.0.1:1")
        .realm("acme")
        .client_id("orders-api")
        .audience("orders-api")
        .build()
        .expect("valid")
}

/// A service that trusts the issuer.
pub async fn service(keycloak: &Keycloak) -> Service {
    Service::start(routes().secure_with(keycloak.clone())).await
}

pub fn routes() -> SecureRouter {
    SecureRouter::new()
        .route("/me", get(me))
        .route("/admin", get(admin).post(admin))
        .route("/echo", post(echo))
        .route("/health", get(health))
}

/// What a router answers without a connection in between: status and body.
pub async fn answer(router: &Router, path: &str, token: Option<&str>) -> (u16, String) {
    let mut request = Request::get(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let request = request.body(Body::empty()).expect("a request");
    let response = router.clone().oneshot(request).await.expect("a router does not fail");
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), 1 << 16)
        .await
        .expect("a body");
    (status, String::from_utf8_lossy(&body).into_owned())
}

/// A clock that stands at the present time until a test moves it.
pub fn clock() -> Clock {
    Clock::manual(Duration::from_secs(now()))
}

/// A token that lives this long.
pub fn lasting(issuer: &Issuer, lifetime: Duration) -> Token {
    issuer.token().claim("exp", now() + lifetime.as_secs())
}

#[keycloak(authenticated)]
pub async fn me(user: KeycloakUser) -> String {
    user.username().unwrap_or_default().to_owned()
}

#[keycloak(realm_roles = "admin")]
pub async fn admin() -> &'static str {
    "admin"
}

#[keycloak(realm_roles = "admin")]
pub async fn echo(body: String) -> String {
    body
}

#[keycloak(public)]
pub async fn health() -> &'static str {
    "up"
}
