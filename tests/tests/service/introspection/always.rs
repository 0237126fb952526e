//! Asking Keycloak about each token instead of verifying it.

use std::time::Duration;

use keycloak_auth::{Clock, Introspection};
use keycloak_auth_tests::{Issuer, Logs, Reply, Service, base64url, now};
use serde_json::{Value, json};

use super::{answer_for, assert_said, code, in_mode, introspecting, service};
use crate::setup::{builder, clock, routes};

#[tokio::test]
async fn a_client_without_secret_cannot_introspect() {
    let issuer = Issuer::start().await;
    let error = builder(&issuer).use_introspection(true).build().expect_err("no secret");
    assert_eq!(
        error
            .problems()
            .iter()
            .map(|problem| problem.setting)
            .collect::<Vec<_>>(),
        ["client_secret"]
    );
}

#[tokio::test]
async fn an_active_token_is_let_in_with_the_claims_of_the_answer() {
    let issuer = Issuer::start().await;
    let service = service(&issuer, Clock::system()).await;
    let token = issuer.token().without("realm_access").sign(issuer.key());
    answer_for(&issuer, &token, |claims| {
        claims["realm_access"] = json!({ "roles": ["admin"] })
    });
    assert_eq!(
        service.get_as("/admin", &token).await.text(),
        "admin",
        "a lightweight token has its roles in the answer only"
    );
    assert_eq!(service.get_as("/me", &token).await.text(), "alice");
    assert_eq!(issuer.requests_to(Issuer::INTROSPECTION), 1, "the answer is kept");
    assert_eq!(issuer.key_fetches(), 0);
    assert_eq!(service.get("/me").send().await.status, 401);
}

#[tokio::test]
async fn an_opaque_token_may_be_introspected() {
    let issuer = Issuer::start().await;
    let service = service(&issuer, Clock::system()).await;
    answer_for(&issuer, &issuer.valid_token(), |_| {});
    assert_eq!(service.get_as("/me", "opaque").await.text(), "alice");
}

