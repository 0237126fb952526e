//! What metrics and readiness say in each phase of an outage.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::Router;
use keycloak_auth::{
    Keycloak,
    metrics::{MetricsCollector, Tag},
};
use keycloak_auth_tests::{Issuer, Logs, Reply, Service, claims_of};
use serde_json::json;

use super::{assert_said, assert_unavailable, eventually, news, warnings};
use crate::setup::{builder, clock, lasting, routes, service};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

/// The last value of each gauge, by its name without the prefix.
#[derive(Clone, Default)]
struct Gauges(Arc<Mutex<BTreeMap<String, f64>>>);

impl Gauges {
    fn value(&self, name: &str) -> Option<f64> {
        let gauges = self.0.lock().expect("no panic in here");
        gauges.get(&format!("fc_kc_{name}")).copied()
    }

    /// `provider_outage` and `jwks_age_seconds`.
    fn outage_and_age(&self) -> (Option<f64>, Option<f64>) {
        (self.value("provider_outage"), self.value("jwks_age_seconds"))
    }
}

impl MetricsCollector for Gauges {
    fn increment_counter(&self, _: &str, _: &[Tag<'_>]) {}

    fn observe_histogram(&self, _: &str, _: &[Tag<'_>], _: f64) {}

    fn set_gauge(&self, name: &str, _: &[Tag<'_>], value: f64) {
        let mut gauges = self.0.lock().expect("no panic in here");
        gauges.insert(name.to_owned(), value);
    }
}

async fn probes(keycloak: &Keycloak) -> Service {
    Service::start(Router::new().nest("/health", keycloak.health_router())).await
}

#[tokio::test]
async fn metrics_and_readiness_follow_an_outage_of_the_keys() {
    let logs = Logs::capture();
    let issuer = Issuer::start().await;
    let (clock, gauges) = (clock(), Gauges::default());
    let keycloak = builder(&issuer)
        .clock(clock.clone())
        .metrics_collector(gauges.clone())
        .build()
        .expect("valid");
    let service = service(&keycloak).await;
    let probes = probes(&keycloak).await;
    let token = lasting(&issuer, 72 * HOUR).sign(issuer.key());
    let status = async || service.get_as("/me", &token).await.status;
    let ready = async || {
        let answer = probes.get("/health/ready").send().await;
        let expected = if answer.status == 200 { "ready" } else { "not ready" };
        assert_eq!(answer.json(), json!({ "status": expected }));
        assert_eq!(
            probes.get("/health/live").send().await.status,
            200,
            "lives in every phase"
        );
        answer.status
    };
    let gauges_show = async |outage: f64, age: Option<f64>| {
        let what = format!("an outage of {outage} and keys of {age:?} s");
        eventually(&what, || gauges.outage_and_age() == (Some(outage), age)).await;
    };

    // Cold, and Keycloak is down.
    issuer.reply(Issuer::JWKS, Reply::status(503));
    assert_eq!(gauges.outage_and_age(), (None, None), "nothing is known yet");
    assert_eq!((status().await, ready().await), (503, 503));
    gauges_show(1.0, None).await;
    // It is there.
    issuer.reply_as_usual(Issuer::JWKS);
    clock.advance(SECOND);
    assert_eq!((status().await, ready().await), (200, 200));
    gauges_show(0.0, Some(0.0)).await;
    // It goes away.
    issuer.reply(Issuer::JWKS, Reply::status(503));
    clock.advance(300 * SECOND);
    assert_eq!((status().await, ready().await), (200, 200));
    gauges_show(1.0, Some(300.0)).await;
    clock.advance(HOUR);
    assert_eq!((status().await, ready().await), (200, 200));
    gauges_show(1.0, Some(3900.0)).await;
    // Up to the last second of the outage window.
    clock.advance(24 * HOUR - SECOND - HOUR - 300 * SECOND);
    assert_eq!((status().await, ready().await), (200, 200));
    gauges_show(1.0, Some(86_399.0)).await;
    clock.advance(SECOND);
    for _ in 0..3 {
        let answer = service.get_as("/me", &token).await;
        assert_unavailable(
            &answer,
            "keycloak_connection_error",
            "the token cannot be checked at the moment",
        );
        assert_eq!(ready().await, 503);
    }
    // It is back.
    issuer.reply_as_usual(Issuer::JWKS);
    clock.advance(30 * SECOND);
    assert_eq!((status().await, ready().await), (200, 200));
    gauges_show(0.0, Some(0.0)).await;
    assert_said(
        &warnings(&logs),
        &[
            "cannot fetch Keycloak's keys, there are no keys yet: ",
            "cannot fetch Keycloak's keys, the last good keys stay in use: ",
            "no keys could be fetched for 24 h, the outage window: no token is let in until Keycloak answers",
        ],
    );
    assert_said(
        &news(&logs),
        &["Keycloak answers again after 1 ", "Keycloak answers again after "],
    );
}

#[tokio::test]
async fn readiness_by_itself_finds_keycloak_again() {
    let issuer = Issuer::start().await;
    let clock = clock();
    let keycloak = builder(&issuer).clock(clock.clone()).build().expect("valid");
    let probes = probes(&keycloak).await;
    let ready = async || probes.get("/health/ready").send().await.status;
    issuer.reply(Issuer::JWKS, Reply::status(503));
    assert_eq!(ready().await, 503);
    eventually("the attempt fails", || keycloak.last_provider_error().is_some()).await;
    for _ in 0..20 {
        assert_eq!(ready().await, 503);
    }
    assert_eq!(issuer.key_fetches(), 1, "a probe does not ask before it is time");
    issuer.reply_as_usual(Issuer::JWKS);
    clock.advance(30 * SECOND);
    assert_eq!(ready().await, 503, "a probe never waits");
    eventually("the keys are there", || keycloak.last_provider_error().is_none()).await;
    assert_eq!(ready().await, 200);
}

/// Who is not ready is not sent any request, and only a request can find out whether the endpoint answers again.
#[tokio::test]
async fn readiness_comes_back_after_an_outage_of_introspection() {
    let issuer = Issuer::start().await;
    let clock = clock();
    let keycloak = builder(&issuer)
        .client_secret("canary")
        .use_introspection(true)
        .clock(clock.clone())
        .build()
        .expect("valid");
    let service = Service::start(routes().secure_with(keycloak.clone())).await;
    let probes = probes(&keycloak).await;
    let ready = async || probes.get("/health/ready").send().await.status;
    let token = issuer.valid_token();
    let status = async || service.get_as("/me", &token).await.status;

    assert_eq!(ready().await, 200, "nothing speaks against it yet");
    issuer.reply(Issuer::INTROSPECTION, Reply::status(503));
    assert_eq!((status().await, ready().await), (503, 503));
    clock.advance(9 * SECOND);
    assert_eq!(ready().await, 503);
    clock.advance(SECOND);
    assert_eq!(ready().await, 200, "it is worth another try");
    assert_eq!((status().await, ready().await), (503, 503));
    let mut claims = claims_of(&token);
    claims["active"] = json!(true);
    issuer.reply(Issuer::INTROSPECTION, Reply::json(&claims));
    clock.advance(10 * SECOND);
    assert_eq!(ready().await, 200);
    assert_eq!((status().await, ready().await), (200, 200));
}
