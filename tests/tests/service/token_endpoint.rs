//! Tokens from the token endpoint: refreshed, the service's own, exchanged.

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::{Form, Router, routing::post};
use keycloak_auth::{AuthError, GrantKind, Keycloak, OAuthError};
use keycloak_auth_tests::{Issuer, Logs, Received, Reply, Service};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tracing::Level;

use crate::setup::{builder, clock};

fn answer(number: u32, lifetime: u32) -> Reply {
    Reply::json(&json!({
        "access_token": format!("access-{number}"), "token_type": "Bearer", "expires_in": lifetime,
        "refresh_token": format!("refresh-{number}"), "refresh_expires_in": 1800, "not-before-policy": 0,
        "scope": "email profile",
    }))
}

fn refusal(status: u16, error: &str, description: &str) -> Reply {
    Reply::status(status).body(json!({ "error": error, "error_description": description }).to_string())
}

/// The form of the last request, with the client's authentication as `authorization`.
fn last_form(issuer: &Issuer) -> HashMap<String, String> {
    let Received {
        authorization, form, ..
    } = issuer.last_request_to(Issuer::TOKEN).expect("a request");
    let authorization = authorization.map(|value| ("authorization".to_owned(), value));
    form.into_iter().chain(authorization).collect()
}

#[track_caller]
fn assert_form(issuer: &Issuer, expected: &[(&str, &str)]) {
    let expected = expected
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    assert_eq!(last_form(issuer), expected.collect());
}

#[tokio::test]
async fn a_refresh_token_brings_new_tokens_to_a_client_with_and_without_a_secret() {
    let issuer = Issuer::start().await;
    issuer.reply(Issuer::TOKEN, answer(1, 300));
    let confidential = builder(&issuer).client_secret("s e/c:r+et").build().expect("valid");
    let tokens = confidential.refresh_token("r&1").await.expect("tokens");
    assert_eq!((&*tokens.access_token, tokens.expires_in), ("access-1", 300));
    assert_eq!(tokens.refresh_token.as_deref(), Some("refresh-1"));
    // RFC 6749 §2.3.1: id and secret are form-encoded before they are joined: `orders-api:s+e%2Fc%3Ar%2Bet`.
    let basic = "Basic b3JkZXJzLWFwaTpzK2UlMkZjJTNBciUyQmV0";
    assert_form(
        &issuer,
        &[
            ("grant_type", "refresh_token"),
            ("refresh_token", "r&1"),
            ("authorization", basic),
        ],
    );
    confidential
        .refresh_token("r2")
        .public_client("orders-web")
        .await
        .expect("tokens");
    let of_web = [
        ("grant_type", "refresh_token"),
        ("refresh_token", "r2"),
        ("client_id", "orders-web"),
    ];
    assert_form(&issuer, &of_web);
    let public = builder(&issuer).client_id("orders-web").build().expect("valid");
    public.refresh_token("r2").await.expect("tokens");
    assert_form(&issuer, &of_web);
    assert_eq!(issuer.requests_to(Issuer::DISCOVERY), 2, "one for each Keycloak");
}

#[tokio::test]
async fn row_39_concurrent_refreshes_of_one_token_are_one_request() {
    let issuer = Issuer::start().await;
    issuer.reply(Issuer::TOKEN, answer(1, 300).after(Duration::from_millis(300)));
    let keycloak = Arc::new(builder(&issuer).build().expect("valid"));
    let mut refreshes = JoinSet::new();
    for number in 0..50 {
        let keycloak = Arc::clone(&keycloak);
        refreshes.spawn(async move {
            let token = if number % 5 == 0 { "other" } else { "one" };
            keycloak.refresh_token(token).await.expect("tokens").access_token
        });
    }
    assert!(refreshes.join_all().await.iter().all(|token| token == "access-1"));
    assert_eq!(issuer.requests_to(Issuer::TOKEN), 2, "one for each refresh token");
    keycloak.refresh_token("one").await.expect("tokens");
    assert_eq!(issuer.requests_to(Issuer::TOKEN), 3, "an answer is not used again");
}

