//! `KeycloakLayer` around a plain router, beside other layers, and around services that are not axum's.

mod beside;
mod grpc;
mod optional;
mod paths;
mod require;
mod tower_services;

use axum::{Router, routing};
use keycloak_auth::{CustomClaims, KeycloakUser, keycloak};
use keycloak_auth_tests::{Issuer, Service};
use serde::Deserialize;
use serde_json::json;

use crate::setup::{admin, builder, me};

async fn plain() -> &'static str {
    "plain"
}

async fn optional(user: Option<KeycloakUser>) -> String {
    user.and_then(|user| user.username().map(str::to_owned))
        .unwrap_or_else(|| "nobody".to_owned())
}

#[derive(Deserialize)]
struct Tenant {
    tenant: u32,
}

#[keycloak(authenticated)]
async fn tenant(CustomClaims(claims): CustomClaims<Tenant>) -> String {
    claims.tenant.to_string()
}

fn router() -> Router {
    Router::new()
        .route("/", routing::get(plain))
        .route("/plain", routing::get(plain))
        .route("/docs/{*page}", routing::get(optional))
        .route("/me", routing::get(me))
        .route("/admin", routing::get(admin))
        .route("/tenant", routing::get(tenant))
}

async fn service(issuer: &Issuer) -> Service {
    let keycloak = builder(issuer).build().expect("valid");
    Service::start(router().layer(keycloak.layer().public_paths(["/", "/docs/*"]))).await
}

#[tokio::test]
async fn everything_but_public_paths_needs_a_token() {
    let issuer = Issuer::start().await;
    let service = service(&issuer).await;
    let token = issuer.valid_token();
    for path in ["/plain", "/me", "/admin", "/docs", "/no-such-path"] {
        assert_eq!(service.get(path).send().await.status, 401, "{path}");
    }
    for detour in ["/docs/../plain", "/docs/%2e%2e/plain", "/docs//plain", "//plain"] {
        assert_eq!(service.raw_get(detour, &[]).await.status, 401, "{detour}");
    }
    assert_eq!(service.get("/").send().await.status, 200);
    assert_eq!(service.get_as("/plain", &token).await.text(), "plain");
    assert_eq!(service.get_as("/me", &token).await.text(), "alice");
    assert_eq!(service.get_as("/no-such-path", &token).await.status, 404);
}

#[tokio::test]
async fn on_a_public_path_the_caller_is_known_when_there_is_a_token() {
    let issuer = Issuer::start().await;
    let service = service(&issuer).await;
    assert_eq!(service.get("/docs/x").send().await.text(), "nobody");
    assert_eq!(service.get_as("/docs/x", &issuer.valid_token()).await.text(), "alice");
    let answer = service.get_as("/docs/x", "garbage").await;
    assert_eq!(answer.status, 401, "a bad token is not an anonymous caller: {answer:?}");
}

#[tokio::test]
async fn guards_behind_the_layer_decide_about_the_same_caller() {
    let issuer = Issuer::start().await;
    let service = service(&issuer).await;
    assert_eq!(service.get_as("/admin", &issuer.valid_token()).await.status, 200);
    let without_roles = issuer.token().without("realm_access").sign(issuer.key());
    assert_eq!(service.get_as("/admin", &without_roles).await.status, 403);
    assert_eq!(issuer.key_fetches(), 1);
}

#[tokio::test]
async fn custom_claims_are_read_into_a_type_of_the_service() {
    let issuer = Issuer::start().await;
    let service = service(&issuer).await;
    let fitting = issuer.token().claim("tenant", 7).sign(issuer.key());
    assert_eq!(service.get_as("/tenant", &fitting).await.text(), "7");
    let answer = service
        .get_as("/tenant", &issuer.token().claim("tenant", "canary").sign(issuer.key()))
        .await;
    assert_eq!(
        (answer.status, &answer.json()["error"]["code"]),
        (401, &json!("invalid_claims"))
    );
    assert!(!answer.text().contains("canary"));
}

#[tokio::test]
async fn a_guarded_handler_without_any_keycloak_refuses_and_says_why_in_the_log() {
    let logs = keycloak_auth_tests::Logs::capture();
    let issuer = Issuer::start().await;
    let service = Service::start(router()).await;
    for path in ["/me", "/admin"] {
        let answer = service.get_as(path, &issuer.valid_token()).await;
        assert_eq!(
            (answer.status, &answer.json()["error"]["code"]),
            (503, &json!("keycloak_config_error")),
            "{path}"
        );
    }
    assert!(logs.text().contains("secure_with"), "{}", logs.text());
}
