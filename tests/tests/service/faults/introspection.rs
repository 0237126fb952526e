//! Introspection: without an answer nobody knows, and what is not known is never let in.

use std::time::{Duration, Instant};

use keycloak_auth_tests::{Answer, Issuer, Logs, Reply, Service, claims_of};
use serde_json::json;

use super::{
    Breakage::Answer as Answers, EVERYWHERE, LONGEST, Provider, Row, assert_said, assert_unavailable, at_once,
    malformed, news, warnings,
};
use crate::setup::{builder, clock, lasting, routes};

#[test]
fn row_38_faults_of_the_introspection_endpoint() {
    let mut rows = EVERYWHERE.to_vec();
    rows.push(Row {
        what: "401",
        breakage: Answers(|_, _| Reply::status(401).body(r#"{"error":"invalid_client"}"#)),
        cause: "Status",
    });
    rows.extend(malformed("Introspection"));
    rows.push(Row {
        what: "a word for `active`",
        breakage: Answers(|_, _| Reply::json(&json!({ "active": "true" }))),
        cause: "Introspection",
    });
    at_once(
        &rows,
        |row| row.what.to_owned(),
        async |row| run(Issuer::INTROSPECTION, row).await,
    );
}

#[test]
fn row_38_faults_of_the_discovery_document() {
    let mut rows = EVERYWHERE.to_vec();
    rows.extend(malformed("Metadata"));
    rows.push(Row {
        what: "introspection elsewhere",
        breakage: Answers(|issuer, trap| {
            Reply::json(&json!({
                "issuer": issuer.issuer(),
                "jwks_uri": format!("{}{}", issuer.url(), Issuer::JWKS),
                "introspection_endpoint": trap.url(Issuer::INTROSPECTION),
            }))
        }),
        cause: "ForeignEndpoint",
    });
    at_once(
        &rows,
        |row| row.what.to_owned(),
        async |row| run(Issuer::DISCOVERY, row).await,
    );
}

async fn run(path: &'static str, row: &Row) {
    let logs = Logs::capture();
    let provider = Provider::start().await;
    let issuer = &provider.issuer;
    let clock = clock();
    let keycloak = builder(issuer)
        .server_url(provider.gateway.url())
        .issuer(issuer.issuer())
        .client_secret("canary")
        .use_introspection(true)
        .request_timeout(row.patience())
        .clock(clock.clone())
        .build()
        .expect("valid");
    let service = Service::start(routes().secure_with(keycloak.clone())).await;
    let known = lasting(issuer, Duration::from_secs(3600)).sign(issuer.key());
    let answer_well = || {
        let mut claims = claims_of(&known);
        claims["active"] = json!(true);
        issuer.reply(Issuer::INTROSPECTION, Reply::json(&claims));
    };

    answer_well();
    provider.break_(path, row.breakage).await;
    let began = Instant::now();
    for attempt in 1..=3 {
        assert_cannot_check(&service.get_as("/me", &known).await);
        assert_eq!(
            provider.attempts(path, row.breakage),
            attempt,
            "no failure is kept, and none is tried twice"
        );
    }
    let took = began.elapsed();
    assert!(row.cause != "Timeout" || took < 3 * LONGEST, "{took:?}");
    assert_warned(&logs, 1, row.cause);
    if path == Issuer::DISCOVERY {
        assert_eq!(
            issuer.requests_to(Issuer::INTROSPECTION),
            0,
            "no token is sent anywhere"
        );
    }

    provider.mend(path);
    answer_well();
    assert_eq!(service.get_as("/me", &known).await.text(), "alice");
    assert_said(&news(&logs), &["tokens can be introspected again"]);

    provider.break_(path, row.breakage).await;
    assert_eq!(
        service.get_as("/me", &known).await.text(),
        "alice",
        "the answer is kept for 30 s"
    );
    if path == Issuer::INTROSPECTION {
        // Where it is known, the discovery document is not asked for.
        let before = provider.attempts(path, row.breakage);
        clock.advance(Duration::from_secs(60));
        let unseen = lasting(issuer, Duration::from_secs(3600))
            .claim("jti", "unseen")
            .sign(issuer.key());
        for (asked, token) in [&unseen, &known, &unseen].into_iter().enumerate() {
            assert_cannot_check(&service.get_as("/me", token).await);
            assert_eq!(
                provider.attempts(path, row.breakage),
                before + asked + 1,
                "what was kept is too old"
            );
        }
        assert_warned(&logs, 2, row.cause);
    }
    assert_eq!(service.get("/health").send().await.status, 200);
    assert_eq!(provider.trap.connections().await, 0, "nobody is sent elsewhere");
    assert!(!logs.text().contains("Basic "), "the secret is logged");
}

#[track_caller]
fn assert_cannot_check(answer: &Answer) {
    assert_unavailable(
        answer,
        "introspection_service_error",
        "the token cannot be checked at the moment",
    );
}

#[track_caller]
fn assert_warned(logs: &Logs, count: usize, cause: &str) {
    let warned = warnings(logs);
    assert_eq!(warned.len(), count, "once for each outage: {warned:#?}");
    for warning in &warned {
        assert!(warning.starts_with("cannot introspect tokens: "), "{warned:#?}");
        assert!(warning.contains(said_of(cause)), "{cause}: {warned:#?}");
    }
}

/// What the log says of a cause.
fn said_of(cause: &str) -> &'static str {
    match cause {
        "Connection" => "cannot reach `http://127.0.0.1:",
        "Timeout" => "no complete answer from Keycloak within 2 s",
        "TooLarge" => "is larger than 262144 bytes",
        "Status" => "answered with status ",
        "Metadata" => "is not an OpenID provider's discovery document",
        "Introspection" => "did not answer with a JSON object that has `active`",
        "ForeignEndpoint" => "`introspection_endpoint` is on another server",
        other => panic!("`{other}` is not listed"),
    }
}
