//! What `explain` and a diagnosis tell developers of a token, and an answer tells nobody.

use std::time::Duration;

use keycloak_auth::{Algorithm, Introspection, policy};
use keycloak_auth_tests::{Issuer, Logs, SigningKey, rsa_key};
use serde_json::json;
use tracing::Level;

use crate::{
    introspection::answer_for,
    setup::{builder, clock, lasting, service},
};

#[tokio::test]
async fn a_claim_that_is_not_accepted_is_shown_with_what_is_expected() {
    let issuer = Issuer::start().await;
    let expected = issuer.issuer();
    let keycloak = builder(&issuer).audience("stock-api").authorized_party("orders-web");
    let keycloak = keycloak.build().expect("valid");
    let service = service(&keycloak).await;
    for (token, said) in [
        (
            issuer.token().claim("iss", "https://canary"),
            format!("claim `iss` is not acceptable: it is `https://canary`, expected is `{expected}`"),
        ),
        (
            issuer.token().claim("aud", "canary"),
            "claim `aud` is not acceptable: it is `canary`, expected is `orders-api`, `stock-api`".to_owned(),
        ),
        (
            issuer.token().without("aud"),
            "claim `aud` is missing: expected is `orders-api`, `stock-api`".to_owned(),
        ),
        (
            issuer.token().claim("azp", "canary"),
            "claim `azp` is not acceptable: it is `canary`, expected is `orders-web`".to_owned(),
        ),
    ] {
        let token = token.sign(issuer.key());
        let report = keycloak.explain(&policy!(authenticated), &token).await;
        assert_eq!(report.status(), 401);
        assert!(report.to_string().ends_with(&said), "expected `{said}` in `{report}`");
        assert!(
            report
                .error()
                .is_some_and(|error| !error.to_string().contains("canary"))
        );
        let diagnosis = keycloak.diagnose().token(&token).await;
        let finding = &diagnosis.check("token").expect("was looked at").finding;
        assert!(finding.ends_with(&said), "expected `{said}` in `{finding}`");
        let answer = service.get_as("/me", &token).await;
        assert_eq!(answer.status, 401);
        let shown = format!("{:?} {}", answer.challenges(), answer.text());
        assert!(
            !shown.contains("canary") && !shown.contains("stock-api") && !shown.contains(&expected),
            "{shown}"
        );
    }
}

#[tokio::test]
async fn an_algorithm_that_is_not_accepted_is_shown_with_what_it_means() {
    let logs = Logs::capture();
    let issuer = Issuer::start().await;
    let keycloak = builder(&issuer).algorithms([Algorithm::RS256, Algorithm::RS512]);
    let keycloak = keycloak.build().expect("valid");
    let service = service(&keycloak).await;
    let refresh_token = issuer.token().claim("typ", "Refresh").without("sub");
    let refresh_token = |algorithm| refresh_token.hmac(algorithm, "d9f6d3c2-9a52-4c41-bd14-6f1f6a0d6c7b", &[7; 64]);
    let meant_for_refresh = "by which Keycloak signs refresh tokens: send the access token";
    for (token, said) in [
        (refresh_token("HS256"), format!("it is `HS256`, {meant_for_refresh}")),
        (refresh_token("HS384"), format!("it is `HS384`, {meant_for_refresh}")),
        (refresh_token("HS512"), format!("it is `HS512`, {meant_for_refresh}")),
        (
            issuer.token().sign(&SigningKey::es256("ec-0")),
            "it is `ES256`, expected is `RS256`, `RS512`".to_owned(),
        ),
        (
            issuer.token().header("alg", "RS512").sign(issuer.key()),
            "it is `RS512`, and its key is for another".to_owned(),
        ),
        (
            issuer.token().header("alg", "a\r\nb").sign(issuer.key()),
            r"it is `a\r\nb`, expected is `RS256`, `RS512`".to_owned(),
        ),
    ] {
        let said = format!("algorithm not accepted: {said}");
        let report = keycloak.explain(&policy!(authenticated), &token).await;
        assert_eq!((report.status(), report.code()), (401, Some("invalid_algorithm")));
        assert!(report.to_string().ends_with(&said), "expected `{said}` in `{report}`");
        let diagnosis = keycloak.diagnose().token(&token).await;
        let finding = &diagnosis.check("token").expect("was looked at").finding;
        assert!(finding.ends_with(&said), "expected `{said}` in `{finding}`");
        let line = format!("access token refused: {said}");
        let before = logs.text().matches(&line).count();
        let answer = service.get_as("/me", &token).await;
        assert_eq!(logs.text().matches(&line).count(), before + 1, "{}", logs.text());
        let message = "the access token's algorithm is not accepted";
        assert_eq!(
            (answer.status, &answer.json()["error"]["message"]),
            (401, &json!(message))
        );
        let shown = format!("{:?} {}", answer.challenges(), answer.text());
        assert!(
            !shown.contains("HS") && !shown.contains("RS512") && !shown.contains("refresh"),
            "{shown}"
        );
    }
}

