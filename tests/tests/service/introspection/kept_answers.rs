//! How long answers are remembered, and by whom.

use std::{sync::Arc, time::Duration};

use keycloak_auth::Clock;
use keycloak_auth_tests::{Issuer, Reply, Service, claims_of, now};
use serde_json::json;
use tokio::task::JoinSet;

use super::{answer_for, code, service};
use crate::setup::clock;

async fn statuses_at_once(service: &Arc<Service>, token: &str, count: usize) -> Vec<u16> {
    let mut requests = JoinSet::new();
    for _ in 0..count {
        let (service, token) = (Arc::clone(service), token.to_owned());
        requests.spawn(async move { service.get_as("/me", &token).await.status });
    }
    requests.join_all().await
}

#[tokio::test]
async fn one_token_is_asked_about_once_and_no_failure_is_kept() {
    let issuer = Issuer::start().await;
    let service = Arc::new(service(&issuer, Clock::system()).await);
    let token = issuer.valid_token();
    issuer.reply(Issuer::INTROSPECTION, Reply::status(500));
    assert_eq!(service.get_as("/me", &token).await.status, 503);
    let mut claims = claims_of(&token);
    claims["active"] = json!(true);
    issuer.reply(
        Issuer::INTROSPECTION,
        Reply::json(&claims).after(Duration::from_millis(200)),
    );
    assert_eq!(statuses_at_once(&service, &token, 50).await, [200; 50]);
    assert_eq!(issuer.requests_to(Issuer::INTROSPECTION), 2);
}

#[tokio::test]
async fn a_kept_answer_does_not_outlive_the_token() {
    let issuer = Issuer::start().await;
    let clock = clock();
    let service = service(&issuer, clock.clone()).await;
    let token = issuer.valid_token();
    answer_for(&issuer, &token, |_| {});
    assert_eq!(service.get_as("/me", &token).await.status, 200);
    clock.advance(Duration::from_secs(361));
    assert_eq!(
        code(&service.get_as("/me", &token).await),
        (401, json!("token_expired"))
    );
}

#[tokio::test]
async fn row_38_a_good_answer_is_kept_for_30_s() {
    let issuer = Issuer::start().await;
    let clock = clock();
    let service = service(&issuer, clock.clone()).await;
    let token = issuer.valid_token();
    answer_for(&issuer, &token, |_| {});
    assert_eq!(service.get_as("/me", &token).await.status, 200);
    issuer.reply(Issuer::INTROSPECTION, Reply::json(&json!({ "active": false })));
    clock.advance(Duration::from_millis(29_999));
    assert_eq!(service.get_as("/me", &token).await.status, 200);
    assert_eq!(issuer.requests_to(Issuer::INTROSPECTION), 1);
    clock.advance(Duration::from_millis(1));
    assert_eq!(
        code(&service.get_as("/me", &token).await),
        (401, json!("token_inactive"))
    );
    assert_eq!(issuer.requests_to(Issuer::INTROSPECTION), 2);
}

#[tokio::test]
async fn row_38_a_good_answer_is_kept_no_longer_than_the_token_lives() {
    let issuer = Issuer::start().await;
    let clock = clock();
    let service = service(&issuer, clock.clone()).await;
    let token = issuer.token().claim("exp", now() + 10).sign(issuer.key());
    answer_for(&issuer, &token, |_| {});
    assert_eq!(service.get_as("/me", &token).await.status, 200);
    clock.advance(Duration::from_secs(9));
    assert_eq!(service.get_as("/me", &token).await.status, 200);
    assert_eq!(issuer.requests_to(Issuer::INTROSPECTION), 1);
    // Within the leeway Keycloak is asked each time.
    for asked in [2, 3] {
        clock.advance(Duration::from_secs(2));
        assert_eq!(service.get_as("/me", &token).await.status, 200);
        assert_eq!(issuer.requests_to(Issuer::INTROSPECTION), asked);
    }
}

#[tokio::test]
async fn a_bad_answer_is_kept_for_a_second() {
    let issuer = Issuer::start().await;
    let clock = clock();
    let service = service(&issuer, clock.clone()).await;
    let token = issuer.valid_token();
    for _ in 0..3 {
        assert_eq!(
            code(&service.get_as("/me", &token).await),
            (401, json!("token_inactive"))
        );
    }
    answer_for(&issuer, &token, |_| {});
    clock.advance(Duration::from_millis(999));
    assert_eq!(service.get_as("/me", &token).await.status, 401);
    assert_eq!(issuer.requests_to(Issuer::INTROSPECTION), 1);
    clock.advance(Duration::from_millis(1));
    assert_eq!(service.get_as("/me", &token).await.status, 200);
}

#[tokio::test]
async fn an_answer_from_before_the_clock_was_set_back_is_none() {
    let issuer = Issuer::start().await;
    let clock = clock();
    let service = service(&issuer, clock.clone()).await;
    let token = issuer.valid_token();
    answer_for(&issuer, &token, |_| {});
    assert_eq!(service.get_as("/me", &token).await.status, 200);
    clock.set(clock.now() - Duration::from_secs(30));
    assert_eq!(service.get_as("/me", &token).await.status, 200);
    assert_eq!(issuer.requests_to(Issuer::INTROSPECTION), 2);
}

#[tokio::test]
async fn an_answer_is_for_one_token_alone() {
    let issuer = Issuer::start().await;
    let service = service(&issuer, Clock::system()).await;
    let token = issuer.valid_token();
    answer_for(&issuer, &token, |_| {});
    assert_eq!(service.get_as("/me", &token).await.status, 200);
    issuer.reply_as_usual(Issuer::INTROSPECTION);
    let other = issuer.valid_token();
    assert_eq!(service.get_as("/me", &other).await.status, 401);
    assert_eq!(service.get_as("/me", &format!("{token}x")).await.status, 401);
    assert_eq!(service.get_as("/me", &token).await.status, 200);
}

#[tokio::test]
async fn who_waits_for_a_question_that_fails_asks_no_other() {
    let issuer = Issuer::start().await;
    let service = Arc::new(service(&issuer, Clock::system()).await);
    issuer.reply(
        Issuer::INTROSPECTION,
        Reply::status(500).after(Duration::from_millis(500)),
    );
    let token = issuer.valid_token();
    assert_eq!(statuses_at_once(&service, &token, 20).await, [503; 20]);
    assert_eq!(issuer.requests_to(Issuer::INTROSPECTION), 1);
}
