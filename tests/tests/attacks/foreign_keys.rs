//! Rows 6, 7 and 29: tokens that bring their own key, or name one that is not there.

use std::time::Duration;

use keycloak_auth_tests::{Logs, SigningKey, Token, Trap, base64url, rsa_key};
use serde_json::{Value, json};

use crate::setup::Setup;

#[tokio::test]
async fn row_06_uses_no_key_that_a_token_brings_or_points_to() {
    let setup = Setup::new().await;
    let trap = Trap::set().await;
    setup.accepts(&setup.issuer.valid_token()).await;
    let own = SigningKey::es256("own");
    let attacker = rsa_key(1);
    let url = trap.url("/realms/acme/protocol/openid-connect/certs");
    let certificate = base64_simd::STANDARD.encode_to_string(attacker.public_der());
    let headers = [
        json!({ "jwk": attacker.jwk() }),
        json!({ "jwk": attacker.public_jwk() }),
        json!({ "jwk": null }),
        json!({ "jku": url }),
        json!({ "jku": url, "jwk": attacker.jwk() }),
        json!({ "x5u": url }),
        json!({ "x5c": [certificate] }),
        json!({ "x5c": [certificate], "x5t": base64url([0; 20]) }),
        json!({ "x5c": [] }),
    ];
    for header in headers {
        let with_header = |mut token: Token| {
            for (name, value) in header.as_object().expect("an object") {
                token = token.header(name, value.clone());
            }
            token
        };
        // Under its own name, under the name of the genuine key, under no name, and signed by the genuine key.
        let token = with_header(setup.issuer.token());
        for (what, attack) in [
            ("own name", token.sign(&attacker)),
            (
                "the name of the genuine key",
                token.sign(&attacker.clone().with_kid("rsa-0")),
            ),
            ("another kind of key", token.sign(&own)),
            ("a genuine signature", token.sign(setup.issuer.key())),
        ] {
            let what = format!("{what} {header}");
            setup
                .refuses(&attack, &["malformed_token", "invalid_algorithm"], &what)
                .await;
        }
    }
    setup.accepts(&setup.issuer.valid_token()).await;
    assert_eq!(trap.connections().await, 0);
}

#[tokio::test]
async fn row_06_asks_no_issuer_that_a_token_names() {
    let setup = Setup::new().await;
    let trap = Trap::set().await;
    setup.accepts(&setup.issuer.valid_token()).await;
    let attacker = rsa_key(1);
    for issuer in [
        trap.url("/realms/acme"),
        trap.url("/realms/acme/"),
        trap.url(""),
        setup.issuer.issuer().replace("http://", &trap.url("@")),
    ] {
        let token = setup.issuer.token().claim("iss", issuer.as_str());
        setup
            .refuses(&token.sign(setup.issuer.key()), &["invalid_claims"], &issuer)
            .await;
        setup.refuses(&token.sign(&attacker), &["unknown_kid"], &issuer).await;
        let kid = attacker.clone().with_kid(&trap.url("/key"));
        setup.refuses(&token.sign(&kid), &["unknown_kid"], &issuer).await;
    }
    setup.accepts(&setup.issuer.valid_token()).await;
    assert_eq!(trap.connections().await, 0);
}

#[tokio::test]
async fn row_07_takes_a_kid_for_a_name_and_nothing_else() {
    let setup = Setup::with(|builder| builder.max_token_bytes(256 * 1024)).await;
    setup.accepts(&setup.issuer.valid_token()).await;
    let long = "k".repeat(64 * 1024);
    for kid in [
        "../../../../../dev/null",
        "..\\..\\windows\\win.ini",
        "file:///etc/passwd",
        "' OR '1'='1' --",
        "rsa-0' UNION SELECT 'key",
        "rsa-0\r\nX-Injected: 1",
        "rsa-0\nWARN keycloak_auth: injected",
        "rsa-0\0",
        "\u{1b}[31mred",
        "\u{202e}0-asr",
        "RSA-0",
        " rsa-0",
        "rsa-0 ",
        "rsa-",
        "rsa-00",
        "${jndi:ldap://127.0.0.1/a}",
        "*",
        "",
        &long,
    ] {
        let token = setup.issuer.token().header("kid", kid);
        let what: String = kid.chars().take(40).collect();
        setup
            .refuses(&token.sign(&rsa_key(1)), &["unknown_kid", "invalid_signature"], &what)
            .await;
        // The right key does not help a token that gives it another name.
        setup
            .refuses(&token.sign(setup.issuer.key()), &["unknown_kid"], &what)
            .await;
    }
    for kid in [
        json!(null),
        json!(0),
        json!(["rsa-0"]),
        json!({ "rsa-0": 1 }),
        json!(true),
    ] {
        let attack = setup.issuer.token().header("kid", kid.clone()).sign(setup.issuer.key());
        setup
            .refuses(&attack, &["malformed_token"], &format!("kid {kid}"))
            .await;
    }
    setup.accepts(&setup.issuer.valid_token()).await;
}

