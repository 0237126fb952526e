//! Rows 12 and 13: tokens for somebody else, or from somebody else.

use keycloak_auth_tests::rsa_key;
use serde_json::json;

use crate::setup::Setup;

#[tokio::test]
async fn row_12_rejects_tokens_for_another_audience() {
    let setup = Setup::new().await;
    for audience in [
        json!("orders-api"),
        json!(["orders-api"]),
        json!(["billing-api", "orders-api"]),
        json!(["orders-api", "account", "billing-api"]),
    ] {
        let token = setup.issuer.token().claim("aud", audience);
        setup.accepts(&token.sign(setup.issuer.key())).await;
    }
    for audience in [
        json!(null),
        json!(""),
        json!([]),
        json!([""]),
        json!(7),
        json!(true),
        json!({ "orders-api": true }),
        json!([["orders-api"]]),
        json!([null]),
        json!(["orders-api", 7]),
        json!("billing-api"),
        json!(["billing-api", "account"]),
        json!("orders"),
        json!("orders-api2"),
        json!("orders-ap"),
        json!("ORDERS-API"),
        json!(" orders-api"),
        json!("orders-api "),
        json!("orders-api\0"),
        json!("orders-api account"),
        json!("orders-api,account"),
        json!("orders\u{2010}api"),
        json!(setup.issuer.issuer()),
        json!("*"),
    ] {
        let attack = setup
            .issuer
            .token()
            .claim("aud", audience.clone())
            .sign(setup.issuer.key());
        setup
            .refuses(
                &attack,
                &["invalid_claims", "missing_claim"],
                &format!("aud {audience}"),
            )
            .await;
    }
    let attack = setup.issuer.token().without("aud").sign(setup.issuer.key());
    setup.refuses(&attack, &["missing_claim"], "without aud").await;
    // The client that asked for the token is not the service that it is for.
    let attack = setup
        .issuer
        .token()
        .without("aud")
        .claim("azp", "orders-api")
        .claim("client_id", "orders-api")
        .sign(setup.issuer.key());
    setup.refuses(&attack, &["missing_claim"], "azp in place of aud").await;
}

#[tokio::test]
async fn row_12_accepts_each_configured_audience_and_no_other() {
    let setup = Setup::with(|builder| builder.audience("orders-internal")).await;
    for audience in ["orders-api", "orders-internal"] {
        let token = setup.issuer.token().claim("aud", audience);
        setup.accepts(&token.sign(setup.issuer.key())).await;
    }
    let attack = setup.issuer.token().claim("aud", "orders").sign(setup.issuer.key());
    setup.refuses(&attack, &["invalid_claims"], "another one").await;
}

