//! What is counted and measured, by name, tags and value.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use keycloak_auth::metrics::{MetricsCollector, PreparedCounter, Tag};
use keycloak_auth_tests::{Issuer, Reply};
use serde_json::json;

use crate::setup::{builder, clock, service};

/// Keeps what it is told: the sum of counters, the number of values of histograms, the last value of gauges.
#[derive(Clone, Default)]
struct Ledger {
    prepares: bool,
    entries: Arc<Mutex<BTreeMap<String, f64>>>,
}

impl Ledger {
    fn entry(name: &str, tags: &[Tag<'_>]) -> String {
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
                ("jwks_age_seconds", 0.0),
                ("jwks_cache_misses_total", 1.0),
                ("jwks_fetch_latency_ms", 1.0),
                ("oidc_fetch_latency_ms", 1.0),
                ("provider_outage", 0.0),
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
        issuer.reply(Issuer::JWKS, Reply::status(500));
        clock.advance(Duration::from_secs(600));
        assert_eq!(service.get_as("/me", &token).await.status, 200);
        while keycloak.last_provider_error().is_none() {
            tokio::task::yield_now().await;
        }
        let told = ledger.take();
        assert_eq!(told["provider_outage"], 1.0, "{told:?}");
        assert_eq!(told["jwks_age_seconds"], 600.0, "{told:?}");
        assert_eq!(
            told["jwks_fetch_latency_ms error_code=keycloak_connection_error"], 1.0,
            "{told:?}"
        );
        assert_eq!(
            told["errors_total error_code=keycloak_connection_error"], 1.0,
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
            ("shop_token_refresh_failure_total error_code=token_refresh_failed", 1.0),
            ("shop_token_refresh_latency_ms", 1.0),
            ("shop_token_refresh_latency_ms error_code=token_refresh_failed", 1.0),
            ("shop_token_refresh_success_total", 1.0),
            ("shop_token_refresh_total", 2.0),
        ])
    );
}