#[tokio::test]
async fn the_log_says_what_is_expected_where_a_claim_is_missing() {
    let logs = Logs::capture();
    let issuer = Issuer::start().await;
    let keycloak = builder(&issuer).audience("stock-api").authorized_party("orders-web");
    let keycloak = keycloak.build().expect("valid");
    for (claim, expected) in [("aud", "`orders-api`, `stock-api`"), ("azp", "`orders-web`")] {
        let token = issuer.token().without(claim).sign(issuer.key());
        keycloak.authenticate(&token).await.expect_err("a claim is missing");
        let line = format!("claim `{claim}` is missing, expected is {expected}");
        assert!(logs.text().contains(&line), "{}", logs.text());
    }
}

#[tokio::test]
async fn a_service_that_accepts_nobody_says_so_until_it_accepts_somebody() {
    let logs = Logs::capture();
    let issuer = Issuer::start().await;
    let clock = clock();
    let keycloak = builder(&issuer).clock(clock.clone()).build().expect("valid");
    let service = service(&keycloak).await;
    let warnings = || {
        let mut records = logs.records();
        records.retain(|record| record.level == Level::WARN);
        records
    };
    let token = || lasting(&issuer, Duration::from_secs(60 * 60));
    let for_others = token().claim("aud", "account").sign(issuer.key());
    let for_nobody = token().without("aud").sign(issuer.key());
    // A diagnosis is nobody's request.
    keycloak.diagnose().token(&for_others).await;
    keycloak.diagnose().token(&token().sign(issuer.key())).await;
    // Nobody's fault but the callers'.
    let forged = issuer
        .token()
        .claim("aud", "account")
        .sign(&rsa_key(1).with_kid(issuer.key().kid()));
    let expired = issuer.token().claim("exp", 1).sign(issuer.key());
    for token in [&*forged, &*expired, "garbage"] {
        assert_eq!(service.get_as("/me", token).await.status, 401);
    }
    assert!(warnings().is_empty(), "{:?}", warnings());
    for _ in 0..3 {
        assert_eq!(service.get_as("/me", &for_others).await.status, 401);
    }
    let said = "its claim `aud` is not acceptable, it is `account`, expected is `orders-api`; check the settings";
    assert_eq!(warnings().len(), 1);
    assert_eq!(warnings()[0].name, "keycloak.nobody_accepted");
    assert!(logs.text().contains(said), "{}", logs.text());
    clock.advance(Duration::from_secs(60));
    assert_eq!(service.get_as("/me", &for_nobody).await.status, 401);
    assert_eq!(warnings().len(), 2);
    assert!(
        logs.text()
            .contains("its claim `aud` is missing, expected is `orders-api`"),
        "{}",
        logs.text()
    );
    assert_eq!(service.get_as("/me", &token().sign(issuer.key())).await.status, 200);
    clock.advance(Duration::from_secs(60));
    assert_eq!(service.get_as("/me", &for_others).await.status, 401);
    assert_eq!(warnings().len(), 2, "the settings are right");
}

