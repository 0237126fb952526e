//! `Retry-After` of Keycloak, or of a proxy in front of it (RFC 9110 section 10.2.3): Keycloak is left alone for so long, within bounds.

use std::time::Duration;

use axum::{Router, routing::post};
use keycloak_auth::{Clock, Keycloak, KeycloakBuilder};
use keycloak_auth_tests::{Answer, Issuer, Reply, Service, claims_of, rsa_key};
use serde_json::json;

use super::{Provider, eventually};
use crate::setup::{builder, clock, lasting, routes};

const MINUTE: u64 = 60;

/// What is said, and for how many seconds Keycloak is left alone.
const SAID: [(u16, &str, u64); 4] = [
    (429, "20", 20),
    (503, "45", 45),
    (503, "86400", MINUTE),
    (429, "Fri, 31 Dec 9999 23:59:59 GMT", MINUTE),
];

fn busy(status: u16, text: &str) -> Reply {
    Reply::status(status).header("retry-after", text)
}

fn behind(provider: &Provider, clock: &Clock) -> KeycloakBuilder {
    builder(&provider.issuer)
        .server_url(provider.gateway.url())
        .issuer(provider.issuer.issuer())
        .client_secret("secret")
        .clock(clock.clone())
}

async fn service(keycloak: &Keycloak) -> Service {
    let refreshing = keycloak.clone();
    let refresh = async move || match refreshing.refresh_token("refresh-1").await {
        Ok(tokens) => Ok(tokens.access_token),
        Err(error) => Err(refreshing.respond(&error)),
    };
    let router = routes().secure_with(keycloak.clone());
    Service::start(router.merge(Router::new().route("/refresh", post(refresh)))).await
}

#[track_caller]
fn assert_come_again(answer: &Answer, seconds: u64) {
    assert_eq!(
        (answer.status, answer.retry_after()),
        (503, Some(seconds)),
        "{answer:?}"
    );
}

/// Asks, is refused for as long as was said, and asked again at its end.
async fn run(
    provider: &Provider,
    clock: &Clock,
    path: &str,
    seconds: u64,
    ask: impl AsyncFn() -> Answer,
    mend: impl Fn(),
) {
    assert_come_again(&ask().await, seconds);
    let asked = provider.gateway.requests_to(path);
    assert_come_again(&ask().await, seconds);
    clock.advance(Duration::from_secs(seconds - 1));
    mend();
    assert_come_again(&ask().await, 1);
    assert_eq!(provider.gateway.requests_to(path), asked);
    clock.advance(Duration::from_secs(1));
    assert_eq!(ask().await.status, 200);
}

#[tokio::test]
async fn row_35_the_keys_are_fetched_when_keycloak_wants_to_be_asked_again() {
    for path in [Issuer::DISCOVERY, Issuer::JWKS] {
        for (status, text, seconds) in SAID {
            let (provider, clock) = (Provider::start().await, clock());
            let service = service(&behind(&provider, &clock).build().expect("valid")).await;
            let token = lasting(&provider.issuer, Duration::from_secs(3600)).sign(provider.issuer.key());
            provider.issuer.reply(path, busy(status, text));
            let ask = async || service.get_as("/me", &token).await;
            run(&provider, &clock, path, seconds, ask, || provider.mend(path)).await;
        }
    }
}

#[tokio::test]
async fn row_36_unknown_keys_do_not_shorten_the_pause_and_the_last_good_keys_serve() {
    let (provider, clock) = (Provider::start().await, clock());
    let issuer = &provider.issuer;
    let keycloak = behind(&provider, &clock).build().expect("valid");
    let service = service(&keycloak).await;
    let token = lasting(issuer, Duration::from_secs(3600)).sign(issuer.key());
    assert_eq!(service.get_as("/me", &token).await.status, 200);
    issuer.reply(Issuer::JWKS, busy(429, "86400"));
    clock.advance(Duration::from_secs(300));
    assert_eq!(service.get_as("/me", &token).await.status, 200);
    eventually("the reload fails", || keycloak.last_provider_error().is_some()).await;
    let fetches = issuer.key_fetches();
    let unknown = lasting(issuer, Duration::from_secs(3600)).sign(&rsa_key(1));
    clock.advance(Duration::from_secs(59));
    for token in [&unknown, &token, &unknown] {
        let expected = if token == &unknown { 401 } else { 200 };
        assert_eq!(service.get_as("/me", token).await.status, expected);
    }
    assert_eq!(issuer.key_fetches(), fetches);
    // One that is shorter than ours changes nothing.
    issuer.reply(Issuer::JWKS, busy(429, "1"));
    clock.advance(Duration::from_secs(1));
    assert_eq!(service.get_as("/me", &unknown).await.status, 401);
    assert_eq!(issuer.key_fetches(), fetches + 1);
    clock.advance(Duration::from_secs(29));
    assert_eq!(service.get_as("/me", &unknown).await.status, 401);
    assert_eq!(issuer.key_fetches(), fetches + 1);
    clock.advance(Duration::from_secs(1));
    assert_eq!(service.get_as("/me", &unknown).await.status, 401);
    assert_eq!(issuer.key_fetches(), fetches + 2);
}

#[tokio::test]
async fn row_38_tokens_are_introspected_when_keycloak_wants_to_be_asked_again() {
    for (status, text, seconds) in SAID {
        let (provider, clock) = (Provider::start().await, clock());
        let keycloak = behind(&provider, &clock)
            .use_introspection(true)
            .build()
            .expect("valid");
        let service = service(&keycloak).await;
        let token = lasting(&provider.issuer, Duration::from_secs(3600)).sign(provider.issuer.key());
        let mut claims = claims_of(&token);
        claims["active"] = json!(true);
        provider.issuer.reply(Issuer::INTROSPECTION, busy(status, text));
        let ask = async || service.get_as("/me", &token).await;
        let mend = || {
            assert!(!keycloak.is_ready(), "nobody may ask yet");
            provider.issuer.reply(Issuer::INTROSPECTION, Reply::json(&claims));
        };
        run(&provider, &clock, Issuer::INTROSPECTION, seconds, ask, mend).await;
        assert!(keycloak.is_ready());
        // A clock that was set back does not make it longer.
        provider.issuer.reply(Issuer::INTROSPECTION, busy(status, text));
        clock.advance(Duration::from_secs(31));
        assert_come_again(&service.get_as("/me", &token).await, seconds);
        clock.set(clock.now() - Duration::from_secs(70));
        provider.issuer.reply(Issuer::INTROSPECTION, Reply::json(&claims));
        assert!(keycloak.authenticate(&token).await.is_ok());
    }
}

#[tokio::test]
async fn row_35_tokens_are_obtained_when_keycloak_wants_to_be_asked_again() {
    let tokens = json!({ "access_token": "new", "token_type": "Bearer", "expires_in": 300 });
    for (status, text, seconds) in SAID {
        let (provider, clock) = (Provider::start().await, clock());
        let service = service(&behind(&provider, &clock).build().expect("valid")).await;
        provider.issuer.reply(Issuer::TOKEN, busy(status, text));
        let ask = async || service.post("/refresh").send().await;
        let mend = || provider.issuer.reply(Issuer::TOKEN, Reply::json(&tokens));
        run(&provider, &clock, Issuer::TOKEN, seconds, ask, mend).await;
    }
}