#[tokio::test]
async fn row_12_skips_the_audience_only_where_told_so_by_name() {
    let issuer = keycloak_auth_tests::Issuer::start().await;
    let builder = || {
        keycloak_auth::Keycloak::builder()
            .server_url(issuer.url())
            .realm("acme")
            .client_id("orders-api")
    };
    assert!(builder().build().is_err(), "no audience is no configuration");
    let keycloak = builder()
        .without_audience_check()
        .build()
        .expect("a valid configuration");
    let service = keycloak_auth_tests::Service::start(crate::setup::secure_router().secure_with(keycloak)).await;
    for token in [
        issuer.token().without("aud"),
        issuer.token().claim("aud", "billing-api"),
    ] {
        let answer = service.get_as("/authenticated", &token.sign(issuer.key())).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

#[tokio::test]
async fn row_12_rejects_parties_that_are_not_on_the_list() {
    let setup = Setup::with(|builder| builder.authorized_party("orders-web").authorized_party("orders-worker")).await;
    for party in ["orders-web", "orders-worker"] {
        let token = setup.issuer.token().claim("azp", party);
        setup.accepts(&token.sign(setup.issuer.key())).await;
    }
    for party in [
        json!(null),
        json!(""),
        json!("orders-mobile"),
        json!("orders"),
        json!("orders-web "),
        json!("ORDERS-WEB"),
        json!("orders-web orders-worker"),
        json!(["orders-web"]),
        json!({ "orders-web": 1 }),
        json!(7),
    ] {
        let attack = setup
            .issuer
            .token()
            .claim("azp", party.clone())
            .sign(setup.issuer.key());
        setup
            .refuses(&attack, &["invalid_claims", "missing_claim"], &format!("azp {party}"))
            .await;
    }
    let attack = setup.issuer.token().without("azp").sign(setup.issuer.key());
    setup.refuses(&attack, &["missing_claim"], "without azp").await;
}

#[tokio::test]
async fn row_13_rejects_tokens_of_another_realm() {
    let setup = Setup::new().await;
    setup.accepts(&setup.issuer.valid_token()).await;
    let other = setup.issuer.issuer_of("other");
    // The same key under the same name in both realms.
    setup.issuer.publish_in("other", vec![setup.issuer.key().jwk()]);
    let token = setup.issuer.token().claim("iss", other.as_str());
    setup
        .refuses(&token.sign(setup.issuer.key()), &["invalid_claims"], "the same key")
        .await;
    // Another key under the same name, by the other realm's issuer and by ours.
    let same_name = rsa_key(1).with_kid(setup.issuer.key().kid());
    setup.issuer.publish_in("other", vec![same_name.jwk()]);
    setup
        .refuses(&token.sign(&same_name), &["invalid_signature"], "the same kid")
        .await;
    setup
        .refuses(
            &setup.issuer.token().sign(&same_name),
            &["invalid_signature"],
            "our issuer, their key",
        )
        .await;
    // A key that only the other realm has.
    let theirs = rsa_key(2);
    setup.issuer.publish_in("other", vec![theirs.jwk()]);
    for attack in [token.sign(&theirs), setup.issuer.token().sign(&theirs)] {
        setup.refuses(&attack, &["unknown_kid"], "their own key").await;
    }
    let asked: Vec<String> = setup.issuer.requests();
    assert!(asked.iter().all(|path| path.starts_with("/realms/acme/")), "{asked:?}");
}

#[tokio::test]
async fn row_13_compares_the_issuer_exactly() {
    let setup = Setup::new().await;
    setup.accepts(&setup.issuer.valid_token()).await;
    let issuer = setup.issuer.issuer();
    for other in [
        json!(format!("{issuer}/")),
        json!(format!("{issuer}x")),
        json!(format!("{issuer}?x")),
        json!(format!("{issuer}#x")),
        json!(format!(" {issuer}")),
        json!(format!("{issuer}\n")),
        json!(issuer.trim_end_matches("/realms/acme")),
        json!(issuer.trim_end_matches('e')),
        json!(issuer.replace("acme", "ACME")),
        json!(issuer.replace("http:", "HTTP:")),
        json!(issuer.replace("http:", "https:")),
        json!(issuer.replace("http://", "")),
        json!(issuer.replace("http://", "http://user@")),
        json!(issuer.replace("127.0.0.1", "localhost")),
        json!(issuer.replace("127.0.0.1", "127.1")),
        json!(issuer.replace("/realms", "/auth/realms")),
        json!(issuer.replace("/realms", "//realms")),
        json!(issuer.replace("/realms/", "/realms/./")),
        json!(issuer.replace("acme", "%61cme")),
        json!(issuer.replace("/realms", "1/realms")),
        json!([issuer]),
        json!([issuer, "https://id.example.com/realms/acme"]),
        json!({ "iss": issuer }),
        json!(null),
        json!(""),
        json!(7),
    ] {
        let attack = setup
            .issuer
            .token()
            .claim("iss", other.clone())
            .sign(setup.issuer.key());
        setup
            .refuses(&attack, &["invalid_claims", "missing_claim"], &format!("iss {other}"))
            .await;
    }
    let attack = setup.issuer.token().without("iss").sign(setup.issuer.key());
    setup.refuses(&attack, &["missing_claim"], "without iss").await;
}

#[tokio::test]
async fn row_13_accepts_only_the_configured_issuer_where_one_is_configured() {
    const PUBLIC: &str = "https://id.example.com/realms/acme";
    let setup = Setup::with(|builder| builder.issuer(PUBLIC)).await;
    // The keys come from where the key set is: the discovery document would name the local address.
    let discovery = json!({
        "issuer": PUBLIC,
        "jwks_uri": format!("{}{}", setup.issuer.url(), keycloak_auth_tests::Issuer::JWKS),
    });
    setup.issuer.reply(
        keycloak_auth_tests::Issuer::DISCOVERY,
        keycloak_auth_tests::Reply::json(&discovery),
    );
    let token = setup.issuer.token();
    setup
        .accepts(&token.clone().claim("iss", PUBLIC).sign(setup.issuer.key()))
        .await;
    setup
        .refuses(
            &token.sign(setup.issuer.key()),
            &["invalid_claims"],
            "the server address",
        )
        .await;
}
