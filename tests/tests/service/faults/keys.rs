//! Discovery and key set: without keys the answer is 503, and with keys at hand they stay in use.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use keycloak_auth::{Keycloak, ProviderError};
use keycloak_auth_tests::{Answer, Issuer, Logs, Reply, Service, rsa_key};
use serde_json::json;

use super::{
    Breakage::{self, Answer as Answers},
    EVERYWHERE, LONGEST, Provider, Row, assert_said, assert_unavailable, at_once, eventually, malformed, news,
    warnings,
};
use crate::setup::{builder, clock, lasting, service};

const HOUR: Duration = Duration::from_secs(3600);

/// For so long neither keys nor discovery document are asked for again.
const LIFETIME: Duration = Duration::from_secs(2 * 3600);

/// What the log says when an outage begins and ends.
const NO_KEYS: &str = "cannot fetch Keycloak's keys, there are no keys yet: ";
const LAST_KEYS: &str = "cannot fetch Keycloak's keys, the last good keys stay in use: ";
const AGAIN: &str = "Keycloak answers again after 2 failed attempts";

/// The pause between attempts.
const COOLDOWN: Duration = Duration::from_secs(30);

#[test]
fn row_35_faults_of_the_key_set() {
    let mut rows = EVERYWHERE.to_vec();
    rows.push(row("401", |_, _| Reply::status(401), "Status"));
    rows.extend(malformed("KeySet"));
    rows.extend([
        row("no keys", |_, _| Reply::json(&json!({ "keys": [] })), "NoUsableKey"),
        row("null for keys", |_, _| Reply::json(&json!({ "keys": null })), "KeySet"),
        row(
            "odd keys only",
            |_, _| Reply::json(&json!({ "keys": [null, 7, { "kty": "oct" }] })),
            "NoUsableKey",
        ),
        row(
            "257 KiB",
            |issuer, _| {
                let padding = "x".repeat(257 * 1024);
                Reply::json(&json!({ "keys": [issuer.key().jwk()], "padding": padding }))
            },
            "TooLarge",
        ),
    ]);
    at_once(
        &rows,
        |row| row.what.to_owned(),
        async |row| run(Issuer::JWKS, row).await,
    );
}

#[test]
fn row_35_faults_of_the_discovery_document() {
    let mut rows = EVERYWHERE.to_vec();
    rows.push(row("401", |_, _| Reply::status(401), "Status"));
    rows.extend(malformed("Metadata"));
    rows.extend([
        row(
            "another issuer",
            |issuer, _| {
                let issuer_of_another = format!("{}/realms/other", issuer.url());
                Reply::json(
                    &json!({ "issuer": issuer_of_another, "jwks_uri": format!("{}{}", issuer.url(), Issuer::JWKS) }),
                )
            },
            "Issuer",
        ),
        row(
            "keys elsewhere",
            |issuer, trap| Reply::json(&json!({ "issuer": issuer.issuer(), "jwks_uri": trap.url(Issuer::JWKS) })),
            "ForeignEndpoint",
        ),
        row(
            "keys in a file",
            |issuer, _| Reply::json(&json!({ "issuer": issuer.issuer(), "jwks_uri": "file:///etc/passwd" })),
            "ForeignEndpoint",
        ),
        row(
            "no keys",
            |issuer, _| Reply::json(&json!({ "issuer": issuer.issuer() })),
            "Metadata",
        ),
    ]);
    at_once(
        &rows,
        |row| row.what.to_owned(),
        async |row| run(Issuer::DISCOVERY, row).await,
    );
}

fn row(what: &'static str, reply: fn(&Issuer, &keycloak_auth_tests::Trap) -> Reply, cause: &'static str) -> Row {
    Row {
        what,
        breakage: Answers(reply),
        cause,
    }
}

struct Setup {
    provider: Provider,
    keycloak: Keycloak,
    service: Service,
    path: &'static str,
    breakage: Breakage,
}

