//! An endpoint that answers one request and not the next: told once a minute, and not for each request.

use std::time::Duration;

use keycloak_auth::Keycloak;
use keycloak_auth_tests::{Issuer, Logs, Reply, claims_of};
use serde_json::json;

use super::{assert_said, news, warnings};
use crate::setup::{builder, clock};

const MINUTE: Duration = Duration::from_secs(60);

/// How often the endpoint fails, and answers again, in the same minute.
const TIMES: usize = 10;

#[tokio::test]
async fn introspection_that_comes_and_goes_is_told_once_a_minute() {
    let logs = Logs::capture();
    let issuer = Issuer::start().await;
    let clock = clock();
    let keycloak = builder(&issuer)
        .client_secret("secret")
        .use_introspection(true)
        .clock(clock.clone())
        .build()
        .expect("valid");
    let mut number = 0;
    let mut ask = async |reply: Reply| {
        issuer.reply(Issuer::INTROSPECTION, reply);
        number += 1;
        keycloak
            .authenticate(&format!("opaque-{number}"))
            .await
            .expect_err("not active");
    };
    let inactive = || Reply::json(&json!({ "active": false }));
    for _ in 0..TIMES {
        ask(Reply::status(500)).await;
        ask(inactive()).await;
    }
    let (failed, again) = ("cannot introspect tokens: ", "tokens can be introspected again");
    assert_said(&warnings(&logs), &[failed]);
    assert_said(&news(&logs), &[again]);
    // What goes on beyond the minute is told of.
    ask(Reply::status(500)).await;
    clock.advance(MINUTE);
    for _ in 0..TIMES {
        ask(Reply::status(500)).await;
    }
    ask(inactive()).await;
    assert_said(&warnings(&logs), &[failed, failed]);
    assert_said(&news(&logs), &[again, again]);
    assert_eq!(
        issuer.requests_to(Issuer::INTROSPECTION),
        3 * TIMES + 2,
        "each was asked about"
    );
}

#[tokio::test]
async fn a_token_endpoint_that_comes_and_goes_is_told_once_a_minute() {
    let logs = Logs::capture();
    let issuer = Issuer::start().await;
    let clock = clock();
    let keycloak = builder(&issuer).clock(clock.clone()).build().expect("valid");
    let tokens = Reply::json(&json!({ "access_token": "a", "token_type": "Bearer" }));
    let refused = Reply::status(401).body(r#"{"error":"invalid_client"}"#);
    let refresh = async |reply: &Reply| {
        issuer.reply(Issuer::TOKEN, reply.clone());
        keycloak.refresh_token("refresh-1").await.is_ok()
    };
    for minute in 1..3 {
        for _ in 0..TIMES {
            assert!(!refresh(&Reply::status(500)).await);
            assert!(!refresh(&refused).await);
            assert!(refresh(&tokens).await);
        }
        let (failed, refused) = (
            "the token endpoint does not answer: ",
            "Keycloak refuses the grant `refresh_token`",
        );
        assert_said(&warnings(&logs), &[failed, refused].repeat(minute));
        assert_said(&news(&logs), &["the token endpoint answers again"].repeat(minute));
        clock.advance(MINUTE);
    }
    assert_eq!(issuer.requests_to(Issuer::TOKEN), 2 * 3 * TIMES, "each was asked for");
}

/// Such as by something in front of Keycloak that keeps answers.
#[tokio::test]
async fn answers_about_another_token_are_told_once_a_minute() {
    let logs = Logs::capture();
    let issuer = Issuer::start().await;
    let clock = clock();
    let keycloak: Keycloak = builder(&issuer)
        .client_secret("secret")
        .use_introspection(true)
        .clock(clock.clone())
        .build()
        .expect("valid");
    let mut of_another = claims_of(&issuer.valid_token());
    of_another["active"] = json!(true);
    of_another["jti"] = json!("of-another");
    issuer.reply(Issuer::INTROSPECTION, Reply::json(&of_another));
    for minute in 1..3 {
        for number in 0..TIMES {
            let token = issuer
                .token()
                .claim("jti", format!("{minute}-{number}"))
                .sign(issuer.key());
            keycloak.authenticate(&token).await.expect_err("about another token");
        }
        let told = "the introspection endpoint answers about another token: `jti` differs";
        assert_said(&warnings(&logs), &[told].repeat(minute));
        clock.advance(MINUTE);
    }
    assert_eq!(issuer.requests_to(Issuer::INTROSPECTION), 2 * TIMES);
}
