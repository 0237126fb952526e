//! What is counted and measured, by name, tags and value.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::extract::Path;
use http::Method;
use keycloak_auth::{
    SecureRouter, keycloak,
    metrics::{DEFAULT_PREFIX, Metric, MetricKind, MetricsCollector, PreparedCounter, Tag},
    routing::{any, get},
};
use keycloak_auth_tests::{Issuer, Logs, Reply, Service, Token};
use serde_json::json;

use crate::setup::{admin, builder, clock, health, me, service};

/// Keeps what it is told: the sum of counters, the number of values of histograms, the last value of gauges.
#[derive(Clone, Default)]
struct Ledger {
    prepares: bool,
    entries: Arc<Mutex<BTreeMap<String, f64>>>,
}

impl Ledger {
    fn entry(name: &str, tags: &[Tag<'_>]) -> String {
        let of_name = |metric: &&Metric| name.ends_with(metric.suffix());
        let metric = Metric::ALL
            .iter()
            .filter(of_name)
            .max_by_key(|metric| metric.suffix().len());
        let documented = metric.expect("a metric of the table").tags();
        for (tag, _) in tags {
            let is_known = documented.contains(tag) || ["client_id", "realm"].contains(tag);
            assert!(is_known, "{name} has the tag {tag}");
        }
        let tags: Vec<String> = tags.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("{name} {}", tags.join(" "))
    }

    fn add(&self, entry: String) {
        *self.entries.lock().expect("no panic in here").entry(entry).or_default() += 1.0;
    }

    /// The entries, without the tags that all of them have.
    fn take(&self) -> BTreeMap<String, f64> {
        let entries = std::mem::take(&mut *self.entries.lock().expect("no panic in here"));
        let shorten = |entry: String| {
            assert!(entry.contains("client_id=orders-api realm=acme"), "{entry}");
            let short = entry
                .replace("client_id=orders-api realm=acme", "")
                .replace("fc_kc_", "");
            short.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        entries
            .into_iter()
            .map(|(entry, value)| (shorten(entry), value))
            .collect()
    }
}

impl MetricsCollector for Ledger {
    fn increment_counter(&self, name: &str, tags: &[Tag<'_>]) {
        self.add(Self::entry(name, tags));
    }

    fn observe_histogram(&self, name: &str, tags: &[Tag<'_>], value: f64) {
        assert!((0.0..60_000.0).contains(&value), "{name}: {value} ms");
        self.add(Self::entry(name, tags));
    }

    fn set_gauge(&self, name: &str, tags: &[Tag<'_>], value: f64) {
        self.entries
            .lock()
            .expect("no panic in here")
            .insert(Self::entry(name, tags), value);
    }

    fn prepare_counter(&self, name: &str, tags: &[Tag<'_>]) -> Option<Box<dyn PreparedCounter>> {
        let counter = Prepared(self.clone(), Self::entry(name, tags));
        self.prepares.then(|| Box::new(counter) as Box<dyn PreparedCounter>)
    }
}

struct Prepared(Ledger, String);

impl PreparedCounter for Prepared {
    fn increment(&self) {
        self.0.add(self.1.clone());
    }
}

/// Dashboards and alerts of services that came from fastapi-authlib-keycloak go on.
#[test]
fn the_thirteen_that_were_there_have_their_kind_unit_and_tags() {
    use MetricKind::{Counter, Histogram};
    for (suffix, kind, unit, tags) in [
        (
            "token_validation_latency_ms",
            Histogram,
            "ms",
            &["method", "error_code"][..],
        ),
        ("token_validation_total", Counter, "", &["method"]),
        ("token_validation_success_total", Counter, "", &["method"]),
        ("token_validation_failure_total", Counter, "", &["method", "error_code"]),
        ("token_refresh_latency_ms", Histogram, "ms", &["error_code"]),
        ("token_refresh_total", Counter, "", &[]),
        ("token_refresh_success_total", Counter, "", &[]),
        ("token_refresh_failure_total", Counter, "", &["error_code"]),
        ("jwks_fetch_latency_ms", Histogram, "ms", &["error_code"]),
        ("oidc_fetch_latency_ms", Histogram, "ms", &["error_code"]),
        ("jwks_cache_hits_total", Counter, "", &[]),
        ("jwks_cache_misses_total", Counter, "", &[]),
        ("errors_total", Counter, "", &["error_code"]),
    ] {
        let found = Metric::ALL.iter().find(|metric| metric.suffix() == suffix);
        let metric = found.unwrap_or_else(|| panic!("no `{suffix}`"));
        assert_eq!(
            (metric.kind(), metric.unit(), metric.tags()),
            (kind, unit, tags),
            "{suffix}"
        );
        assert_eq!(metric.name(DEFAULT_PREFIX), format!("fc_kc_{suffix}"));
    }
}

fn entries<const N: usize>(entries: [(&str, f64); N]) -> BTreeMap<String, f64> {
    entries.map(|(entry, value)| (entry.to_owned(), value)).into()
}

#[tokio::test]
async fn tokens_keys_and_outages_are_counted_whether_counters_are_prepared_or_not() {
    for prepares in [false, true] {
        let ledger = Ledger {
            prepares,
            ..Ledger::default()
        };
        let issuer = Issuer::start().await;
        let clock = clock();
        let keycloak = builder(&issuer)
            .metrics_collector(ledger.clone())
            .clock(clock.clone())
            .build()
            .expect("valid");
        let service = service(&keycloak).await;
        let token = issuer
            .token()
            .claim("exp", keycloak_auth_tests::now() + 86_400)
            .sign(issuer.key());
        for _ in 0..3 {
            assert_eq!(service.get_as("/me", &token).await.status, 200);
        }
        assert_eq!(
            ledger.take(),
            entries([
                ("decisions_total route=/me http_method=GET outcome=allowed", 3.0),
                ("jwks_age_seconds", 0.0),
                ("jwks_cache_misses_total", 1.0),
                ("jwks_fetch_latency_ms", 1.0),
                ("oidc_fetch_latency_ms", 1.0),
                ("provider_outage endpoint=jwks", 0.0),
                ("provider_request_latency_ms endpoint=discovery", 1.0),
                ("provider_request_latency_ms endpoint=jwks", 1.0),
                ("token_cache_hits_total method=jwt", 2.0),
                ("token_validation_latency_ms method=jwt", 1.0),
                ("token_validation_success_total method=jwt", 3.0),
                ("token_validation_total method=jwt", 3.0),
            ])
        );
        assert_eq!(
            service
                .get_as("/me", &issuer.token().claim("exp", 1).sign(issuer.key()))
                .await
                .status,
            401
        );
        assert_eq!(
            ledger.take(),
            entries([
                ("decisions_total route=/me http_method=GET outcome=invalid_token", 1.0),
                ("errors_total error_code=token_expired", 1.0),
                ("jwks_cache_hits_total", 1.0),
                (
                    "token_validation_failure_total method=jwt error_code=token_expired",
                    1.0
                ),
                ("token_validation_latency_ms method=jwt error_code=token_expired", 1.0),
                ("token_validation_total method=jwt", 1.0),
            ])
        );
        assert_eq!(service.get_as("/me", "two words").await.status, 400);
        assert_eq!(
            ledger.take(),
            entries([
                ("decisions_total route=/me http_method=GET outcome=invalid_request", 1.0),
                ("errors_total error_code=invalid_header_format", 1.0),
                (
                    "token_validation_failure_total method=jwt error_code=invalid_header_format",
                    1.0
                ),
                ("token_validation_total method=jwt", 1.0),
            ])
        );
        issuer.reply(Issuer::JWKS, Reply::status(500));
        clock.advance(Duration::from_secs(600));
        assert_eq!(service.get_as("/me", &token).await.status, 200);
        while keycloak.last_provider_error().is_none() {
            tokio::task::yield_now().await;
        }
        let told = ledger.take();
        assert_eq!(told["provider_outage endpoint=jwks"], 1.0, "{told:?}");
        assert_eq!(told["jwks_age_seconds"], 600.0, "{told:?}");
        assert_eq!(
            told["jwks_fetch_latency_ms error_code=keycloak_connection_error"], 1.0,
            "{told:?}"
        );
        assert_eq!(
            told["errors_total error_code=keycloak_connection_error"], 1.0,
            "{told:?}"
        );
        assert_eq!(
            told["provider_request_latency_ms endpoint=jwks error_type=500"], 1.0,
            "{told:?}"
        );
    }
}

#[tokio::test]
async fn refreshes_are_counted_and_the_prefix_is_a_setting() {
    let ledger = Ledger::default();
    let issuer = Issuer::start().await;
    let builder = builder(&issuer).metrics_collector(ledger.clone());
    assert!(builder.clone().metrics_prefix("9 lives").build().is_err());
    let keycloak = builder.metrics_prefix("shop").build().expect("valid");
    issuer.reply(
        Issuer::TOKEN,
        Reply::json(&json!({ "access_token": "a", "token_type": "Bearer" })),
    );
    keycloak.refresh_token("canary").await.expect("tokens");
    issuer.reply(Issuer::TOKEN, Reply::status(400).body(r#"{"error":"invalid_grant"}"#));
    keycloak.refresh_token("canary").await.expect_err("refused");
    assert_eq!(
        ledger.take(),
        entries([
            ("shop_errors_total error_code=token_refresh_failed", 1.0),
            ("shop_oidc_fetch_latency_ms", 1.0),
            ("shop_provider_outage endpoint=token", 0.0),
            ("shop_provider_request_latency_ms endpoint=discovery", 1.0),
            ("shop_provider_request_latency_ms endpoint=token", 1.0),
            ("shop_provider_request_latency_ms endpoint=token error_type=400", 1.0),
            ("shop_token_refresh_failure_total error_code=token_refresh_failed", 1.0),
            ("shop_token_refresh_latency_ms", 1.0),
            ("shop_token_refresh_latency_ms error_code=token_refresh_failed", 1.0),
            ("shop_token_refresh_success_total", 1.0),
            ("shop_token_refresh_total", 2.0),
        ])
    );
}

/// Each of them: the service's own token, an exchange, and a question about a token.
#[tokio::test]
async fn an_outage_is_told_of_each_endpoint_and_grants_that_fail_are_errors() {
    let ledger = Ledger::default();
    let issuer = Issuer::start().await;
    let keycloak = builder(&issuer).client_secret("secret").use_introspection(true);
    let keycloak = keycloak.metrics_collector(ledger.clone()).build().expect("valid");
    let only = |names: &[&str]| {
        let mut told = ledger.take();
        told.retain(|entry, _| names.iter().any(|name| entry.starts_with(name)));
        told
    };
    issuer.reply(Issuer::TOKEN, Reply::status(503));
    issuer.reply(Issuer::INTROSPECTION, Reply::status(503));
    keycloak.client_credentials().await.expect_err("503");
    keycloak.exchange_token("subject").await.expect_err("503");
    keycloak.authenticate("opaque").await.expect_err("503");
    assert_eq!(
        only(&["provider_outage", "errors"]),
        entries([
            ("errors_total error_code=introspection_service_error", 1.0),
            ("errors_total error_code=keycloak_connection_error", 2.0),
            ("provider_outage endpoint=introspection", 1.0),
            ("provider_outage endpoint=token", 1.0),
        ])
    );
    // A refusal is an answer.
    issuer.reply(Issuer::TOKEN, Reply::status(401).body(r#"{"error":"invalid_client"}"#));
    issuer.reply_as_usual(Issuer::INTROSPECTION);
    keycloak.client_credentials().await.expect_err("refused");
    keycloak.authenticate("another").await.expect_err("not active");
    assert_eq!(
        only(&["provider_outage", "errors"]),
        entries([
            ("errors_total error_code=keycloak_config_error", 1.0),
            ("errors_total error_code=token_inactive", 1.0),
            ("provider_outage endpoint=introspection", 0.0),
            ("provider_outage endpoint=token", 0.0),
        ])
    );
    issuer.reply(Issuer::TOKEN, Reply::status(503).after(Duration::from_secs(60)));
    let asking = tokio::spawn({
        let keycloak = keycloak.clone();
        async move { keycloak.exchange_token("subject").await.is_err() }
    });
    while issuer.requests_to(Issuer::TOKEN) < 4 {
        tokio::task::yield_now().await;
    }
    keycloak.close().await;
    assert!(asking.await.expect("it ends"));
    assert_eq!(
        only(&["provider_outage"]),
        entries([]),
        "a Keycloak that is closed is none that is out"
    );
}

#[keycloak(acr("2"))]
async fn strong() -> &'static str {
    "strong"
}

#[keycloak(owner("id"))]
async fn own(Path(id): Path<String>) -> String {
    id
}

#[keycloak(realm_roles = "admin")]
async fn nowhere() -> http::StatusCode {
    http::StatusCode::NOT_FOUND
}

fn observed(issuer: &Issuer, ledger: &Ledger) -> keycloak_auth::Keycloak {
    let builder = builder(issuer).metrics_collector(ledger.clone());
    builder.build().expect("valid")
}

/// What was decided: the entries of `decisions_total`, by route, method and outcome.
fn decisions(ledger: &Ledger) -> BTreeMap<String, f64> {
    let only_decisions = |(entry, count): (String, f64)| {
        let rest = entry.strip_prefix("decisions_total route=")?;
        let short = rest.replace(" http_method=", " ").replace(" outcome=", " ");
        Some((short, count))
    };
    ledger.take().into_iter().filter_map(only_decisions).collect()
}

#[tokio::test]
async fn decisions_are_counted_by_the_pattern_of_the_route_the_method_and_the_outcome() {
    for prepares in [false, true] {
        let ledger = Ledger {
            prepares,
            ..Ledger::default()
        };
        let issuer = Issuer::start().await;
        let keycloak = observed(&issuer, &ledger);
        let router = SecureRouter::new()
            .route("/health", get(health))
            .route("/users/{id}", get(own).delete(admin))
            .route("/strong", get(strong))
            .nest(
                "/reports",
                SecureRouter::new().route("/{year}", any(admin)).report_only(),
            )
            .fallback(nowhere)
            .secure_with(keycloak.clone());
        let service = Service::start(router).await;
        let token = issuer.valid_token();
        let subject = keycloak.authenticate(&token).await.expect("good");
        let subject = subject.subject().expect("has one");
        let of_another = issuer.token().without("realm_access").sign(issuer.key());

        for (path, status) in [
            (format!("/users/{subject}"), 200),
            ("/users/7".to_owned(), 403),
            ("/users/8".to_owned(), 403),
            ("/strong".to_owned(), 401),
            ("/health".to_owned(), 200),
            ("/no/such/path".to_owned(), 404),
        ] {
            assert_eq!(service.get_as(&path, &token).await.status, status, "{path}");
        }
        let delete = service.request(Method::DELETE, "/users/7").bearer(&of_another);
        assert_eq!(delete.send().await.status, 403);
        assert_eq!(service.get("/users/7").send().await.status, 401);
        assert_eq!(service.get_as("/users/7", "garbage").await.status, 401);
        let unreadable = service.get("/users/7").authorization("Bearer");
        assert_eq!(unreadable.send().await.status, 400);
        let method = Method::from_bytes(b"PURGE").expect("a method");
        let reported = service.request(method, "/reports/2026").bearer(&of_another);
        assert_eq!(reported.send().await.status, 200);
        assert_eq!(
            decisions(&ledger),
            entries([
                ("(no route) GET allowed", 1.0),
                ("/reports/{year} _OTHER would_deny", 1.0),
                ("/strong GET step_up", 1.0),
                ("/users/{id} DELETE denied", 1.0),
                ("/users/{id} GET allowed", 1.0),
                ("/users/{id} GET denied", 2.0),
                ("/users/{id} GET invalid_request", 1.0),
                ("/users/{id} GET invalid_token", 1.0),
                ("/users/{id} GET unauthenticated", 1.0),
            ])
        );
    }
}

#[tokio::test]
async fn a_decision_that_cannot_be_made_counts_as_unavailable() {
    let ledger = Ledger::default();
    let issuer = Issuer::start().await;
    issuer.reply(Issuer::JWKS, Reply::status(503));
    let keycloak = observed(&issuer, &ledger);
    let service = service(&keycloak).await;
    assert_eq!(service.get_as("/me", &issuer.valid_token()).await.status, 503);
    assert_eq!(decisions(&ledger), entries([("/me GET unavailable", 1.0)]));
}

#[tokio::test]
async fn a_layer_counts_what_it_refuses_and_leaves_the_rest_to_the_guards() {
    let ledger = Ledger::default();
    let issuer = Issuer::start().await;
    let keycloak = observed(&issuer, &ledger);
    let router = axum::Router::new()
        .route("/plain/{id}", axum::routing::get(async || "plain"))
        .route("/admin", axum::routing::get(admin))
        .layer(keycloak.layer());
    let service = Service::start(router).await;
    let (good, bad) = (
        issuer.valid_token(),
        issuer.token().sign(&keycloak_auth_tests::rsa_key(1)),
    );
    let less = issuer.token().without("realm_access").sign(issuer.key());
    for (path, token, status) in [
        // The first one has to wait for the keys.
        ("/plain/1", &bad, 401),
        ("/plain/2", &bad, 401),
        ("/plain/3", &good, 200),
        ("/admin", &good, 200),
        ("/admin", &less, 403),
        ("/elsewhere", &bad, 401),
    ] {
        assert_eq!(service.get_as(path, token).await.status, status, "{path}");
    }
    assert_eq!(service.get("/admin").send().await.status, 401);
    assert_eq!(
        decisions(&ledger),
        entries([
            ("(no route) GET invalid_token", 1.0),
            ("/admin GET allowed", 1.0),
            ("/admin GET denied", 1.0),
            ("/admin GET unauthenticated", 1.0),
            ("/plain/{id} GET invalid_token", 2.0),
        ])
    );
}

#[tokio::test]
async fn random_paths_methods_and_tokens_make_no_new_series() {
    let ledger = Ledger::default();
    let issuer = Issuer::start().await;
    let keycloak = observed(&issuer, &ledger);
    let router = SecureRouter::new()
        .route("/me", any(me))
        .route("/users/{id}", any(own))
        .nest("/files", SecureRouter::new().route("/{*path}", any(admin)))
        .fallback(nowhere)
        .secure_with(keycloak.clone());
    let service = Service::start(router).await;
    let flood = async |rounds: std::ops::Range<u32>| {
        for number in rounds {
            let token = |token: Token| token.claim("sub", format!("user-{number}"));
            let paths = [
                "/me".to_owned(),
                format!("/me/{number}"),
                format!("/users/user-{number}"),
                format!("/users/user-{}", number + 1),
                format!("/files/{number}/{number}?q={number}"),
                format!("/{number}"),
            ];
            let key = issuer.key();
            let credentials = [
                token(issuer.token()).sign(key),
                token(issuer.token()).claim("exp", number).sign(key),
                token(issuer.token()).claim("aud", format!("client-{number}")).sign(key),
                token(issuer.token()).sign(&keycloak_auth_tests::rsa_key(1).with_kid(&format!("key-{number}"))),
                format!("garbage-{number}"),
            ];
            for (index, path) in paths.iter().enumerate() {
                for (other, credential) in credentials.iter().enumerate() {
                    let method = match (index + other + number as usize) % 3 {
                        0 => Method::GET,
                        1 => Method::POST,
                        _ => Method::from_bytes(format!("M{number}").as_bytes()).expect("a method"),
                    };
                    service.request(method, path).bearer(credential).send().await;
                }
            }
        }
    };
    // Afterwards each route has seen each method with each outcome that there is.
    flood(0..3).await;
    let first = ledger.take();
    assert!(
        first.keys().any(|entry| entry.contains("route=/users/{id}")),
        "{first:?}"
    );
    for number in 0..3 {
        let canaries = [format!("user-{number}"), format!("key-{number}"), format!("M{number}")];
        for canary in canaries {
            assert!(
                first.keys().all(|entry| !entry.contains(&canary)),
                "{canary}: {first:?}"
            );
        }
    }
    flood(3..20).await;
    let series = |entries: &BTreeMap<String, f64>| entries.keys().cloned().collect::<BTreeSet<_>>();
    let new: Vec<String> = series(&ledger.take()).difference(&series(&first)).cloned().collect();
    assert_eq!(new, Vec::<String>::new());
    assert!(first.len() < 80, "{} series: {first:?}", first.len());
}

#[tokio::test]
async fn a_diagnosis_counts_neither_tokens_nor_what_it_asks_keycloak() {
    let logs = Logs::capture();
    let ledger = Ledger::default();
    let issuer = Issuer::start().await;
    let own = issuer.token().claim("aud", "account").sign(issuer.key());
    let tokens = json!({ "access_token": own, "token_type": "Bearer", "expires_in": 300 });
    issuer.reply(Issuer::TOKEN, Reply::json(&tokens));
    let keycloak = builder(&issuer)
        .client_secret("hunter2")
        .metrics_collector(ledger.clone());
    let keycloak = keycloak.build().expect("valid");
    keycloak.ready().await.expect("the issuer answers");
    ledger.take();
    let stale = issuer.token().claim("exp", 1).sign(issuer.key());
    let report = keycloak.diagnose().token(&stale).await;
    assert!(!report.is_healthy(), "{report}");
    assert_eq!(ledger.take(), BTreeMap::new());
    assert!(!logs.text().contains("access token refused"), "{}", logs.text());
    // A request with the same token counts.
    let service = service(&keycloak).await;
    assert_eq!(service.get_as("/me", &stale).await.status, 401);
    let counted = ledger.take();
    assert!(
        counted
            .keys()
            .any(|entry| entry.starts_with("token_validation_failure_total")),
        "{counted:#?}"
    );
}