/// A refusal goes to all who asked, and so does the trouble of the endpoint: neither is asked for again, nor told more than once.
#[tokio::test]
async fn row_39_what_concurrent_refreshes_are_told_comes_of_one_request() {
    for (reply, status, code, told) in [
        (answer(1, 300), 200, "", [("", 0), ("", 0)]),
        (
            refusal(400, "invalid_grant", "Maximum allowed refresh token reuse exceeded"),
            400,
            "token_refresh_failed",
            [("keycloak.grant_refused", 1), ("keycloak.token_endpoint_failed", 0)],
        ),
        (
            Reply::status(500),
            503,
            "keycloak_connection_error",
            [("keycloak.grant_refused", 0), ("keycloak.token_endpoint_failed", 1)],
        ),
    ] {
        let logs = Logs::capture();
        let issuer = Issuer::start().await;
        issuer.reply(Issuer::TOKEN, reply.after(Duration::from_millis(500)));
        let service = Arc::new(Service::start(refreshing(builder(&issuer).build().expect("valid"))).await);
        let mut requests = JoinSet::new();
        for _ in 0..50 {
            let service = Arc::clone(&service);
            requests.spawn(async move {
                let request = service.post("/refresh").body("refresh_token=one");
                request
                    .header("content-type", "application/x-www-form-urlencoded")
                    .send()
                    .await
            });
        }
        for response in requests.join_all().await {
            let said = response.json()["error"]["code"].as_str().unwrap_or_default().to_owned();
            assert_eq!((response.status, &*said), (status, code), "{response:?}");
        }
        assert_eq!(issuer.requests(), [Issuer::DISCOVERY, Issuer::TOKEN], "{code}");
        let records = logs.records();
        for (name, count) in told {
            let found = records.iter().filter(|record| record.name == name).count();
            assert_eq!(found, count, "{code}: {name}");
        }
        let warned = records.iter().filter(|record| record.level <= Level::WARN).count();
        assert_eq!(warned, usize::from(status == 503), "{code}");
    }
}

#[tokio::test]
async fn row_39_refreshes_as_different_clients_are_different_requests() {
    let issuer = Issuer::start().await;
    issuer.reply(Issuer::TOKEN, answer(1, 300).after(Duration::from_millis(200)));
    let keycloak = builder(&issuer).build().expect("valid");
    let (own, web, nameless) = tokio::join!(
        keycloak.refresh_token("one").into_future(),
        keycloak.refresh_token("one").public_client("orders-web").into_future(),
        keycloak.refresh_token("one").public_client("").into_future(),
    );
    assert!(own.is_ok() && web.is_ok() && nameless.is_ok());
    assert_eq!(issuer.requests_to(Issuer::TOKEN), 3);
}

#[tokio::test]
async fn a_refresh_goes_on_when_the_first_who_asked_goes_away() {
    let issuer = Issuer::start().await;
    issuer.reply(Issuer::TOKEN, answer(1, 300).after(Duration::from_millis(300)));
    let keycloak = builder(&issuer).build().expect("valid");
    let (first, second) = (keycloak.clone(), keycloak.clone());
    let first = tokio::spawn(async move { first.refresh_token("one").await });
    while issuer.requests_to(Issuer::TOKEN) == 0 {
        tokio::task::yield_now().await;
    }
    let second = tokio::spawn(async move { second.refresh_token("one").await });
    tokio::task::yield_now().await;
    first.abort();
    assert_eq!(second.await.expect("ends").expect("tokens").access_token, "access-1");
    assert_eq!(issuer.requests_to(Issuer::TOKEN), 1);
}

