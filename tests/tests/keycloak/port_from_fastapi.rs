//! The ported example, on a real Keycloak.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use keycloak_auth_tests::{Keycloak, Realm, Service, suite};
use serde_json::{Value, json};

use crate::answers::{assert_denied, assert_no_credentials};

pub fn tests() -> Vec<suite::Test> {
    vec![suite::test(
        "port_from_fastapi::the_routes_answer_as_they_did_there",
        routes,
    )]
}

async fn serve(keycloak: &Keycloak) -> Result<(Realm, Service)> {
    let file: Value = serde_json::from_str(include_str!("../../../examples/port-from-fastapi/realm.json"))?;
    let realm = keycloak.import(&file, "port").await?;
    let builder = keycloak_auth::Keycloak::builder().server_url(realm.server_url());
    let builder = builder.realm(realm.name()).client_id("demo-app").audience("demo-app");
    let service = Service::start(port_from_fastapi::app(builder.build()?)).await;
    Ok((realm, service))
}

async fn routes(keycloak: Arc<Keycloak>) -> Result<()> {
    let (realm, service) = serve(&keycloak).await?;
    let answer = service.get("/").send().await;
    assert_eq!(
        (answer.status, answer.json()),
        (200, json!({ "message": "Public endpoint" }))
    );
    assert_no_credentials(&service.get("/users/me").send().await, realm.name());

    let (alice, bob) = (
        realm.login("demo-app", "alice").await?,
        realm.login("demo-app", "bob").await?,
    );
    let me = service.get_as("/users/me", &alice.access).await.json();
    assert_eq!(
        (&me["preferred_username"], &me["roles"]),
        (&json!("alice"), &json!(["admin"]))
    );
    let answer = service.get_as("/admin", &alice.access).await;
    assert_eq!(
        (answer.status, answer.json()),
        (200, json!({ "message": "Hello Admin alice!" }))
    );
    assert_denied(&service.get_as("/admin", &bob.access).await, "missing_roles", None);

    let body = json!({ "refresh_token": bob.refresh.context("no refresh token")? });
    let request = service
        .post("/token/refresh")
        .header("content-type", "application/json");
    let renewed = request.body(body.to_string()).send().await.json();
    let token = renewed["access_token"].as_str().context("no access token")?;
    assert_eq!(service.get_as("/users/me", token).await.status, 200);
    let answer = service.get("/health/keycloak").send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    Ok(())
}
