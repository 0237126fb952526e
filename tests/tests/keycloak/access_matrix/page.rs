//! The page of the access matrix in a real browser: who may call what, the filter, and what becomes of wide tables.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use keycloak_auth::{AccessMatrix, SecureRouter, access_matrix::Subject, dev::DevRealm, keycloak, routing::get};
use keycloak_auth_tests::{ACME, ACME_JSON, Chromium, Keycloak, Realm, Service};
use serde_json::json;

use crate::setup::builder;

/// In the page: the rows that are shown, each as its method and path.
const SHOWN: &str = "Array.from(document.querySelectorAll('tbody tr:not([hidden])'), \
    (row) => row.querySelector('.method').textContent + ' ' + row.querySelector('.path').textContent)";

/// In the page: whether nothing but the table's own frame has to be scrolled sideways.
const FITS: &str = "document.documentElement.scrollWidth <= document.documentElement.clientWidth";

/// As `alice`, who is an administrator of the embedded realm.
pub async fn of_the_orders_service(_: Arc<Keycloak>) -> Result<()> {
    let running = DevRealm::from_json(ACME_JSON)?.start().await?;
    let realm = Realm::served_at(running.server_url(), ACME.clone());
    let service = Service::start(orders::app(builder(&realm).build()?)).await;
    let token = realm.login("orders-web", "alice").await?.access;
    let mut browser = Chromium::start("access-matrix").await?;
    browser.send_bearer(&token).await?;
    browser.resize(1280, 1000).await?;
    browser.open(&service.url("/access-matrix")).await?;
    browser.wait_for("tbody tr").await?;
    browser.screenshot("light").await?;

    let headings = browser
        .evaluate("Array.from(document.querySelectorAll('thead th'), (heading) => heading.textContent)")
        .await?;
    assert_eq!(
        headings,
        json!([
            "Method",
            "Path",
            "Realm roles",
            "Client roles",
            "Groups",
            "Policy",
            "Handler",
            "admin",
            "auditor",
            "orders:read of orders-api",
            "orders:write of orders-api",
            "/ops",
        ])
    );
    let marks = browser
        .evaluate(
            "Object.fromEntries(Array.from(document.querySelectorAll('tbody tr'), (row) => [\
                row.querySelector('.method').textContent + ' ' + row.querySelector('.path').textContent, \
                Array.from(row.querySelectorAll('td.allow, td.depends, td.deny'), (cell) => cell.className).join(' ')]))",
        )
        .await?;
    for (route, expected) in [
        ("GET /", "allow allow allow allow allow"),
        ("GET /me", "allow allow allow allow allow"),
        ("POST /orders", "allow deny deny allow deny"),
        ("GET /orders/{id}", "allow deny allow deny deny"),
        ("DELETE /orders/{id}", "allow deny deny deny deny"),
        ("GET /reports", "deny allow deny deny deny"),
        ("GET /ops", "allow deny deny deny allow"),
        ("GET /access-matrix", "allow deny deny deny deny"),
    ] {
        assert_eq!(marks[route], expected, "{route}");
    }

    let all = browser.evaluate(SHOWN).await?.as_array().context("a list")?.len();
    for (typed, expected) in [
        ("/orders/", json!(["GET /orders/{id}", "DELETE /orders/{id}"])),
        // Every word, in whatever order and case.
        ("ORDERS delete", json!(["DELETE /orders/{id}"])),
        // By who may call it: the policy of `/me` does not name the role.
        ("auditor get /me", json!(["GET /me"])),
        ("no such route", json!([])),
    ] {
        browser.type_into("#filter", typed).await?;
        assert_eq!(browser.evaluate(SHOWN).await?, expected, "{typed}");
        let count = expected.as_array().map_or(0, Vec::len);
        assert_eq!(browser.text("#count").await?, format!("{count} of {all} routes"));
        if count == 2 {
            browser.screenshot("filtered").await?;
        }
    }
    browser.type_into("#filter", " ").await?;
    assert_eq!(browser.text("#count").await?, format!("{all} of {all} routes"));

    browser.show_as("screen", "dark").await?;
    browser.screenshot("dark").await?;
    browser.close().await
}

#[keycloak(all(any(role("role-07"), group_tree("/ops")), not(role("trainee")), claim("tenant.plan" = "gold")))]
async fn attachment() {}

#[keycloak(role("role-07"))]
async fn order() {}

/// Fifty roles, and a path that no screen is wide enough for.
fn wide() -> AccessMatrix {
    let roles = (0..50).map(|number| match number % 8 {
        0 => Subject::realm_role(format!("role-{number:02}-of-a-department-with-a-long-name")),
        _ => Subject::realm_role(format!("role-{number:02}")),
    });
    let mut router = SecureRouter::<()>::new().route(
        "/tenants/{tenant}/departments/{department}/employees/{employee}/documents/{document}/versions/{version}",
        get(attachment),
    );
    for number in 0..40 {
        router = router.route(&format!("/orders/{number}"), get(order));
    }
    router
        .access_matrix()
        .for_subjects(roles.chain([Subject::group("/ops")]))
}

pub async fn with_many_columns(_: Arc<Keycloak>) -> Result<()> {
    let matrix = wide();
    let page = axum::routing::get(async move || matrix);
    let service = Service::start(axum::Router::new().route("/", page)).await;
    let mut browser = Chromium::start("access-matrix-wide").await?;
    browser.resize(1280, 900).await?;
    browser.open(&service.url("/")).await?;
    browser.wait_for("tbody tr").await?;
    browser.screenshot("wide").await?;
    assert_eq!(browser.evaluate(FITS).await?, true);

    // To its far corner: what a mark is about stays in sight.
    browser
        .evaluate("document.querySelector('.scroll').scrollTo(100000, 100000)")
        .await?;
    browser.screenshot("scrolled").await?;
    for (css, why) in [
        ("thead .method", "the headings"),
        ("thead tr:last-child .name:last-child", "the names"),
        ("tbody tr:last-child .path", "the path"),
        ("tbody tr:last-child .method", "the method"),
    ] {
        let in_sight = format!(
            "((box, frame) => box.left >= frame.left - 1 && box.top >= frame.top - 1 && box.bottom <= frame.bottom + 1)(\
                document.querySelector('{css}').getBoundingClientRect(), \
                document.querySelector('.scroll').getBoundingClientRect())"
        );
        assert_eq!(browser.evaluate(&in_sight).await?, true, "{why}");
    }

    browser.resize(420, 900).await?;
    browser.open(&service.url("/")).await?;
    browser.screenshot("narrow").await?;
    assert_eq!(browser.evaluate(FITS).await?, true);

    browser.resize(1280, 900).await?;
    browser.show_as("print", "dark").await?;
    browser.screenshot("print").await?;
    let paper = "getComputedStyle(document.querySelector('.scroll')).overflow";
    assert_eq!(browser.evaluate(paper).await?, "visible", "paper does not scroll");
    browser.close().await
}
