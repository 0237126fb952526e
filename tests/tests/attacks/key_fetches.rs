//! When keys are fetched, and what is answered while there are none.

use std::time::Duration;

use keycloak_auth::Clock;
use keycloak_auth_tests::{Issuer, Logs, Reply, now, rsa_key};
use serde_json::json;
use tracing::Level;

use crate::setup::{Setup, assert_a1, assert_a4};

/// What is said of the keys, once for each change of state.
fn warnings(logs: &Logs) -> Vec<String> {
    let records = logs.records().into_iter();
    let warnings = records.filter(|record| !record.is_span && record.level == Level::WARN);
    warnings.map(|warning| warning.field("message").to_owned()).collect()
}

#[tokio::test]
async fn row_37_an_invalid_signature_under_a_known_kid_fetches_nothing() {
    let logs = Logs::capture();
    let clock = Clock::manual(Duration::from_secs(now()));
    let moved = clock.clone();
    let setup = Setup::with(|builder| builder.clock(clock)).await;
    setup.accepts(&setup.issuer.valid_token()).await;
    let before = setup.issuer.requests();
    for _ in 0..5 {
        // Past the cooldown, so that nothing but the rule itself stands in the way of a fetch.
        moved.advance(Duration::from_secs(31));
        let attack = setup.issuer.token().sign(&rsa_key(1).with_kid("rsa-0"));
        setup
            .refuses(&attack, &["invalid_signature"], "another key under the same name")
            .await;
    }
    assert_eq!(setup.issuer.requests(), before);
    // Whoever sends them could fill the log.
    assert_eq!(warnings(&logs), [""; 0]);
}

#[tokio::test]
async fn row_36_a_flood_of_unknown_kids_fetches_twice_a_minute_at_most() {
    for (what, reply) in [
        ("the same keys", None),
        ("no keys", Some(Reply::json(&json!({ "keys": [] })))),
        ("odd keys only", Some(Reply::json(&json!({ "keys": [null] })))),
        ("an error", Some(Reply::status(500))),
        (
            "a request to come later",
            Some(Reply::status(429).header("retry-after", "0")),
        ),
        ("a login page", Some(Reply::status(200).body("<html>"))),
    ] {
        let logs = Logs::capture();
        let clock = Clock::manual(Duration::from_secs(now()));
        let moved = clock.clone();
        let setup = Setup::with(|builder| builder.clock(clock)).await;
        setup.accepts(&setup.issuer.valid_token()).await;
        let fails = reply.is_some();
        if let Some(reply) = reply {
            setup.issuer.reply(Issuer::JWKS, reply);
        }
        let before = setup.issuer.key_fetches();
        for second in 0..60 {
            for number in 0..3 {
                let key = rsa_key(1).with_kid(&format!("unknown-{second}-{number}"));
                let attack = setup.issuer.token().sign(&key);
                let answer = setup.service.get_as("/authenticated", &attack).await;
                assert_a1(&answer, &["unknown_kid"], what);
            }
            moved.advance(Duration::from_secs(1));
        }
        let fetches = setup.issuer.key_fetches() - before;
        assert!((1..=2).contains(&fetches), "{what}: {fetches} fetches");
        // The keys that were there still are.
        setup.accepts(&setup.issuer.valid_token()).await;
        let mut said = warnings(&logs);
        said.retain(|line| line.starts_with("cannot fetch Keycloak's keys, the last good keys stay in use"));
        assert_eq!(
            said.len(),
            usize::from(fails),
            "{what}: 180 requests, one change of state: {said:#?}"
        );
    }
}

