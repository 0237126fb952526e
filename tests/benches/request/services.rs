//! The services that are measured, and what they are asked.

use axum::{
    Router,
    body::Body,
    extract::FromRef,
    http::{HeaderValue, Request, header},
    routing,
};
use keycloak_auth::{
    Keycloak, KeycloakBuilder, SecureRouter, keycloak,
    routing::{MethodRouter, get},
};
use keycloak_auth_tests::{Issuer, Token, now};
use serde_json::json;

/// A service with one route that everybody may call.
pub(crate) fn unprotected_router() -> Router {
    Router::new().route("/orders", routing::get(unguarded))
}

/// A service whose one route has a guard that asks the `Keycloak` in the state.
pub(crate) async fn guarded_router(url: &str) -> Router {
    from_state(settings(url), get(guarded)).await
}

pub(crate) async fn from_state(settings: KeycloakBuilder, handlers: MethodRouter<AppState>) -> Router {
    let keycloak = ready(settings).await;
    SecureRouter::<AppState>::new()
        .route("/orders", handlers)
        .secure_from_state()
        .with_state(AppState { keycloak })
}

pub(crate) fn settings(url: &str) -> KeycloakBuilder {
    Keycloak::builder()
        .server_url(url)
        .realm("acme")
        .client_id("orders-api")
        .audience("orders-api")
}

/// A `Keycloak` that has its keys.
pub(crate) async fn ready(settings: KeycloakBuilder) -> Keycloak {
    let keycloak = settings.build().expect("a complete configuration");
    keycloak.ready().await.expect("the issuer publishes a key");
    keycloak
}

/// A new token of the usual size, about 1.5 kB, that outlives the benchmark.
pub(crate) fn token(issuer: &Issuer) -> Token {
    let roles = json!({
        "account": { "roles": ["manage-account", "manage-account-links", "view-profile"] },
        "billing-api": { "roles": ["admin", "invoices:read"] },
        "orders-api": { "roles": ["orders:read", "orders:write"] },
    });
    issuer
        .token()
        .claim("exp", now() + 24 * 60 * 60)
        .claim("aud", json!(["orders-api", "billing-api", "account"]))
        .claim("resource_access", roles)
}

pub(crate) fn bearer(token: &str) -> HeaderValue {
    HeaderValue::try_from(format!("Bearer {token}")).expect("a token has no characters that a header cannot have")
}

/// A token with the signature of another, which takes as long as a new one: nobody remembers that it was refused. A signature by
/// another key could be refused for being too large a number, which takes less time than finding out that it is the wrong one.
pub(crate) fn forged(issuer: &Issuer) -> String {
    let [one, other] = [0, 1].map(|_| token(issuer).sign(issuer.key()));
    let [(message, _), (_, signature)] =
        [&one, &other].map(|token| token.rsplit_once('.').expect("a token has three parts"));
    format!("{message}.{signature}")
}

#[keycloak(roles = "admin")]
pub(crate) async fn guarded() -> &'static str {
    "orders"
}

pub(crate) async fn unguarded() -> &'static str {
    "orders"
}

#[derive(Clone, FromRef)]
pub(crate) struct AppState {
    keycloak: Keycloak,
}

#[cfg(feature = "peers")]
/// `axum-keycloak-auth`, which requires the same role as the guard it is compared with.
pub(crate) fn axum_keycloak_auth(url: &str) -> Router {
    let config = axum_keycloak_auth::instance::KeycloakConfig::builder()
        .server(axum_keycloak_auth::Url::parse(url).expect("an address"))
        .realm("acme".to_owned())
        .build();
    let layer = axum_keycloak_auth::layer::KeycloakAuthLayer::<String>::builder()
        .instance(std::sync::Arc::new(
            axum_keycloak_auth::instance::KeycloakAuthInstance::new(config),
        ))
        .passthrough_mode(axum_keycloak_auth::PassthroughMode::Block)
        .persist_raw_claims(false)
        .expected_audiences(vec!["orders-api".to_owned()])
        .required_roles(vec!["admin".to_owned()])
        .build();
    Router::new().route("/orders", routing::get(unguarded)).layer(layer)
}

/// A request with four headers.
pub(crate) fn request(authorization: HeaderValue) -> Request<Body> {
    Request::builder()
        .uri("/orders")
        .header(header::HOST, "orders.acme.test")
        .header(header::ACCEPT, "application/json")
        .header(header::USER_AGENT, "benchmark")
        .header(header::AUTHORIZATION, authorization)
        .body(Body::empty())
        .expect("a request")
}
