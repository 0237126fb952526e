//! Broken set-ups around a real Keycloak: the first line of a diagnosis names the cause, and the advice says what to do.
//!
//! Chains of certificates, which this Keycloak does not have, are in the suite `service`.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result, ensure};
use axum::{
    Router,
    body::Body,
    http::{Response, StatusCode},
};
use keycloak_auth::{CheckStatus, DiagnosticReport, KeycloakBuilder};
use keycloak_auth_tests::{Keycloak, Service, http_client, suite};
use serde_json::json;

use crate::setup::{builder, clock, without_audience};

pub fn tests() -> Vec<suite::Test> {
    vec![
        suite::test("diagnosis::a_sound_set_up_is_healthy", sound),
        suite::test("diagnosis::wrong_realm", wrong_realm),
        suite::test("diagnosis::wrong_host_name", wrong_host_name),
        suite::test("diagnosis::wrong_issuer", wrong_issuer),
        suite::test("diagnosis::a_clock_that_is_10_minutes_off", clock_off),
        suite::test("diagnosis::wrong_secret", wrong_secret),
        suite::test("diagnosis::missing_audience_mapper", missing_audience_mapper),
        suite::test("diagnosis::legacy_base_path", legacy_base_path),
        suite::test("diagnosis::https_where_keycloak_speaks_http", https_for_http),
        suite::test(
            "diagnosis::a_proxy_that_does_not_pass_the_host_on",
            proxy_with_another_host,
        ),
        suite::test("diagnosis::disabled_realm", disabled_realm),
        suite::https_test("diagnosis::a_certificate_and_its_authority", certificate),
        suite::https_test("diagnosis::http_where_keycloak_speaks_https", http_for_https),
        suite::restarting_test("diagnosis::an_expired_certificate", expired_certificate),
    ]
}

async fn diagnose(builder: KeycloakBuilder) -> DiagnosticReport {
    builder.build().expect("a valid configuration").diagnose().await
}

/// The first line, the status and the advice of the check that it is about.
fn ensure_cause(report: &DiagnosticReport, first_line: &str, advice: &str) -> Result<()> {
    let page = report.to_string();
    let line = page.lines().next().unwrap_or_default();
    ensure!(
        line.starts_with(first_line),
        "expected `{first_line}` in the first line of\n{page}"
    );
    ensure!(report.status == CheckStatus::Failed && !report.is_healthy(), "{page}");
    let given = report
        .cause()
        .and_then(|check| check.advice.as_deref())
        .unwrap_or_default();
    ensure!(given.contains(advice), "expected the advice `{advice}` in\n{page}");
    Ok(())
}

async fn sound(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let secret = realm
        .client_secret("orders-api")
        .expect("the realm file has the secret");
    let token = realm.login("orders-web", "alice").await?.access;
    let keycloak = builder(realm)
        .client_secret(secret)
        .build()
        .expect("a valid configuration");
    let report = keycloak.diagnose().token(&token).await;
    let page = report.to_string();
    ensure!(report.is_healthy(), "{page}");
    let warned: Vec<&str> = report
        .checks
        .iter()
        .filter(|check| check.status > CheckStatus::Ok)
        .map(|check| check.name)
        .collect();
    ensure!(warned.is_empty(), "{page}");
    let own = report.check("service token");
    ensure!(
        // Keycloak names the scopes in any order.
        own.is_some_and(|check| ["its audience is `account`, ", "`profile`", "`email`"]
            .iter()
            .all(|part| check.finding.contains(part))),
        "{page}"
    );
    // Keycloak sends no `Date`, so this comes from a token of the service's own.
    ensure!(
        report
            .check("clock")
            .is_some_and(|check| check.status == CheckStatus::Ok),
        "{page}"
    );
    ensure!(
        report
            .check("key set")
            .is_some_and(|check| check.finding.contains("left out")),
        "{page}"
    );
    ensure!(
        !page.contains(secret) && !page.contains(&token),
        "a secret is in\n{page}"
    );
    Ok(())
}

async fn wrong_realm(keycloak: Arc<Keycloak>) -> Result<()> {
    let report = diagnose(builder(keycloak.realm()).realm("no-such-realm")).await;
    let line = "FAILED: discovery: there is no realm `no-such-realm` on this server";
    ensure_cause(&report, line, "case-sensitive")
}

async fn wrong_host_name(keycloak: Arc<Keycloak>) -> Result<()> {
    let report = diagnose(builder(keycloak.realm()).server_url("http://keycloak.invalid:8080")).await;
    let line = "FAILED: dns: there is no address for the name `keycloak.invalid`";
    ensure_cause(&report, line, "`server_url`")
}

async fn wrong_issuer(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let expected = "https://id.example.com/realms/acme";
    let token = realm.login("orders-web", "alice").await?.access;
    let wrong = builder(realm).issuer(expected).build()?;
    let report = wrong.diagnose().token(&token).await;
    ensure_cause(
        &report,
        "FAILED: token: it is not accepted: claim `iss`",
        "`.issuer(…)`",
    )?;
    let line = report.to_string().lines().next().unwrap_or_default().to_owned();
    ensure!(
        line.contains(&realm.issuer()) && line.contains(expected),
        "names both issuers: {line}"
    );
    Ok(())
}