#[tokio::test]
async fn a_refusal_tells_the_code_and_the_answer_to_a_client_tells_what_to_do() {
    let cases = [
        (
            400,
            "invalid_grant",
            OAuthError::InvalidGrant,
            (400, "token_refresh_failed"),
        ),
        (
            400,
            "invalid_scope",
            OAuthError::InvalidScope,
            (400, "token_refresh_failed"),
        ),
        (
            401,
            "invalid_client",
            OAuthError::InvalidClient,
            (503, "keycloak_config_error"),
        ),
        (
            401,
            "unauthorized_client",
            OAuthError::UnauthorizedClient,
            (503, "keycloak_config_error"),
        ),
        (
            400,
            "canary_of_a_new_version",
            OAuthError::Other,
            (400, "token_refresh_failed"),
        ),
    ];
    let issuer = Issuer::start().await;
    let keycloak = builder(&issuer).build().expect("valid");
    let service = Service::start(refreshing(keycloak.clone())).await;
    for (status, code, error, answer) in cases {
        issuer.reply(Issuer::TOKEN, refusal(status, code, "canary\r\ndescription"));
        let refused = keycloak.refresh_token("one").await.expect_err("refused");
        let AuthError::TokenRefused(refusal) = &refused else {
            panic!("{refused:?}")
        };
        assert_eq!((refusal.grant(), refusal.error()), (GrantKind::RefreshToken, error));
        assert!(refusal.to_string().contains("(canary\\r\\ndescription)"), "{refusal}");
        let response = service.post("/refresh").body("refresh_token=one");
        let response = response
            .header("content-type", "application/x-www-form-urlencoded")
            .send()
            .await;
        assert_eq!(
            (response.status, response.json()["error"]["code"].as_str()),
            (answer.0, Some(answer.1)),
            "{code}"
        );
        assert!(
            response.challenges().is_empty() && !response.text().contains("canary"),
            "{response:?}"
        );
    }
}

#[tokio::test]
async fn a_token_endpoint_that_does_not_answer_rightly_is_unavailable() {
    for (what, reply) in [
        ("500", Reply::status(500)),
        (
            "a redirect",
            Reply::status(302).header("location", "http://127.0.0.1:1/"),
        ),
        ("no JSON", Reply::status(200).body("<html>")),
        ("no token", Reply::json(&json!({ "token_type": "Bearer" }))),
        ("400 without a code", Reply::status(400).body("{}")),
        ("300 kB", Reply::status(200).body("x".repeat(300_000))),
        ("slow", answer(1, 300).after(Duration::from_secs(3600))),
    ] {
        let issuer = Issuer::start().await;
        issuer.reply(Issuer::TOKEN, reply);
        let keycloak = builder(&issuer).request_timeout(Duration::from_millis(500));
        let keycloak = keycloak.build().expect("valid");
        let error = keycloak.refresh_token("one").await.expect_err(what);
        assert!(
            matches!(error, AuthError::TokenEndpointUnavailable(_)),
            "{what}: {error:?}"
        );
        assert_eq!(keycloak.respond(&error).status(), 503, "{what}");
    }
}

fn refreshing(keycloak: Keycloak) -> Router {
    let refresh = async move |Form(form): Form<HashMap<String, String>>| {
        let token = form.get("refresh_token").map(String::as_str).unwrap_or_default();
        match keycloak.refresh_token(token).await {
            Ok(tokens) => Ok(axum::Json(tokens)),
            Err(error) => Err(keycloak.respond(&error)),
        }
    };
    Router::new().route("/refresh", post(refresh))
}

#[tokio::test]
async fn the_own_token_is_kept_replaced_ahead_and_asked_for_once() {
    let issuer = Issuer::start().await;
    let clock = clock();
    let keycloak = builder(&issuer).client_secret("secret").clock(clock.clone());
    let keycloak = Arc::new(keycloak.build().expect("valid"));
    issuer.reply(Issuer::TOKEN, answer(1, 300).after(Duration::from_millis(200)));
    let mut requests = JoinSet::new();
    for _ in 0..50 {
        let keycloak = Arc::clone(&keycloak);
        requests.spawn(async move { keycloak.client_credentials().await.expect("a token").access_token });
    }
    assert!(requests.join_all().await.iter().all(|token| token == "access-1"));
    assert_eq!(issuer.requests_to(Issuer::TOKEN), 1);
    assert_eq!(last_form(&issuer)["grant_type"], "client_credentials");

    clock.advance(Duration::from_secs(200));
    let tokens = keycloak.client_credentials().await.expect("a token");
    assert_eq!(
        (&*tokens.access_token, tokens.expires_in),
        ("access-1", 100),
        "the lifetime that is left"
    );

    issuer.reply(Issuer::TOKEN, Reply::status(500));
    clock.advance(Duration::from_secs(50));
    let tokens = keycloak.client_credentials().await.expect("the old one still serves");
    assert_eq!((&*tokens.access_token, tokens.expires_in), ("access-1", 50));
    assert_eq!(issuer.requests_to(Issuer::TOKEN), 2, "but a new one was asked for");
    keycloak.client_credentials().await.expect("the old one still serves");
    assert_eq!(issuer.requests_to(Issuer::TOKEN), 2, "and not again right away");

    clock.advance(Duration::from_secs(11));
    let never = answer(9, 300).after(Duration::from_secs(3600));
    issuer.reply(Issuer::TOKEN, never);
    let waited = tokio::time::timeout(Duration::from_secs(3), keycloak.client_credentials()).await;
    let tokens = waited.expect("nobody waits long").expect("the old one still serves");
    assert_eq!((&*tokens.access_token, tokens.expires_in), ("access-1", 39));
    clock.advance(Duration::from_secs(11));

    issuer.reply(Issuer::TOKEN, answer(2, 300));
    assert_eq!(
        keycloak.client_credentials().await.expect("a token").access_token,
        "access-2"
    );

    issuer.reply(Issuer::TOKEN, Reply::status(500));
    clock.advance(Duration::from_secs(295));
    let error = keycloak.client_credentials().await.expect_err("too old");
    assert!(matches!(error, AuthError::TokenEndpointUnavailable(_)), "{error:?}");
}

