//! What `explain` and a diagnosis tell developers of a token, and an answer tells nobody.

use keycloak_auth::policy;
use keycloak_auth_tests::{Issuer, Logs};

use crate::setup::{builder, service};

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
