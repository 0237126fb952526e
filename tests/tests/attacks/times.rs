//! Row 15: when a token is valid.

use std::time::Duration;

use keycloak_auth::Clock;
use keycloak_auth_tests::{Token, now};
use serde_json::json;

use crate::setup::Setup;

#[tokio::test]
async fn row_15_rejects_an_exp_that_is_no_time() {
    let setup = Setup::new().await;
    setup.accepts(&setup.issuer.valid_token()).await;
    let attack = setup.issuer.token().without("exp").sign(setup.issuer.key());
    setup.refuses(&attack, &["missing_claim"], "without exp").await;
    let later = now() + 300;
    for text in [
        "null".to_owned(),
        format!("\"{later}\""),
        "\"never\"".to_owned(),
        "\"\"".to_owned(),
        "-1".to_owned(),
        format!("-{later}"),
        "NaN".to_owned(),
        "Infinity".to_owned(),
        "1e400".to_owned(),
        "-1e400".to_owned(),
        "18446744073709551615".to_owned(),
        "18446744073709551616".to_owned(),
        "9223372036854775807".to_owned(),
        "9223372036854775808".to_owned(),
        "1e308".to_owned(),
        "0".to_owned(),
        "true".to_owned(),
        format!("[{later}]"),
        format!("{{\"exp\":{later}}}"),
    ] {
        let attack = setup
            .issuer
            .token()
            .claim("exp", "EXP")
            .edit_payload(|payload| payload.replace("\"EXP\"", &text))
            .sign(setup.issuer.key());
        let codes = ["missing_claim", "invalid_claims", "malformed_token", "token_expired"];
        setup.refuses(&attack, &codes, &format!("exp {text}")).await;
    }
}

#[tokio::test]
async fn row_15_rejects_nbf_and_iat_that_are_no_time() {
    let setup = Setup::new().await;
    setup.accepts(&setup.issuer.valid_token()).await;
    let earlier = now() - 10;
    for name in ["nbf", "iat"] {
        for text in [
            format!("\"{earlier}\""),
            "\"\"".to_owned(),
            "-1".to_owned(),
            "NaN".to_owned(),
            "1e400".to_owned(),
            "18446744073709551616".to_owned(),
            "true".to_owned(),
            format!("[{earlier}]"),
            "{}".to_owned(),
        ] {
            let attack = setup
                .issuer
                .token()
                .claim(name, "TIME")
                .edit_payload(|payload| payload.replace("\"TIME\"", &text))
                .sign(setup.issuer.key());
            setup
                .refuses(
                    &attack,
                    &["invalid_claims", "malformed_token"],
                    &format!("{name} {text}"),
                )
                .await;
        }
        for (what, time) in [("u64::MAX", u64::MAX), ("i64::MAX", i64::MAX as u64)] {
            let attack = setup.issuer.token().claim(name, time).sign(setup.issuer.key());
            setup
                .refuses(
                    &attack,
                    &["token_not_yet_valid", "invalid_claims"],
                    &format!("{name} {what}"),
                )
                .await;
        }
    }
}

#[tokio::test]
async fn row_15_keeps_to_the_leeway_and_no_longer() {
    for leeway in [0, 60, 120] {
        let now = now();
        let clock = Clock::manual(Duration::from_secs(now));
        let setup = Setup::with(|builder| builder.clock(clock).leeway(Duration::from_secs(leeway))).await;
        let token = || -> Token { setup.issuer.token().claim("iat", now - 600).claim("exp", now + 300) };
        let key = setup.issuer.key();
        setup.accepts(&token().sign(key)).await;
        // RFC 7519 section 4.1.4: not on or after `exp`.
        setup.accepts(&token().claim("exp", now - leeway + 1).sign(key)).await;
        for late in [0, 1, 3600] {
            let attack = token().claim("exp", now - leeway - late).sign(key);
            let what = format!("expired {late} s beyond a leeway of {leeway} s");
            setup.refuses(&attack, &["token_expired"], &what).await;
        }
        for name in ["nbf", "iat"] {
            setup.accepts(&token().claim(name, now + leeway).sign(key)).await;
            for early in [1, 3600] {
                let attack = token()
                    .claim("exp", now + 7200)
                    .claim(name, now + leeway + early)
                    .sign(key);
                let what = format!("{name} {early} s beyond a leeway of {leeway} s");
                setup.refuses(&attack, &["token_not_yet_valid"], &what).await;
            }
        }
    }
}

#[tokio::test]
async fn row_15_a_login_beyond_the_leeway_is_not_fresh() {
    for leeway in [0, 60, 120] {
        let now = now();
        let clock = Clock::manual(Duration::from_secs(now));
        let setup = Setup::with(|builder| builder.clock(clock).leeway(Duration::from_secs(leeway))).await;
        let login_at = async |time: u64| {
            let token = setup.issuer.token().claim("iat", now).claim("auth_time", time);
            let token = token.sign(setup.issuer.key());
            setup.service.get_as("/fresh", &token).await
        };
        for good in [now - 300, now, now + leeway] {
            assert_eq!(
                login_at(good).await.text(),
                "let in",
                "leeway {leeway} s, {good} at {now}"
            );
        }
        for bad in [0, now - 301, now + leeway + 1, now + 1_000_000, now * 1000] {
            let answer = login_at(bad).await;
            let code = answer.json()["error"]["code"].clone();
            let expected = (401, json!("insufficient_user_authentication"));
            assert_eq!((answer.status, code), expected, "leeway {leeway} s, {bad} at {now}");
        }
    }
}

#[tokio::test]
async fn row_15_checks_the_time_of_tokens_that_it_knows_already() {
    let start = now();
    let clock = Clock::manual(Duration::from_secs(start));
    let moved = clock.clone();
    let setup = Setup::with(|builder| builder.clock(clock)).await;
    let token = setup
        .issuer
        .token()
        .claim("scope", json!("email"))
        .claim("exp", start + 300)
        .sign(setup.issuer.key());
    for _ in 0..3 {
        setup.accepts(&token).await;
    }
    moved.advance(Duration::from_secs(300 + 60 - 1));
    setup.accepts(&token).await;
    moved.advance(Duration::from_secs(1));
    for _ in 0..3 {
        setup.refuses(&token, &["token_expired"], "once accepted").await;
    }
}