#[tokio::test]
async fn an_own_token_of_unknown_lifetime_is_not_kept_and_an_endless_one_does_no_harm() {
    let issuer = Issuer::start().await;
    let keycloak = builder(&issuer).client_secret("secret").build().expect("valid");
    for number in [1, 2] {
        let answer = json!({ "access_token": format!("access-{number}"), "token_type": "Bearer" });
        issuer.reply(Issuer::TOKEN, Reply::json(&answer));
        let tokens = keycloak.client_credentials().await.expect("a token");
        assert_eq!(tokens.access_token, format!("access-{number}"));
    }
    let endless = json!({ "access_token": "access-3", "token_type": "Bearer", "expires_in": u64::MAX });
    issuer.reply(Issuer::TOKEN, Reply::json(&endless));
    for _ in 0..2 {
        assert_eq!(
            keycloak.client_credentials().await.expect("a token").access_token,
            "access-3"
        );
    }
    assert_eq!(issuer.requests_to(Issuer::TOKEN), 3);
}

#[tokio::test]
async fn an_exchange_names_audiences_and_scope() {
    let issuer = Issuer::start().await;
    issuer.reply(Issuer::TOKEN, answer(1, 300));
    let keycloak = builder(&issuer).client_secret("secret").build().expect("valid");
    let exchange = keycloak
        .exchange_token("subject")
        .audience("billing-api")
        .audience("mail-api");
    exchange.scope("email").await.expect("tokens");
    let sent = issuer.last_request_to(Issuer::TOKEN).expect("a request").form;
    let sent: Vec<(&str, &str)> = sent.iter().map(|(name, value)| (&**name, &**value)).collect();
    const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
    assert_eq!(
        sent,
        [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("subject_token", "subject"),
            ("subject_token_type", ACCESS_TOKEN),
            ("requested_token_type", ACCESS_TOKEN),
            ("audience", "billing-api"),
            ("audience", "mail-api"),
            ("scope", "email"),
        ]
    );
}

#[tokio::test]
async fn grants_of_confidential_clients_need_a_secret_and_ask_nobody_without() {
    let issuer = Issuer::start().await;
    let keycloak = builder(&issuer).build().expect("valid");
    for error in [
        keycloak.client_credentials().await.expect_err("no secret"),
        keycloak.exchange_token("subject").await.expect_err("no secret"),
    ] {
        let AuthError::TokenRefused(refusal) = &error else {
            panic!("{error:?}")
        };
        assert_eq!(refusal.error(), OAuthError::UnauthorizedClient);
        assert!(refusal.to_string().contains("set `client_secret`"), "{refusal}");
        assert_eq!(keycloak.respond(&error).status(), 503);
    }
    assert_eq!(issuer.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn a_configured_token_endpoint_needs_no_discovery() {
    let issuer = Issuer::start().await;
    issuer.reply(Issuer::TOKEN, answer(1, 300));
    let url = format!("{}{}", issuer.url(), Issuer::TOKEN);
    let keycloak = builder(&issuer).token_endpoint(url).build().expect("valid");
    let tokens: Value = serde_json::to_value(keycloak.refresh_token("one").await.expect("tokens")).expect("JSON");
    assert_eq!(tokens["not-before-policy"], 0);
    assert_eq!(issuer.requests(), [Issuer::TOKEN]);
}