/// No fetch could tell which key is meant.
#[tokio::test]
async fn row_36_a_token_that_names_no_key_is_nobodys_among_several_and_fetches_nothing() {
    let clock = Clock::manual(Duration::from_secs(now()));
    let moved = clock.clone();
    let setup = Setup::with(|builder| builder.clock(clock)).await;
    let unnamed = setup
        .issuer
        .token()
        .raw_header(br#"{"alg":"RS256","typ":"JWT"}"#.as_slice());
    let (own, foreign) = (unnamed.sign(setup.issuer.key()), unnamed.sign(&rsa_key(1)));
    setup.issuer.publish(&[setup.issuer.key().clone(), rsa_key(2)]);
    let logs = Logs::capture();
    // While there are no keys yet, within the cooldown, and after it.
    for seconds in [0, 1, 40, 40] {
        moved.advance(Duration::from_secs(seconds));
        for (what, token) in [("own", &own), ("foreign", &foreign)] {
            let answer = setup.service.get_as("/authenticated", token).await;
            assert_a1(&answer, &["unknown_kid"], what);
        }
    }
    assert_eq!(setup.issuer.key_fetches(), 1);
    assert!(!logs.text().contains("keycloak.key_id"), "{}", logs.text());
    assert_eq!(
        setup
            .service
            .get_as("/authenticated", &setup.issuer.valid_token())
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn the_only_key_of_its_algorithm_needs_no_name() {
    let setup = Setup::new().await;
    let unnamed = setup
        .issuer
        .token()
        .raw_header(br#"{"alg":"RS256","typ":"JWT"}"#.as_slice());
    setup.accepts(&unnamed.sign(setup.issuer.key())).await;
    let foreign = unnamed.sign(&rsa_key(1));
    setup.refuses(&foreign, &["invalid_signature"], "another key").await;
}

#[tokio::test]
async fn a_token_of_a_new_key_is_accepted_after_the_cooldown() {
    let clock = Clock::manual(Duration::from_secs(now()));
    let moved = clock.clone();
    let setup = Setup::with(|builder| builder.clock(clock)).await;
    setup.accepts(&setup.issuer.valid_token()).await;
    let new = rsa_key(1);
    setup.issuer.publish(&[new.clone(), setup.issuer.key().clone()]);
    let token = setup.issuer.token().sign(&new);
    setup.refuses(&token, &["unknown_kid"], "within the cooldown").await;
    moved.advance(Duration::from_secs(31));
    setup.accepts(&token).await;
    setup.accepts(&setup.issuer.valid_token()).await;
}

#[tokio::test]
async fn a_cold_start_without_keycloak_answers_503_and_recovers_by_itself() {
    for path in [Issuer::DISCOVERY, Issuer::JWKS] {
        for status in [500, 503, 404] {
            let clock = Clock::manual(Duration::from_secs(now()));
            let moved = clock.clone();
            let setup = Setup::with(|builder| builder.clock(clock)).await;
            setup.issuer.reply(path, Reply::status(status));
            let valid = setup.issuer.valid_token();
            let what = format!("{path} answers {status}");
            let mut retry_after = 0;
            for _ in 0..3 {
                let answer = setup.service.get_as("/authenticated", &valid).await;
                assert_a4(&answer, &what);
                retry_after = answer.retry_after().expect("a 503 says when to come again");
            }
            // What needs no key is answered as ever.
            let answer = setup.service.get_as("/authenticated", "garbage").await;
            assert_a1(&answer, &["malformed_token"], &what);
            assert_eq!(setup.service.get("/public").send().await.status, 200);
            setup.issuer.reply_as_usual(path);
            moved.advance(Duration::from_secs(retry_after));
            setup.accepts(&valid).await;
        }
    }
}

#[tokio::test]
async fn a_keycloak_that_does_not_answer_costs_a_request_five_seconds_at_most() {
    let setup = Setup::with(|builder| builder.request_timeout(Duration::from_millis(400))).await;
    setup
        .issuer
        .reply(Issuer::JWKS, Reply::status(200).after(Duration::from_secs(600)));
    let began = std::time::Instant::now();
    let answer = setup
        .service
        .get_as("/authenticated", &setup.issuer.valid_token())
        .await;
    assert_a4(&answer, "a slow key set");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}
