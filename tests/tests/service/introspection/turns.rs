//! More tokens than Keycloak is asked about at a time: who gets a turn, and what the others are told.

use std::{sync::Arc, time::Duration};

use axum::Router;
use keycloak_auth::{Clock, Introspection, Keycloak};
use keycloak_auth_tests::{Answer, Issuer, Logs, Reply, Service, base64url, rsa_key};
use serde_json::json;
use tokio::task::JoinSet;

use super::{answer_for, code, full_claims, in_mode, lightweight};
use crate::setup::{clock, routes};

/// How many questions of a kind Keycloak is asked at a time.
const TURNS: usize = 64;

/// A service that Keycloak answers late, while garbage floods it.
struct Flood {
    issuer: Issuer,
    keycloak: Keycloak,
    service: Arc<Service>,
    requests: JoinSet<Answer>,
}

impl Flood {
    async fn prepare(mode: Introspection, clock: Clock) -> Self {
        let issuer = Issuer::start().await;
        let keycloak = in_mode(&issuer, mode).clock(clock).build().expect("valid");
        let health = Router::new().nest("/health", keycloak.health_router());
        let router = routes().secure_with(keycloak.clone()).merge(health);
        Self {
            issuer,
            keycloak,
            service: Arc::new(Service::start(router).await),
            requests: JoinSet::new(),
        }
    }

    /// Sends all at once, and waits until no turn is left; the answers of Keycloak come after 3 s.
    async fn begin(&mut self, garbage: impl Iterator<Item = String>) {
        let before = self.asked();
        let inactive = Reply::json(&json!({ "active": false }));
        self.issuer
            .reply(Issuer::INTROSPECTION, inactive.after(Duration::from_secs(3)));
        for token in garbage {
            let service = Arc::clone(&self.service);
            self.requests.spawn(async move { service.get_as("/me", &token).await });
        }
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        while self.asked() < before + TURNS {
            ticks.tick().await;
        }
    }

    /// How many were refused, and how many got no turn.
    async fn end(self) -> (usize, usize) {
        let answers = self.requests.join_all().await;
        let unheard = answers.iter().filter(|answer| answer.status == 503);
        let unheard = unheard.inspect(|answer| {
            assert_eq!(code(answer), (503, json!("introspection_service_error")));
            assert!(answer.challenges().is_empty() && answer.retry_after() == Some(1));
        });
        let refused = answers.iter().filter(|answer| answer.status == 401);
        (refused.count(), unheard.count())
    }

    fn asked(&self) -> usize {
        self.issuer.requests_to(Issuer::INTROSPECTION)
    }

    async fn is_ready(&self) -> bool {
        self.service.get("/health/ready").send().await.status == 200
    }
}

fn opaque(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|number| format!("garbage-{number}"))
}

#[tokio::test]
async fn a_flood_of_garbage_makes_neither_unready_nor_a_failing_endpoint() {
    let logs = Logs::capture();
    let mut flood = Flood::prepare(Introspection::Always, Clock::system()).await;
    flood.begin(opaque(150)).await;
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert!(flood.is_ready().await && flood.keycloak.is_ready());
    assert_eq!(flood.asked(), TURNS);
    // Nobody is let in because there are too many.
    flood.issuer.reply(Issuer::INTROSPECTION, Reply::status(500));
    assert_eq!(flood.service.get_as("/me", "stranger").await.status, 503);
    assert_eq!(flood.asked(), TURNS);
    let keycloak = flood.keycloak.clone();
    assert_eq!(flood.end().await, (TURNS, 150 - TURNS));
    assert!(keycloak.is_ready());
    let events = logs.records();
    let count = |name: &str| events.iter().filter(|event| event.name == name).count();
    assert_eq!(count("keycloak.introspection_crowded"), 1, "not for each request");
    assert_eq!(count("keycloak.introspection_failed"), 0);
}

#[tokio::test]
async fn garbage_keeps_out_no_verified_token() {
    let mut flood = Flood::prepare(Introspection::WhenNeeded, Clock::system()).await;
    flood.keycloak.ready().await.expect("keys");
    flood.begin(opaque(100)).await;
    let token = lightweight(&flood.issuer).sign(flood.issuer.key());
    answer_for(&flood.issuer, &token, full_claims);
    assert_eq!(flood.service.get_as("/admin", &token).await.status, 200);
    assert_eq!(flood.asked(), TURNS + 1, "it was the next one");
    assert_eq!(flood.end().await, (TURNS, 100 - TURNS));
}

#[tokio::test]
async fn where_all_tokens_are_asked_about_those_of_the_realm_come_before_forged_ones() {
    let mut flood = Flood::prepare(Introspection::Always, Clock::system()).await;
    let forged = |number: usize| {
        let key = if number.is_multiple_of(2) {
            rsa_key(1)
        } else {
            flood.issuer.key().clone()
        };
        let token = flood.issuer.token().claim("jti", number).sign(&key);
        let (signed, _) = token.rsplit_once('.').expect("three parts");
        format!("{signed}.{}", base64url([7; 256]))
    };
    let garbage: Vec<String> = (0..100).map(forged).collect();
    flood.begin(garbage.into_iter()).await;
    let token = flood.issuer.valid_token();
    answer_for(&flood.issuer, &token, |_| {});
    assert_eq!(flood.service.get_as("/me", &token).await.text(), "alice");
    assert_eq!(flood.asked(), TURNS + 1);
    assert!(flood.issuer.key_fetches() <= 1, "the keys are fetched for all");
    assert_eq!(flood.end().await, (TURNS, 100 - TURNS));
}

#[tokio::test]
async fn an_opaque_token_that_was_good_before_does_not_wait_for_garbage() {
    let clock = clock();
    let mut flood = Flood::prepare(Introspection::WhenOpaque, clock.clone()).await;
    let claims = flood.issuer.valid_token();
    answer_for(&flood.issuer, &claims, |_| {});
    assert_eq!(flood.service.get_as("/me", "regular").await.text(), "alice");
    clock.advance(Duration::from_secs(31));
    flood.begin(opaque(100)).await;
    answer_for(&flood.issuer, &claims, |_| {});
    assert_eq!(flood.service.get_as("/me", "regular").await.text(), "alice");
    assert_eq!(flood.asked(), 1 + TURNS + 1, "the answer was too old to be kept");
    assert_eq!(flood.end().await, (TURNS, 100 - TURNS));
}

#[tokio::test]
async fn a_token_that_is_bad_by_its_own_word_costs_no_question() {
    let flood = Flood::prepare(Introspection::Always, Clock::system()).await;
    let issuer = &flood.issuer;
    for (token, expected) in [
        (
            issuer.token().claim("iss", "https://id.example.com/realms/acme"),
            "invalid_claims",
        ),
        (issuer.token().claim("typ", "ID"), "invalid_token_type"),
        (issuer.token().claim("exp", 1), "token_expired"),
    ] {
        let answer = flood.service.get_as("/me", &token.sign(issuer.key())).await;
        assert_eq!(code(&answer), (401, json!(expected)));
    }
    assert_eq!(flood.asked(), 0);
}