async fn clock_off(keycloak: Arc<Keycloak>) -> Result<()> {
    let clock = clock();
    // Some seconds more, since the test itself takes time.
    clock.advance(Duration::from_secs(630));
    let realm = keycloak.realm();
    let secret = realm
        .client_secret("orders-api")
        .expect("the realm file has the secret");
    let report = diagnose(builder(realm).client_secret(secret).clock(clock)).await;
    ensure_cause(&report, "FAILED: clock: this clock is 6", "NTP")?;
    ensure!(report.to_string().contains("ahead of Keycloak's"), "{report}");
    Ok(())
}

async fn wrong_secret(keycloak: Arc<Keycloak>) -> Result<()> {
    let report = diagnose(builder(keycloak.realm()).client_secret("not-the-secret-canary")).await;
    let line = "FAILED: client: Keycloak does not accept the client `orders-api` by `client_secret_basic`";
    ensure_cause(&report, line, "`.client_secret(…)`")?;
    ensure!(!report.to_string().contains("canary"), "{report}");
    Ok(())
}

async fn missing_audience_mapper(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let token = realm.login("orders-web", "alice").await?.access;
    let keycloak = without_audience(realm).audience("invoices-api").build();
    let report = keycloak.expect("a valid configuration").diagnose().token(&token).await;
    let line = "FAILED: token: it is not accepted: claim `aud`";
    ensure_cause(&report, line, "audience mapper for `invoices-api`")
}

async fn legacy_base_path(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let report = diagnose(builder(realm).server_url(format!("{}/auth", realm.server_url()))).await;
    let line = "FAILED: discovery: Keycloak is there, under another base path";
    ensure_cause(&report, line, &format!(".server_url(\"{}\")", realm.server_url()))
}

async fn https_for_http(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    if !realm.server_url().starts_with("http://") {
        return Ok(());
    }
    let https = realm.server_url().replacen("http://", "https://", 1);
    let report = diagnose(builder(realm).server_url(https)).await;
    let line = "FAILED: tls: TLS does not come about, because Keycloak speaks http there";
    ensure_cause(&report, line, &format!("`.server_url(\"{}\")`", realm.server_url()))
}

/// Keycloak makes its issuer from the host that it is asked under, which here is not that of the proxy.
async fn proxy_with_another_host(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let server = realm.server_url().to_owned();
    let proxy = Service::start(Router::new().fallback(async move |uri: axum::http::Uri| {
        match http_client().get(format!("{server}{uri}")).send().await {
            Ok(answer) => Response::from(answer).map(Body::new),
            Err(_) => {
                let mut response = Response::new(Body::empty());
                *response.status_mut() = StatusCode::BAD_GATEWAY;
                response
            }
        }
    }))
    .await;
    let report = diagnose(builder(realm).server_url(proxy.url(""))).await;
    ensure_cause(&report, "FAILED: discovery: the discovery document", "`KC_HOSTNAME`")?;
    ensure!(
        report.to_string().contains(&realm.issuer()),
        "names the issuer: {report}"
    );
    Ok(())
}

async fn disabled_realm(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm_of_its_own("disabled-realm").await?;
    let disabled = json!({ "enabled": false });
    realm.admin().update_realm(realm.name(), &disabled).await?;
    let report = diagnose(builder(&realm)).await;
    let line = format!("FAILED: discovery: the realm `{}` is disabled", realm.name());
    ensure_cause(&report, &line, "enable it")
}

async fn certificate(keycloak: Arc<Keycloak>) -> Result<()> {
    let https = keycloak.https().await.context("no https")?;
    let over_https = || builder(keycloak.realm()).server_url(&https.url);
    let report = diagnose(over_https().root_certificates(https.authority.pem())).await;
    let check = report.check("tls").context("it is looked at")?;
    let finding = "TLSv1.3, HTTP/2; the certificate is for `127.0.0.1`, from `CN=Acme Root`, and ends in ";
    ensure!(
        check.status == CheckStatus::Ok && check.finding.starts_with(finding),
        "{report}"
    );
    ensure!(
        matches!(&check.details[..], [own] if own.starts_with("1. `CN=Keycloak` from `CN=Acme Root`, ends in ")),
        "{report}"
    );
    let line =
        "FAILED: tls: the server sends only its own certificate: that of `CN=Acme Root`, which issued it, is missing";
    ensure_cause(&diagnose(over_https()).await, line, "`https-certificate-file`")
}

/// The certificate of its authority is not known here, which is not what is asked first.
async fn http_for_https(keycloak: Arc<Keycloak>) -> Result<()> {
    let https = keycloak.https().await.context("no https")?;
    let http = https.url.replacen("https://", "http://", 1);
    let report = diagnose(builder(keycloak.realm()).server_url(http)).await;
    let line = "FAILED: tls: Keycloak speaks https there, and not http";
    ensure_cause(&report, line, &format!("`.server_url(\"{}\")`", https.url))
}

async fn expired_certificate(keycloak: Arc<Keycloak>) -> Result<()> {
    keycloak.start_again_with_expired_certificate().await?;
    let https = keycloak.https().await.context("no https")?;
    let settings = builder(keycloak.realm()).server_url(&https.url);
    let report = diagnose(settings.root_certificates(https.authority.pem())).await;
    // The next test starts it with a good one.
    keycloak.stop().await?;
    let line = "FAILED: tls: the certificate of `127.0.0.1` has expired, ";
    ensure_cause(&report, line, "renew it")
}
