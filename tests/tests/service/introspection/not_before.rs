//! A not-before that the service is told.

use std::time::Duration;

use keycloak_auth::{FutureNotBefore, Introspection, Keycloak};
use keycloak_auth_tests::{Issuer, Service};
use serde_json::json;

use super::{answer_for, code, full_claims, in_mode, lightweight};
use crate::setup::{builder, clock, routes};

async fn service(keycloak: &Keycloak) -> Service {
    Service::start(routes().secure_with(keycloak.clone())).await
}

#[tokio::test]
async fn row_22_a_token_from_before_the_not_before_is_refused() {
    let issuer = Issuer::start().await;
    let clock = clock();
    let keycloak = builder(&issuer).clock(clock.clone()).build().expect("valid");
    let service = service(&keycloak).await;
    let now = clock.now().as_secs();
    let issued = |at: u64| issuer.token().claim("iat", at).sign(issuer.key());
    let (old, same, new) = (issued(now - 60), issued(now - 30), issued(now));
    let unknown = issuer.token().without("iat").sign(issuer.key());
    for token in [&old, &same, &new, &unknown] {
        assert_eq!(service.get_as("/me", token).await.status, 200);
    }
    // Remembered tokens as well, and for all clones.
    keycloak.set_not_before(now - 30).expect("in the past");
    for token in [&old, &unknown] {
        let answer = service.get_as("/me", token).await;
        assert_eq!(code(&answer), (401, json!("token_inactive")));
        assert!(answer.challenge().starts_with(r#"Bearer error="invalid_token""#));
    }
    for token in [&same, &new] {
        assert_eq!(service.get_as("/me", token).await.status, 200);
    }
    assert_eq!(issuer.key_fetches(), 1);
}

#[tokio::test]
async fn row_22_the_latest_not_before_counts() {
    let issuer = Issuer::start().await;
    let clock = clock();
    let keycloak = builder(&issuer).clock(clock.clone()).build().expect("valid");
    let service = service(&keycloak).await;
    let now = clock.now().as_secs();
    let token = issuer.token().claim("iat", now - 60).sign(issuer.key());
    for earlier in [now - 30, now - 300, 0] {
        keycloak.set_not_before(earlier).expect("in the past");
        assert_eq!(service.get_as("/me", &token).await.status, 401);
    }
    assert_eq!(keycloak.not_before(), now - 30);
    assert_eq!(service.get_as("/me", &issuer.valid_token()).await.status, 200);
}

#[tokio::test]
async fn row_22_holds_for_what_keycloak_tells_of_tokens_too() {
    for mode in [Introspection::WhenLightweight, Introspection::Always] {
        let issuer = Issuer::start().await;
        let clock = clock();
        let keycloak = in_mode(&issuer, mode).clock(clock.clone()).build().expect("valid");
        let service = service(&keycloak).await;
        let now = clock.now().as_secs();
        let token = lightweight(&issuer).claim("iat", now - 60).sign(issuer.key());
        answer_for(&issuer, &token, full_claims);
        assert_eq!(service.get_as("/me", &token).await.status, 200);
        keycloak.set_not_before(now).expect("now");
        assert_eq!(
            code(&service.get_as("/me", &token).await),
            (401, json!("token_inactive")),
            "{mode:?}"
        );
    }
}

#[tokio::test]
async fn row_22_a_wrong_number_locks_nobody_out() {
    let issuer = Issuer::start().await;
    let clock = clock();
    let keycloak = builder(&issuer).leeway(Duration::from_secs(60)).clock(clock.clone());
    let keycloak = keycloak.build().expect("valid");
    let service = service(&keycloak).await;
    let now = clock.now().as_secs();
    let token = issuer.valid_token();
    for wrong in [now + 61, now * 1000, u64::MAX] {
        let error = keycloak.set_not_before(wrong).expect_err("in the future");
        let FutureNotBefore { seconds, latest, .. } = error;
        assert_eq!((seconds, latest), (wrong, now + 60));
        assert!(error.to_string().contains("not in milliseconds"), "{error}");
        assert_eq!(keycloak.not_before(), 0);
        assert_eq!(service.get_as("/me", &token).await.status, 200);
    }
    // Keycloak's clock may be a little ahead.
    keycloak.set_not_before(now + 60).expect("within the leeway");
    assert_eq!(
        code(&service.get_as("/me", &token).await),
        (401, json!("token_inactive"))
    );
}