#[tokio::test]
async fn row_14_an_answer_is_checked_like_a_token() {
    for (what, edit, expected) in [
        (
            "not active",
            (|claims: &mut Value| claims["active"] = json!(false)) as fn(&mut Value),
            "token_inactive",
        ),
        (
            "another issuer",
            |claims| claims["iss"] = json!("https://evil.example.com/realms/acme"),
            "invalid_claims",
        ),
        (
            "no issuer",
            |claims| _ = claims.as_object_mut().unwrap().remove("iss"),
            "missing_claim",
        ),
        (
            "another audience",
            |claims| claims["aud"] = json!("billing-api"),
            "invalid_claims",
        ),
        (
            "no audience",
            |claims| _ = claims.as_object_mut().unwrap().remove("aud"),
            "missing_claim",
        ),
        (
            "a refresh token",
            |claims| claims["typ"] = json!("Refresh"),
            "invalid_token_type",
        ),
        (
            "no type",
            |claims| _ = claims.as_object_mut().unwrap().remove("typ"),
            "missing_claim",
        ),
        (
            "a bound token",
            |claims| claims["cnf"] = json!({ "jkt": "x" }),
            "sender_constrained_token",
        ),
        ("expired", |claims| claims["exp"] = json!(now() - 3600), "token_expired"),
        (
            "no expiry",
            |claims| _ = claims.as_object_mut().unwrap().remove("exp"),
            "missing_claim",
        ),
    ] {
        let logs = Logs::capture();
        let issuer = Issuer::start().await;
        let service = service(&issuer, Clock::system()).await;
        let token = issuer.valid_token();
        answer_for(&issuer, &token, edit);
        let answer = service.get_as("/me", &token).await;
        assert_said(&logs, expected, what);
        assert_eq!(issuer.requests(), [Issuer::DISCOVERY, Issuer::INTROSPECTION], "{what}");
        assert_eq!(code(&answer), (401, json!(expected)), "{what}");
        assert!(
            answer.challenge().starts_with(r#"Bearer error="invalid_token""#),
            "{what}"
        );
    }
}

#[tokio::test]
async fn row_38_without_an_answer_nobody_is_let_in() {
    for (what, reply) in [
        ("500", Reply::status(500)),
        ("401", Reply::status(401).body(r#"{"error":"invalid_client"}"#)),
        (
            "a redirect",
            Reply::status(302).header("location", "http://127.0.0.1:1/"),
        ),
        ("no JSON", Reply::status(200).body("<html>")),
        ("no `active`", Reply::json(&json!({}))),
        ("`active` is no boolean", Reply::json(&json!({ "active": "true" }))),
        (
            "slow",
            Reply::json(&json!({ "active": true })).after(Duration::from_secs(3600)),
        ),
    ] {
        let issuer = Issuer::start().await;
        issuer.reply(Issuer::INTROSPECTION, reply);
        let keycloak = introspecting(&issuer)
            .request_timeout(Duration::from_millis(500))
            .build()
            .expect("valid");
        let service = Service::start(routes().secure_with(keycloak)).await;
        let answer = service.get_as("/me", &issuer.valid_token()).await;
        assert_eq!(code(&answer), (503, json!("introspection_service_error")), "{what}");
        assert!(
            answer.challenges().is_empty() && answer.retry_after().is_some(),
            "{what}"
        );
    }
}

#[tokio::test]
async fn a_token_that_keycloak_cannot_read_is_not_active_and_no_failure_of_the_endpoint() {
    let issuer = Issuer::start().await;
    let keycloak = introspecting(&issuer).build().expect("valid");
    let service = Service::start(routes().secure_with(keycloak.clone())).await;
    let refusal = |status: u16, error: &str| {
        let description = "Failed to introspect token.";
        Reply::status(status).body(json!({ "error": error, "error_description": description }).to_string())
    };
    let logs = Logs::capture();
    issuer.reply(Issuer::INTROSPECTION, refusal(400, "invalid_request"));
    assert_eq!(
        code(&service.get_as("/me", "e30.e30").await),
        (401, json!("token_inactive"))
    );
    assert!(keycloak.is_ready());
    let events = logs.records();
    assert!(!events.iter().any(|event| event.name == "keycloak.introspection_failed"));
    // What is about the client or nothing at all is about all tokens.
    for reply in [
        refusal(400, "invalid_client"),
        refusal(400, "unauthorized_client"),
        Reply::status(400),
        refusal(401, "invalid_request"),
        refusal(500, "invalid_request"),
    ] {
        issuer.reply(Issuer::INTROSPECTION, reply);
        assert_eq!(
            code(&service.get_as("/me", "bnVsbA.e30").await),
            (503, json!("introspection_service_error"))
        );
        assert!(!keycloak.is_ready());
    }
}

#[tokio::test]
async fn what_no_keycloak_signed_is_refused_without_asking() {
    let issuer = Issuer::start().await;
    let service = service(&issuer, Clock::system()).await;
    let token = issuer.valid_token();
    let (_, rest) = token.split_once('.').expect("three parts");
    let header = base64url(br#"{"alg":"HS512","typ":"JWT","kid":"x"}"#);
    let answer = service.get_as("/me", &format!("{header}.{rest}")).await;
    assert_eq!(code(&answer), (401, json!("invalid_algorithm")));
    assert_eq!(
        code(&service.get_as("/me", "a.b.c").await),
        (401, json!("malformed_token"))
    );
    assert_eq!(issuer.requests(), Vec::<String>::new());
}

/// Keycloak ignores dots at the end, padding and the last bits of the signature: all of these are active.
#[tokio::test]
async fn a_token_has_one_spelling() {
    for mode in [
        Introspection::WhenOpaque,
        Introspection::WhenNeeded,
        Introspection::Always,
    ] {
        let issuer = Issuer::start().await;
        let keycloak = in_mode(&issuer, mode).build().expect("valid");
        let service = Service::start(routes().secure_with(keycloak)).await;
        let token = issuer.valid_token();
        answer_for(&issuer, &token, |_| {});
        // The last character of 256 bytes is one of `AQgw`: four of its six bits are for nothing.
        let mut other_bits = token.clone();
        let last = other_bits.pop().expect("a signature");
        other_bits.push(char::from(last as u8 + 1));
        for spelling in [
            format!("{token}."),
            format!("{token}.."),
            format!("{token}..."),
            format!("{token}{}", ".".repeat(40)),
            format!("{token}=."),
            format!("{token}=="),
            format!("{token}="),
            format!("{token}~"),
            other_bits,
        ] {
            let answer = service.get_as("/me", &spelling).await;
            assert_eq!(code(&answer), (401, json!("malformed_token")), "{mode:?} {spelling}");
        }
        assert_eq!(issuer.requests_to(Issuer::INTROSPECTION), 0, "{mode:?}");
        assert_eq!(service.get_as("/me", &token).await.text(), "alice");
    }
}

#[tokio::test]
async fn row_17_a_token_that_is_too_long_is_not_asked_about() {
    let issuer = Issuer::start().await;
    let keycloak = introspecting(&issuer).max_token_bytes(100).build().expect("valid");
    let service = Service::start(routes().secure_with(keycloak)).await;
    answer_for(&issuer, &issuer.valid_token(), |_| {});
    assert_eq!(
        code(&service.get_as("/me", &"x".repeat(101)).await),
        (401, json!("malformed_token"))
    );
    assert_eq!(issuer.requests_to(Issuer::INTROSPECTION), 0);
    assert_eq!(service.get_as("/me", &"x".repeat(100)).await.text(), "alice");
}

#[tokio::test]
async fn opaque_tokens_may_have_any_form_but_that_of_a_jws() {
    let issuer = Issuer::start().await;
    let service = service(&issuer, Clock::system()).await;
    answer_for(&issuer, &issuer.valid_token(), |_| {});
    for token in ["opaque", "ya29.a0-b_c~d+e/f", "b3BhcXVl==", "eyX0b7", "1|opaque"] {
        assert_eq!(service.get_as("/me", token).await.text(), "alice", "{token}");
    }
    assert_eq!(issuer.requests_to(Issuer::INTROSPECTION), 5);
}

#[tokio::test]
async fn a_failure_of_the_endpoint_makes_unready_for_10_s() {
    let issuer = Issuer::start().await;
    let clock = clock();
    let keycloak = introspecting(&issuer).clock(clock.clone()).build().expect("valid");
    assert!(keycloak.is_ready());
    issuer.reply(Issuer::INTROSPECTION, Reply::status(500));
    keycloak.authenticate("opaque").await.expect_err("no answer");
    clock.advance(Duration::from_millis(9_999));
    assert!(!keycloak.is_ready());
    // An orchestrator that sends no requests to what is not ready would never find out otherwise.
    clock.advance(Duration::from_millis(1));
    assert!(keycloak.is_ready());
    keycloak.authenticate("opaque").await.expect_err("no answer");
    assert!(!keycloak.is_ready());
    issuer.reply_as_usual(Issuer::INTROSPECTION);
    keycloak.authenticate("opaque").await.expect_err("not active");
    assert!(keycloak.is_ready());
}