/// A cold start with the fault, recovery, an outage with keys at hand, and recovery again.
async fn run(path: &'static str, row: &Row) {
    let logs = Logs::capture();
    let provider = Provider::start().await;
    let clock = clock();
    let keycloak = builder(&provider.issuer)
        .server_url(provider.gateway.url())
        .issuer(provider.issuer.issuer())
        .request_timeout(row.patience())
        .clock(clock.clone())
        .build()
        .expect("valid");
    let service = service(&keycloak).await;
    let setup = Setup {
        provider,
        keycloak,
        service,
        path,
        breakage: row.breakage,
    };
    let known = lasting(&setup.provider.issuer, 24 * HOUR).sign(setup.provider.issuer.key());

    setup.provider.break_(path, row.breakage).await;
    let first = setup.assert_cold(&known, row, &logs).await;
    clock.advance(Duration::from_secs(1));
    assert_cannot_check(&setup.get(&known).await);
    setup.failed_again(Some(&first)).await;
    assert_eq!(setup.attempts(), 2, "one attempt for each pause");
    assert_said(&warnings(&logs), &[NO_KEYS]);

    setup.provider.mend(path);
    clock.advance(COOLDOWN);
    assert_let_in(&setup.get(&known).await);
    assert_said(&recoveries(&logs), &[AGAIN]);
    assert!(setup.keycloak.is_ready() && setup.keycloak.last_provider_error().is_none());

    setup.provider.break_(path, row.breakage).await;
    clock.advance(LIFETIME);
    let before = setup.attempts();
    assert_let_in(&setup.get(&known).await);
    let first = setup.failed_again(None).await;
    assert_cause(&first, row.cause);
    let unseen = lasting(&setup.provider.issuer, 24 * HOUR).claim("jti", "unseen");
    for _ in 0..3 {
        assert_let_in(&setup.get(&unseen.sign(setup.provider.issuer.key())).await);
        let unknown = unseen.sign(&rsa_key(1));
        let answer = setup.get(&unknown).await;
        let code = answer.json()["error"]["code"].clone();
        assert_eq!((answer.status, code), (401, json!("unknown_kid")), "{answer:?}");
    }
    assert_eq!(setup.attempts(), before + 1, "the cooldown is kept");
    clock.advance(COOLDOWN);
    assert_let_in(&setup.get(&known).await);
    setup.failed_again(Some(&first)).await;
    assert_eq!(setup.attempts(), before + 2);
    assert!(setup.keycloak.is_ready(), "the keys at hand serve on");
    assert_said(&warnings(&logs), &[NO_KEYS, LAST_KEYS]);

    setup.provider.mend(path);
    clock.advance(COOLDOWN);
    assert_let_in(&setup.get(&known).await);
    eventually("the end of the outage is noticed", || {
        setup.keycloak.last_provider_error().is_none()
    })
    .await;
    assert_said(&recoveries(&logs), &[AGAIN, AGAIN]);
    assert_eq!(setup.provider.trap.connections().await, 0, "nobody is sent elsewhere");
}

impl Setup {
    async fn get(&self, token: &str) -> Answer {
        self.service.get_as("/me", token).await
    }

    fn attempts(&self) -> usize {
        self.provider.attempts(self.path, self.breakage)
    }

    /// The first requests of a service whose Keycloak has the fault.
    async fn assert_cold(&self, token: &str, row: &Row, logs: &Logs) -> Arc<ProviderError> {
        let began = Instant::now();
        assert_cannot_check(&self.get(token).await);
        let took = began.elapsed();
        assert!(row.cause != "Timeout" || took < LONGEST, "{took:?}");
        let error = self.failed_again(None).await;
        assert_cause(&error, row.cause);
        assert_eq!(self.attempts(), 1, "one request, and no second try");
        let sent = self.provider.gateway.bytes_sent();
        assert!(sent < 25_000_000, "{sent} bytes were taken");
        if self.path == Issuer::DISCOVERY {
            assert_eq!(self.provider.issuer.key_fetches(), 0);
        }
        for _ in 0..3 {
            assert_cannot_check(&self.get(token).await);
            assert!(!self.keycloak.is_ready());
        }
        assert_eq!(self.attempts(), 1, "the pause after a failure is kept");
        assert_said(&warnings(logs), &[NO_KEYS]);
        let garbage = self.get("garbage").await;
        assert_eq!(garbage.status, 401, "garbage needs no keys: {garbage:?}");
        assert_eq!(self.service.get("/health").send().await.status, 200);
        error
    }

    /// Waits for the end of an attempt that fails.
    async fn failed_again(&self, before: Option<&Arc<ProviderError>>) -> Arc<ProviderError> {
        let failure = || {
            let error = self.keycloak.last_provider_error()?;
            before
                .is_none_or(|before| !Arc::ptr_eq(before, &error))
                .then_some(error)
        };
        eventually("the attempt fails", || failure().is_some()).await;
        failure().expect("an error, as was seen")
    }
}

fn recoveries(logs: &Logs) -> Vec<String> {
    let mut said = news(logs);
    said.retain(|line| line.contains("answers again"));
    said
}

#[track_caller]
fn assert_let_in(answer: &Answer) {
    assert_eq!((answer.status, answer.text().as_str()), (200, "alice"), "{answer:?}");
}

#[track_caller]
fn assert_cannot_check(answer: &Answer) {
    assert_unavailable(
        answer,
        "keycloak_connection_error",
        "the token cannot be checked at the moment",
    );
}

#[track_caller]
fn assert_cause(error: &ProviderError, variant: &str) {
    let debug = format!("{error:?}");
    let found = debug.split([' ', '{', '(']).next();
    assert_eq!(found, Some(variant), "{debug}");
}
