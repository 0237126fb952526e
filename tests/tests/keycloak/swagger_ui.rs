//! The orders service in a real browser: Swagger UI, the login page, a call that is let through and one that is not.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use keycloak_auth::{OpenApiScheme, dev::DevRealm};
use keycloak_auth_tests::{ACME, ACME_JSON, Chromium, Keycloak, Realm, Service, suite};

use crate::setup::builder;

/// `GET /orders` in Swagger UI.
const LIST: &str = "#operations-orders-list";

pub fn tests() -> Vec<suite::Test> {
    vec![
        suite::browser_test("swagger_ui::logs_in_at_a_real_keycloak", real),
        suite::browser_test("swagger_ui::logs_in_at_the_embedded_realm", embedded),
    ]
}

async fn real(keycloak: Arc<Keycloak>) -> Result<()> {
    tour("real", keycloak.realm()).await
}

async fn embedded(_: Arc<Keycloak>) -> Result<()> {
    let running = DevRealm::from_json(ACME_JSON)?.start().await?;
    tour("embedded", &Realm::served_at(running.server_url(), ACME.clone())).await
}

/// As `alice`, who may list orders, and as `carol`, who may not.
async fn tour(label: &str, realm: &Realm) -> Result<()> {
    // As the program sets them.
    let schemes = [OpenApiScheme::OAuth2, OpenApiScheme::Bearer];
    let service = Service::start(orders::app(builder(realm).openapi_schemes(schemes).build()?)).await;
    let mut browser = Chromium::start(label).await?;
    browser.open(&service.url("/")).await?;
    browser.wait_for("#routes code").await?;
    assert!(browser.text("#routes").await?.contains("/orders/{id}"));
    browser.screenshot("landing").await?;

    for (user, status) in [("alice", "200"), ("carol", "403")] {
        browser.open(&service.url("/docs/")).await?;
        browser.wait_for(LIST).await?;
        if user == "alice" {
            browser.screenshot("swagger-ui").await?;
        }
        log_in(
            &mut browser,
            user,
            realm.password(user).context("a user of the realm file")?,
        )
        .await?;
        assert_eq!(list_orders(&mut browser).await?, status, "{user}");
        browser.screenshot(&format!("orders-as-{user}")).await?;
        log_out(&mut browser, &realm.issuer()).await?;
    }
    browser.open(&service.url("/docs/")).await?;
    assert_eq!(list_orders(&mut browser).await?, "401", "nobody is logged in any more");
    browser.close().await
}

async fn log_in(browser: &mut Chromium, user: &str, password: &str) -> Result<()> {
    browser.click(".btn.authorize").await?;
    // The first of the schemes is the login; client and scope are filled in.
    browser.wait_for(".auth-container .auth-btn-wrapper .authorize").await?;
    browser.screenshot("authorize").await?;
    browser.click(".auth-container .auth-btn-wrapper .authorize").await?;

    browser.turn_to_window(2).await?;
    if user == "alice" {
        browser.type_into("#username", user).await?;
        browser.type_into("#password", "not her password").await?;
        browser.click("[type=submit]").await?;
        browser.wait_for("[id^=input-error]").await?;
        browser.screenshot("wrong-password").await?;
    }
    browser.type_into("#username", user).await?;
    browser.screenshot("login").await?;
    browser.type_into("#password", password).await?;
    browser.click("[type=submit]").await?;

    // The popup closes by itself and hands over what it got.
    browser.turn_to_window(1).await?;
    browser.wait_for(".auth-container .auth-btn-wrapper .btn-done").await?;
    browser
        .wait_until("logged in", async || {
            Ok(browser.text(".auth-container").await?.contains("Logout"))
        })
        .await?;
    browser.screenshot("authorized").await?;
    browser.click(".auth-container .auth-btn-wrapper .btn-done").await
}

/// Executes the operation and returns the status that Swagger UI shows.
async fn list_orders(browser: &mut Chromium) -> Result<String> {
    if !browser.has(&format!("{LIST} .execute")).await? {
        browser.click(&format!("{LIST} .opblock-summary-control")).await?;
    }
    browser.click(&format!("{LIST} .execute")).await?;
    let status = browser
        .text(&format!("{LIST} .live-responses-table .response .response-col_status"))
        .await?;
    Ok(status.split_whitespace().next().unwrap_or_default().to_owned())
}

/// Ends the session at Keycloak, which asks whether that is meant (OpenID Connect RP-Initiated Logout 1.0 §2).
async fn log_out(browser: &mut Chromium, issuer: &str) -> Result<()> {
    browser
        .open(&format!("{issuer}/protocol/openid-connect/logout"))
        .await?;
    browser.click("[type=submit]").await?;
    browser
        .wait_until("logged out", async || Ok(!browser.has("[type=submit]").await?))
        .await?;
    browser.screenshot("logged-out").await
}