#[tokio::test]
async fn row_07_refuses_a_kid_of_64_kib_by_its_size_already() {
    let setup = Setup::new().await;
    setup.accepts(&setup.issuer.valid_token()).await;
    let attack = setup
        .issuer
        .token()
        .header("kid", "k".repeat(64 * 1024))
        .sign(setup.issuer.key());
    setup.refuses(&attack, &["malformed_token"], "64 KiB").await;
}

#[tokio::test]
async fn row_07_cuts_and_escapes_a_kid_in_logs() {
    let logs = Logs::capture();
    let setup = Setup::with(|builder| {
        builder
            .max_token_bytes(256 * 1024)
            .key_set_cooldown(Duration::from_secs(1))
    })
    .await;
    for kid in [
        "evil\r\nINJECTED",
        "evil\nINJECTED",
        "evil\0INJECTED",
        "evil\u{1b}[31mINJECTED",
        "evil\u{85}\u{2028}INJECTED",
        &format!("evil{}", "k".repeat(64 * 1024)),
    ] {
        let attack = setup.issuer.token().header("kid", kid).sign(&rsa_key(1));
        setup.refuses(&attack, &["unknown_kid"], "a kid for the log").await;
    }
    let text = logs.text();
    assert!(text.contains("evil"), "the kid is logged at all");
    for line in text
        .lines()
        .filter(|line| line.contains("evil") || line.contains("INJECTED"))
    {
        assert!(line.contains("evil"), "an injected line: {line:?}");
        assert!(line.len() < 1024, "not cut: {} bytes", line.len());
        assert!(
            !line
                .chars()
                .any(|character| character.is_control() || character == '\u{2028}'),
            "not escaped: {line:?}"
        );
    }
}

#[tokio::test]
async fn row_29_refuses_refresh_tokens_without_a_fetch_of_keys() {
    let setup = Setup::new().await;
    let refresh_token = refresh_token(&setup.issuer.issuer());
    setup
        .refuses(&refresh_token, &["invalid_algorithm"], "before any key was fetched")
        .await;
    assert_eq!(setup.issuer.requests(), Vec::<String>::new());
    setup.accepts(&setup.issuer.valid_token()).await;
    let before = setup.issuer.requests();
    assert_eq!(setup.issuer.key_fetches(), 1);
    setup
        .refuses(&refresh_token, &["invalid_algorithm"], "with keys at hand")
        .await;
    assert_eq!(setup.issuer.requests(), before);
}

/// As Keycloak makes them: HS512 with a `kid` that no key set has.
fn refresh_token(issuer: &str) -> String {
    let payload: Value = json!({
        "exp": keycloak_auth_tests::now() + 1800,
        "iat": keycloak_auth_tests::now(),
        "jti": "40d3a6d9-5d2e-4b0e-8c1c-1f0c3c3b9f11",
        "iss": issuer,
        "aud": issuer,
        "sub": "24b70fee-6687-575b-9043-0e37c958153d",
        "typ": "Refresh",
        "azp": "orders-web",
        "sid": "e7f1dc1c-9d5c-4e0a-a9a1-6a4b1b2d3c4e",
        "scope": "profile email",
    });
    Token::of(&json!({ "typ": "JWT" }), &payload).hmac("HS512", "d9f6d3c2-9a52-4c41-bd14-6f1f6a0d6c7b", &[7; 64])
}
