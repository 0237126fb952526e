//! The orders service: who may call what, on the embedded realm as on a real Keycloak.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use http::Method;
use keycloak_auth::dev::DevRealm;
use keycloak_auth_tests::{ACME, ACME_JSON, Answer, Keycloak, Realm, Service, claims_of, suite};
use serde_json::json;

use crate::setup::builder;

pub fn tests() -> Vec<suite::Test> {
    vec![
        suite::test("orders::admits_the_same_callers_on_both_realms", both_realms),
        suite::test("orders::refreshes_tokens_and_shows_the_caller_on_both_realms", account),
    ]
}

const CALLERS: [&str; 6] = ["alice", "bob", "carol", "dave", "the worker", "nobody"];

/// Each route with the status for each of [`CALLERS`], by hand from the realm file.
const TABLE: &[(&str, &str, [u16; 6])] = &[
    ("GET", "/", [200; 6]),
    ("GET", "/docs/", [200; 6]),
    ("GET", "/openapi.json", [200; 6]),
    ("GET", "/health/keycloak", [200; 6]),
    ("GET", "/me", [200, 200, 200, 200, 200, 401]),
    ("GET", "/orders", [200, 200, 403, 403, 200, 401]),
    ("POST", "/orders", [201, 403, 403, 403, 201, 401]),
    ("GET", "/orders/1", [200, 200, 403, 403, 200, 401]),
    ("GET", "/orders/99", [404, 404, 403, 403, 404, 401]),
    ("DELETE", "/orders/99", [404, 403, 403, 403, 403, 401]),
    ("GET", "/ops", [200, 403, 403, 403, 403, 401]),
    ("GET", "/reports", [403, 403, 200, 403, 403, 401]),
    ("GET", "/nowhere", [404; 6]),
    ("PUT", "/orders", [405; 6]),
];

async fn both_realms(keycloak: Arc<Keycloak>) -> Result<()> {
    check_table(keycloak.realm()).await.context("on the real Keycloak")?;
    let embedded = DevRealm::from_json(ACME_JSON)?.start().await?;
    let realm = Realm::served_at(embedded.server_url(), ACME.clone());
    check_table(&realm).await.context("on the embedded realm")
}

async fn check_table(realm: &Realm) -> Result<()> {
    let service = Service::start(orders::app(builder(realm).build()?)).await;
    let mut tokens = Vec::new();
    for user in &CALLERS[..4] {
        tokens.push(Some(realm.login("orders-web", user).await?.access));
    }
    tokens.push(Some(
        realm.grant("orders-worker").client_credentials().send().await?.access,
    ));
    tokens.push(None);
    for (method, path, statuses) in TABLE {
        for ((caller, token), status) in CALLERS.iter().zip(&tokens).zip(statuses) {
            let answer = call(&service, method, path, token.as_deref()).await;
            assert_eq!(answer.status, *status, "{method} {path} as {caller}: {answer:?}");
        }
    }
    Ok(())
}

async fn call(service: &Service, method: &str, path: &str, token: Option<&str>) -> Answer {
    let mut request = service.request(method.parse().expect("a method"), path);
    if method == "POST" {
        let order = json!({ "item": "Cups", "quantity": 6 }).to_string();
        request = request.header("content-type", "application/json").body(order);
    }
    if let Some(token) = token {
        request = request.bearer(token);
    }
    request.send().await
}

async fn account(keycloak: Arc<Keycloak>) -> Result<()> {
    check_account(keycloak.realm()).await.context("on the real Keycloak")?;
    let embedded = DevRealm::from_json(ACME_JSON)?.start().await?;
    let realm = Realm::served_at(embedded.server_url(), ACME.clone());
    check_account(&realm).await.context("on the embedded realm")
}

async fn check_account(realm: &Realm) -> Result<()> {
    let service = Service::start(orders::app(builder(realm).build()?)).await;
    let tokens = realm.login("orders-web", "bob").await?;
    let me = service.get_as("/me", &tokens.access).await.json();
    assert_eq!(me["username"], "bob");
    assert_eq!(me["email"], "bob@acme.test");
    assert_eq!(me["subject"], claims_of(&tokens.access)["sub"]);
    assert_eq!(me["groups"], json!(["/ops/oncall"]));
    assert_eq!(me["client_roles"]["orders-api"], json!(["orders:read"]));

    let refresh = async |token: &str| {
        let body = json!({ "refresh_token": token }).to_string();
        let request = service.request(Method::POST, "/token/refresh").body(body);
        request.header("content-type", "application/json").send().await
    };
    let refreshed = refresh(&tokens.refresh.context("a refresh token")?).await;
    assert_eq!(refreshed.status, 200, "{refreshed:?}");
    let access = refreshed.json()["access_token"]
        .as_str()
        .context("an access token")?
        .to_owned();
    assert_eq!(service.get_as("/orders", &access).await.status, 200);

    let refused = refresh("no refresh token").await;
    assert_eq!(
        (refused.status, refused.json()),
        (
            400,
            json!({ "error": {
                "code": "token_refresh_failed",
                "message": "the refresh token is not accepted: log in again",
                "details": { "error": "invalid_grant" },
            }})
        )
    );
    Ok(())
}
