//! What the dashboard and the alerts ask for is what the example serves, once all has happened that they are about.

use std::collections::{BTreeMap, BTreeSet};

use axum::Router;
use keycloak_auth::{
    Keycloak, KeycloakBuilder, SecureRouter, dev::DevRealm, keycloak, metrics::MetricsFacade, routing::get,
};
use metrics_exporter_prometheus::PrometheusBuilder;
use observability::{app, buckets, metrics_app};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::queries::{self, Selector};

async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("loopback has a free port");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

#[keycloak(realm_roles = "auditor")]
async fn audit() -> &'static str {
    "audited"
}

/// A router that only reports.
fn legacy(keycloak: Keycloak) -> Router {
    SecureRouter::new()
        .route("/audit", get(audit))
        .report_only()
        .secure_with(keycloak)
}

fn builder(server_url: &str) -> KeycloakBuilder {
    Keycloak::builder()
        .server_url(server_url)
        .realm("acme")
        .client_id("orders-api")
        .audience("orders-api")
        .metrics_collector(MetricsFacade)
}

fn realm() -> DevRealm {
    let audience = json!({
        "name": "audience",
        "protocol": "openid-connect",
        "protocolMapper": "oidc-audience-mapper",
        "config": { "included.client.audience": "orders-api", "access.token.claim": "true" },
    });
    let file = json!({
        "realm": "acme",
        "enabled": true,
        "roles": { "realm": [{ "name": "admin" }] },
        "clients": [{
            "clientId": "orders-api",
            "enabled": true,
            "publicClient": true,
            "directAccessGrantsEnabled": true,
            "protocolMappers": [audience],
        }],
        "users": [{
            "username": "alice",
            "enabled": true,
            "email": "alice@acme.test",
            "firstName": "Alice",
            "lastName": "Adams",
            "credentials": [{ "type": "password", "value": "alice" }],
            "realmRoles": ["admin"],
        }],
    });
    DevRealm::from_json(&file.to_string()).expect("a realm file")
}

async fn log_in(http: &Client, issuer: &str) -> Value {
    let form = [
        ("grant_type", "password"),
        ("client_id", "orders-api"),
        ("username", "alice"),
        ("password", "alice"),
    ];
    let asked = http.post(format!("{issuer}/protocol/openid-connect/token")).form(&form);
    let answer = asked.send().await.expect("an answer").text().await.expect("text");
    serde_json::from_str(&answer).expect("tokens")
}

/// The labels and values of each time series.
fn parse(text: &str) -> BTreeMap<String, BTreeSet<(String, String)>> {
    let mut series: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (name, rest) = line.split_once('{').unwrap_or_else(|| panic!("labels: {line}"));
        let (labels, _) = rest.rsplit_once('}').expect("the end of the labels");
        let labels = labels.trim_end_matches('"').split("\",").map(|label| {
            let (name, value) = label.split_once("=\"").expect("a name and a value");
            (name.to_owned(), value.to_owned())
        });
        series.entry(name.to_owned()).or_default().extend(labels);
    }
    series
}

#[tokio::test]
async fn what_the_queries_ask_for_is_served() {
    let prometheus = buckets(PrometheusBuilder::new())
        .expect("there are buckets")
        .install_recorder()
        .expect("this is the only recorder");
    let metrics = serve(metrics_app(prometheus)).await;
    let http = Client::builder().no_proxy().build().expect("a client");
    let realm = realm().start().await.expect("loopback has a free port");
    let tokens = log_in(&http, realm.issuer()).await;
    let token = tokens["access_token"].as_str().expect("a token");
    let expect = async |url: String, token: &str, status: u16| {
        let answer = http.get(&url).bearer_auth(token).send().await.expect("an answer");
        assert_eq!(answer.status(), status, "{url}");
    };

    let keycloak = builder(realm.server_url()).build().expect("valid");
    let service = serve(app(keycloak.clone()).merge(legacy(keycloak.clone()))).await;
    for _ in 0..2 {
        expect(format!("{service}/orders"), token, 200).await;
    }
    expect(format!("{service}/orders"), "garbage", 401).await;
    expect(format!("{service}/payments"), token, 401).await;
    expect(format!("{service}/audit"), token, 200).await;
    let refresh_token = tokens["refresh_token"].as_str().expect("a token");
    keycloak.refresh_token(refresh_token).await.expect("tokens");
    keycloak.refresh_token("garbage").await.expect_err("refused");

    realm.close().await;
    let cut_off = builder("http://127.0.0.1:1").build().expect("valid");
    let service = serve(app(cut_off)).await;
    expect(format!("{service}/orders"), token, 503).await;

    let answer = http.get(format!("{metrics}/metrics")).send().await.expect("an answer");
    let text = answer.text().await.expect("text");
    let served = parse(&text);
    for selector in queries::selectors() {
        let Selector { series, query, .. } = &selector;
        let labels = served
            .get(series)
            .unwrap_or_else(|| panic!("no `{series}`, for {query}, in\n{text}"));
        for label in &selector.labels {
            let is_served = labels.iter().any(|(name, _)| name == label);
            assert!(is_served, "no `{label}` of `{series}`, for {query}, in\n{text}");
        }
        for value in &selector.values {
            assert!(
                labels.contains(value),
                "no {value:?} of `{series}`, for {query}, in\n{text}"
            );
        }
    }
}