#[tokio::test]
async fn a_denial_says_that_the_token_is_a_lightweight_one() {
    let logs = Logs::capture();
    let issuer = Issuer::start().await;
    let hint = "would suffice: realm role `admin`; the token is a lightweight one, which leaves out roles, groups and more: \
                `.introspection(Introspection::WhenLightweight)` has Keycloak asked for them";
    let light = issuer.token().without("realm_access").claim("jti", "onltro:66384c88");
    let full = issuer.token().without("realm_access").claim("jti", "onrtro:66384c88");
    let never = builder(&issuer).build().expect("valid");
    let asking = builder(&issuer)
        .client_secret("secret")
        .introspection(Introspection::WhenLightweight);
    let asking = asking.build().expect("valid");
    for (keycloak, token, expected) in [(&never, &light, true), (&never, &full, false), (&asking, &light, false)] {
        let token = token.clone().sign(issuer.key());
        answer_for(&issuer, &token, |_| {});
        let report = keycloak.explain(&policy!(realm_roles = "admin"), &token).await;
        assert_eq!(
            (report.status(), report.to_string().ends_with(hint)),
            (403, expected),
            "{report}"
        );
        let before = logs.text().matches(hint).count();
        let answer = service(keycloak).await.get_as("/admin", &token).await;
        assert_eq!(answer.status, 403);
        assert!(!answer.text().contains("lightweight"));
        let said = logs.text().matches(hint).count() > before;
        assert_eq!(said, expected, "{}", logs.text());
    }
}

#[tokio::test]
async fn an_explanation_names_the_caller_as_people_do_and_the_log_does_not() {
    let logs = Logs::capture();
    let issuer = Issuer::start().await;
    let keycloak = builder(&issuer).build().expect("valid");
    let subject = "24b70fee-6687-575b-9043-0e37c958153d";
    let named = issuer.token();
    for (token, username, subject, shown) in [
        (
            named.clone(),
            Some("alice"),
            Some(subject),
            format!("200 for `alice` (`{subject}`) allowed: "),
        ),
        (
            named.clone().without("preferred_username"),
            None,
            Some(subject),
            format!("200 for `{subject}` allowed: "),
        ),
        (
            named.clone().without("sub"),
            Some("alice"),
            None,
            "200 for `alice` allowed: ".to_owned(),
        ),
    ] {
        let report = keycloak
            .explain(&policy!(authenticated), &token.sign(issuer.key()))
            .await;
        assert!(
            report.to_string().starts_with(&shown),
            "expected `{shown}` in `{report}`"
        );
        assert_eq!((report.username(), report.subject()), (username, subject));
        let data = serde_json::to_value(&report).expect("data");
        assert_eq!(
            (&data["username"], &data["subject"]),
            (&json!(username), &json!(subject))
        );
    }
    let denied = keycloak
        .explain(&policy!(realm_roles = "auditor"), &named.sign(issuer.key()))
        .await;
    let shown = format!("403 missing_roles for `alice` (`{subject}`) denied: ");
    assert!(
        denied.to_string().starts_with(&shown),
        "expected `{shown}` in `{denied}`"
    );
    let answer = service(&keycloak)
        .await
        .get_as("/admin", &named.sign(issuer.key()))
        .await;
    assert_eq!(answer.status, 200);
    assert!(
        !logs.text().contains("alice") && !logs.text().contains(subject),
        "{}",
        logs.text()
    );
}

#[tokio::test]
async fn a_whole_header_is_taken_for_its_token() {
    let issuer = Issuer::start().await;
    let keycloak = builder(&issuer).build().expect("valid");
    let token = issuer.valid_token();
    for pasted in [token.clone(), format!("Bearer {token}"), format!(" bearer  {token}\n")] {
        let report = keycloak.explain(&policy!(authenticated), &pasted).await;
        assert!(report.is_allowed(), "{report}");
    }
}

#[tokio::test]
async fn a_token_without_a_scheme_is_named_in_the_log() {
    let logs = Logs::capture();
    let issuer = Issuer::start().await;
    let service = service(&builder(&issuer).build().expect("valid")).await;
    let token = issuer.valid_token();
    let answer = service.get("/me").header("authorization", &token).send().await;
    assert_eq!(answer.json()["error"]["code"], "missing_header");
    let text = logs.text();
    assert!(text.contains("write `Bearer` before the token"), "{text}");
    assert!(!text.contains(&token), "{text}");
}
