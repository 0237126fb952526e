//! The token endpoint: an error that says so, over HTTP 503, and a token at hand that serves on.

use std::time::{Duration, Instant};

use axum::{Router, routing::post};
use keycloak_auth::{AuthError, Keycloak};
use keycloak_auth_tests::{Issuer, Logs, Reply, Service};
use serde_json::json;

use super::{
    Breakage::Answer as Answers, EVERYWHERE, LONGEST, Provider, Row, assert_said, assert_unavailable, at_once,
    malformed, news, warnings,
};
use crate::setup::{builder, clock};

#[test]
fn row_35_faults_of_the_token_endpoint() {
    let mut rows = EVERYWHERE.to_vec();
    rows.extend(malformed("TokenEndpoint"));
    rows.extend([
        Row {
            what: "400 of somebody else",
            breakage: Answers(|_, _| Reply::status(400).body("<html>")),
            cause: "TokenEndpoint",
        },
        Row {
            what: "another type of token",
            breakage: Answers(|_, _| Reply::json(&json!({ "access_token": 7, "token_type": "Bearer" }))),
            cause: "TokenEndpoint",
        },
    ]);
    at_once(
        &rows,
        |row| row.what.to_owned(),
        async |row| run(Issuer::TOKEN, row).await,
    );
}

#[test]
fn row_35_faults_of_the_discovery_document() {
    let mut rows = EVERYWHERE.to_vec();
    rows.push(Row {
        what: "tokens elsewhere",
        breakage: Answers(|issuer, trap| {
            Reply::json(&json!({
                "issuer": issuer.issuer(),
                "jwks_uri": format!("{}{}", issuer.url(), Issuer::JWKS),
                "token_endpoint": trap.url(Issuer::TOKEN),
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
        .request_timeout(row.patience())
        .clock(clock.clone())
        .build()
        .expect("valid");
    let service = refreshing(&keycloak).await;
    let answer_well = || {
        let tokens = json!({ "access_token": "own", "token_type": "Bearer", "expires_in": 300 });
        issuer.reply(Issuer::TOKEN, Reply::json(&tokens));
    };

    answer_well();
    provider.break_(path, row.breakage).await;
    let began = Instant::now();
    for attempt in 1..=2 {
        let answer = service.post("/refresh").send().await;
        assert_unavailable(
            &answer,
            "keycloak_connection_error",
            "no token can be had at the moment",
        );
        assert_eq!(provider.attempts(path, row.breakage), attempt, "a grant is sent once");
    }
    let error = keycloak.client_credentials().await.expect_err("no token");
    let AuthError::TokenEndpointUnavailable(unavailable) = &error else {
        panic!("{error:?}")
    };
    let debug = format!("{:?}", unavailable.cause());
    assert_eq!(debug.split([' ', '{', '(']).next(), Some(row.cause), "{debug}");
    let took = began.elapsed();
    assert!(row.cause != "Timeout" || took < 3 * LONGEST, "{took:?}");
    let warned = warnings(&logs);
    assert_eq!(warned.len(), 1, "once for each outage: {warned:#?}");
    assert!(
        warned[0].starts_with("the token endpoint does not answer: "),
        "{warned:#?}"
    );
    if path == Issuer::DISCOVERY {
        assert_eq!(issuer.requests_to(Issuer::TOKEN), 0, "no grant is sent anywhere");
    }

    provider.mend(path);
    answer_well();
    assert_eq!(service.post("/refresh").send().await.text(), "own");
    let own = keycloak.client_credentials().await.expect("a token");
    assert_said(&news(&logs), &["the token endpoint answers again"]);

    if path == Issuer::TOKEN {
        provider.break_(path, row.breakage).await;
        // The last fifth of its life: a new one is wanted, and the old one still good.
        clock.advance(Duration::from_secs(250));
        let still = keycloak.client_credentials().await.expect("the token at hand");
        assert_eq!((&still.access_token, still.expires_in), (&own.access_token, 50));
    }
    assert_eq!(provider.trap.connections().await, 0, "nobody is sent elsewhere");
    assert!(!logs.text().contains("canary"), "the secret is logged");
}

/// A service that refreshes tokens and answers with what went wrong.
async fn refreshing(keycloak: &Keycloak) -> Service {
    let keycloak = keycloak.clone();
    let refresh = async move || match keycloak.refresh_token("refresh-1").await {
        Ok(tokens) => Ok(tokens.access_token.clone()),
        Err(error) => Err(keycloak.respond(&error)),
    };
    Service::start(Router::new().route("/refresh", post(refresh))).await
}
