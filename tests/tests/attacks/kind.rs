//! Rows 10 and 11: tokens of another kind than access tokens, and tokens bound to a key.

use keycloak_auth_tests::base64url;
use serde_json::json;

use crate::setup::{Setup, assert_a0};

#[tokio::test]
async fn row_10_rejects_every_typ_claim_but_bearer() {
    let setup = Setup::new().await;
    setup.accepts(&setup.issuer.valid_token()).await;
    for kind in [
        json!("ID"),
        json!("Refresh"),
        json!("Offline"),
        json!("Logout"),
        json!("RegistrationAccessToken"),
        json!("ServiceAccount"),
        json!("bearer"),
        json!("BEARER"),
        json!("Bearer "),
        json!("Bearer\0"),
        json!("access_token"),
        json!("JWT"),
        json!(""),
    ] {
        let attack = setup.issuer.token().claim("typ", kind.clone()).sign(setup.issuer.key());
        setup
            .refuses(&attack, &["invalid_token_type"], &format!("typ {kind}"))
            .await;
    }
    for kind in [
        json!(null),
        json!(1),
        json!(true),
        json!(["Bearer"]),
        json!({ "Bearer": 1 }),
    ] {
        let attack = setup.issuer.token().claim("typ", kind.clone()).sign(setup.issuer.key());
        setup
            .refuses(&attack, &["missing_claim", "invalid_claims"], &format!("typ {kind}"))
            .await;
    }
    let attack = setup.issuer.token().without("typ").sign(setup.issuer.key());
    setup.refuses(&attack, &["missing_claim"], "without typ").await;
}

#[tokio::test]
async fn row_10_rejects_header_types_of_other_tokens() {
    let setup = Setup::new().await;
    for typ in [
        "JWT",
        "jwt",
        "at+jwt",
        "AT+JWT",
        "At+Jwt",
        "application/at+jwt",
        "APPLICATION/AT+JWT",
    ] {
        setup
            .accepts(&setup.issuer.token().header("typ", typ).sign(setup.issuer.key()))
            .await;
    }
    setup
        .accepts(&setup.issuer.token().without_header("typ").sign(setup.issuer.key()))
        .await;
    for typ in [
        "dpop+jwt",
        "logout+jwt",
        "secevent+jwt",
        "application/logout+jwt",
        "id_token+jwt",
        "token-introspection+jwt",
        "oauth-authz-req+jwt",
        "JWE",
        "JOSE",
        "JWS",
        "at",
        "at+jwt ",
        "at+jwt;v=1",
        "application/jwt",
        "text/at+jwt",
        "",
    ] {
        let attack = setup.issuer.token().header("typ", typ).sign(setup.issuer.key());
        setup
            .refuses(&attack, &["invalid_token_type"], &format!("typ {typ:?}"))
            .await;
    }
    for typ in [json!(null), json!(1), json!(["JWT"]), json!({})] {
        let attack = setup.issuer.token().header("typ", typ.clone()).sign(setup.issuer.key());
        setup
            .refuses(&attack, &["malformed_token"], &format!("typ {typ}"))
            .await;
    }
}

#[tokio::test]
async fn row_11_rejects_bound_tokens_sent_as_bearer() {
    let setup = Setup::new().await;
    setup.accepts(&setup.issuer.valid_token()).await;
    let thumbprint = base64url([7; 32]);
    let attack = setup
        .issuer
        .token()
        .claim("typ", "DPoP")
        .claim("cnf", json!({ "jkt": thumbprint, "kc-jkt-type": "DPoP" }))
        .sign(setup.issuer.key());
    setup
        .refuses(&attack, &["sender_constrained_token"], "as Keycloak makes it")
        .await;
    let attack = setup.issuer.token().claim("typ", "DPoP").sign(setup.issuer.key());
    setup
        .refuses(&attack, &["sender_constrained_token"], "typ DPoP without cnf")
        .await;
    for confirmation in [
        json!({ "jkt": thumbprint }),
        json!({ "x5t#S256": thumbprint }),
        json!({ "jwk": { "kty": "EC" } }),
        json!({ "kid": "k" }),
        json!({ "unheard-of": 1 }),
        json!({}),
        json!([]),
        json!(""),
        json!("x"),
        json!(0),
        json!(false),
        json!(null),
    ] {
        let attack = setup
            .issuer
            .token()
            .claim("cnf", confirmation.clone())
            .sign(setup.issuer.key());
        setup
            .refuses(
                &attack,
                &["sender_constrained_token", "invalid_claims"],
                &format!("cnf {confirmation}"),
            )
            .await;
    }
}

#[tokio::test]
async fn row_11_takes_the_dpop_scheme_for_another_scheme() {
    let setup = Setup::new().await;
    setup.accepts(&setup.issuer.valid_token()).await;
    let answer = setup
        .service
        .get("/authenticated")
        .authorization(format!("DPoP {}", setup.issuer.valid_token()))
        .send()
        .await;
    assert_a0(&answer, "DPoP");
}
