//! Rows 8, 16 and 17: what is no compact JWS, and JSON that is none or is two things at once.

use keycloak_auth_tests::{base64url, rsa_key};
use serde_json::json;

use crate::setup::{Setup, assert_a1};

#[tokio::test]
async fn row_08_rejects_everything_but_a_compact_jws_before_any_key_is_fetched() {
    let setup = Setup::new().await;
    let valid = setup.issuer.valid_token();
    let parts: Vec<&str> = valid.split('.').collect();
    let [header, payload, signature] = parts[..] else {
        panic!("a token has three parts");
    };
    let encrypted = |header: serde_json::Value| {
        let header = base64url(header.to_string());
        format!(
            "{header}.{}.{}.{}.{}",
            base64url([1; 32]),
            base64url([2; 12]),
            base64url([3; 64]),
            base64url([4; 16])
        )
    };
    for (what, attack) in [
        (
            "JWE",
            encrypted(json!({ "alg": "RSA-OAEP", "enc": "A256GCM", "kid": "rsa-0" })),
        ),
        ("JWE, dir", encrypted(json!({ "alg": "dir", "enc": "A128CBC-HS256" }))),
        (
            "JWE, an algorithm for signatures",
            encrypted(json!({ "alg": "RS256", "enc": "A256GCM", "kid": "rsa-0" })),
        ),
        (
            "PBES2 with a huge count",
            encrypted(json!({ "alg": "PBES2-HS512+A256KW", "enc": "A256GCM", "p2c": 2_000_000_000, "p2s": "c2FsdA" })),
        ),
        (
            "JWE, compressed",
            encrypted(json!({ "alg": "RSA-OAEP", "enc": "A256GCM", "zip": "DEF" })),
        ),
        ("one part", header.to_owned()),
        ("two parts", format!("{header}.{payload}")),
        ("four parts", format!("{valid}.{signature}")),
        ("four parts, the last empty", format!("{valid}.")),
        ("four parts, the first empty", format!(".{valid}")),
        ("six parts", format!("{valid}.{valid}")),
        ("a thousand parts", "a.".repeat(1000)),
        ("dots", "..".to_owned()),
        ("four dots", "....".to_owned()),
        ("no header", format!(".{payload}.{signature}")),
        ("no payload", format!("{header}..{signature}")),
        ("a word", "token".to_owned()),
        ("a UUID", "3fa85f64-5717-4562-b3fc-2c963f66afa6".to_owned()),
        ("parts in another order", format!("{payload}.{header}.{signature}")),
        (
            "JSON serialisation, flattened",
            json!({ "protected": header, "payload": payload, "signature": signature }).to_string(),
        ),
        (
            "JSON serialisation, general",
            json!({ "payload": payload, "signatures": [{ "protected": header, "signature": signature }] }).to_string(),
        ),
        (
            "JSON serialisation, laid out",
            format!(r#"{{ "protected": "{header}", "payload": "{payload}", "signature": "{signature}" }}"#),
        ),
    ] {
        setup
            .refuses(&attack, &["malformed_token", "invalid_algorithm"], what)
            .await;
    }
    assert_eq!(setup.issuer.requests(), Vec::<String>::new());
    setup.accepts(&valid).await;
}

#[tokio::test]
async fn row_08_rejects_compression_and_encryption_parameters_of_a_signed_token() {
    let setup = Setup::new().await;
    for (name, value) in [
        ("zip", json!("DEF")),
        ("zip", json!(null)),
        ("enc", json!("A256GCM")),
        ("p2c", json!(2_000_000_000)),
        ("epk", json!({ "kty": "EC" })),
    ] {
        let attack = setup.issuer.token().header(name, value).sign(setup.issuer.key());
        setup.refuses(&attack, &["malformed_token"], name).await;
    }
    assert_eq!(setup.issuer.requests(), Vec::<String>::new());
    setup.accepts(&setup.issuer.valid_token()).await;
}

#[tokio::test]
async fn row_16_rejects_duplicate_members_at_any_depth() {
    let setup = Setup::new().await;
    setup.accepts(&setup.issuer.valid_token()).await;
    let with = |member: &str| {
        let member = format!("{{{member},");
        setup
            .issuer
            .token()
            .claim("address", json!({ "country": "DE", "lines": [{ "street": "x" }] }))
            .edit_payload(|text| text.replacen('{', &member, 1))
            .sign(setup.issuer.key())
    };
    setup.accepts(&with(r#""once":{"a":1,"b":{"a":1}}"#)).await;
    for member in [
        r#""iss":"http://127.0.0.1/realms/acme""#,
        r#""aud":"orders-api""#,
        r#""exp":9999999999"#,
        r#""typ":"Bearer""#,
        r#""sub":"24b70fee-6687-575b-9043-0e37c958153d""#,
        r#""realm_access":{"roles":["admin"]}"#,
        r#""resource_access":{}"#,
        r#""groups":["/ops"]"#,
        r#""scope":"email""#,
        r#""jti":"x""#,
        r#""email":"alice@acme.test""#,
        // The same name, written otherwise.
        r#""realm\u005faccess":{"roles":["admin"]}"#,
        r#""\u0065xp":9999999999"#,
        // Inside of claims that are read, and of those that are not.
        r#""twice":1,"twice":1"#,
        r#""x":{"a":1,"a":1}"#,
        r#""x":{"a":1,"\u0061":1}"#,
        r#""x":[[{"a":1,"a":2}]]"#,
        r#""x":{"y":{"z":{"a":null,"a":null}}}"#,
        r#""cnf":{"jkt":"a","jkt":"b"}"#,
        r#""act":{"sub":"a","sub":"b"}"#,
    ] {
        let attack = with(member);
        setup.refuses(&attack, &["malformed_token"], member).await;
    }
    for (from, to) in [
        (r#""roles":["default"#, r#""roles":[],"roles":["default"#),
        (r#""account":{"#, r#""account":{"roles":[]},"account":{"#),
        (r#""account":{"#, r#""account":{"roles":["admin"],"#),
    ] {
        let attack = setup
            .issuer
            .token()
            .edit_payload(|text| text.replacen(from, to, 1))
            .sign(setup.issuer.key());
        setup.refuses(&attack, &["malformed_token"], to).await;
    }
}

#[tokio::test]
async fn row_16_rejects_duplicate_header_parameters() {
    let setup = Setup::new().await;
    setup.accepts(&setup.issuer.valid_token()).await;
    for member in [
        r#""alg":"none""#,
        r#""alg":"RS256""#,
        r#""\u0061lg":"RS256""#,
        r#""kid":"rsa-0""#,
        r#""typ":"JWT""#,
        r#""x":1,"x":1"#,
        r#""x":{"a":1,"a":1}"#,
    ] {
        for at_the_end in [false, true] {
            let attack = setup
                .issuer
                .token()
                .edit_header(setup.issuer.key(), |text| {
                    if at_the_end {
                        format!("{},{member}}}", text.trim_end_matches('}'))
                    } else {
                        text.replacen('{', &format!("{{{member},"), 1)
                    }
                })
                .sign(setup.issuer.key());
            setup.refuses(&attack, &["malformed_token"], member).await;
        }
    }
}

#[tokio::test]
async fn row_17_rejects_payloads_that_are_no_json_object() {
    let setup = Setup::new().await;
    setup.accepts(&setup.issuer.valid_token()).await;
    let good = String::from_utf8(keycloak_auth_tests::base64url_decode(
        setup.issuer.valid_token().split('.').nth(1).expect("a payload"),
    ))
    .expect("UTF-8");
    let claim = |json: &[u8]| [br#"{"x":"#, json, b",", &good.as_bytes()[1..]].concat();
    let nested = |depth: usize| [b"[".repeat(depth), b"]".repeat(depth)].concat();
    setup
        .accepts(&setup.issuer.token().raw_payload(claim(b"1")).sign(setup.issuer.key()))
        .await;
    for (what, payload) in [
        ("nothing", Vec::new()),
        ("null", b"null".to_vec()),
        ("an array", format!("[{good}]").into_bytes()),
        ("a string", br#""alice""#.to_vec()),
        ("a number", b"7".to_vec()),
        ("an empty object after another", [b"{}", good.as_bytes()].concat()),
        ("an object after it", [good.as_bytes(), b"{}"].concat()),
        ("NUL after it", [good.as_bytes(), b"\0"].concat()),
        ("cut short", good.as_bytes()[..good.len() - 1].to_vec()),
        ("BOM", [b"\xef\xbb\xbf", good.as_bytes()].concat()),
        ("UTF-16", good.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        (
            "a trailing comma",
            format!("{},}}", &good[..good.len() - 1]).into_bytes(),
        ),
        ("a comment", [b"/* */", good.as_bytes()].concat()),
        ("single quotes", good.replace('"', "'").into_bytes()),
        ("a bad byte in a claim", claim(b"\"\xff\"")),
        ("an overlong slash", claim(b"\"\xc0\xaf\"")),
        ("a surrogate in UTF-8", claim(b"\"\xed\xa0\x80\"")),
        ("half a surrogate pair", claim(br#""\ud800""#)),
        (
            "a bad byte in a name",
            [b"{\"\xff\":1,", &good.as_bytes()[1..]].concat(),
        ),
        ("a raw line break in a string", claim(b"\"a\nb\"")),
        ("NaN", claim(b"NaN")),
        ("Infinity", claim(b"-Infinity")),
        ("a leading zero", claim(b"01")),
        ("a thousand arrays", claim(&nested(1000))),
        ("5,000 arrays", claim(&nested(5000))),
        (
            "500 objects",
            claim(&[br#"{"a":"#.repeat(500), b"1".to_vec(), b"}".repeat(500)].concat()),
        ),
    ] {
        let attack = setup.issuer.token().raw_payload(payload).sign(setup.issuer.key());
        setup.refuses(&attack, &["malformed_token"], what).await;
    }
    setup.accepts(&setup.issuer.valid_token()).await;
}

#[tokio::test]
async fn row_17_rejects_headers_that_are_no_json_object() {
    let setup = Setup::new().await;
    setup.accepts(&setup.issuer.valid_token()).await;
    let good = r#"{"alg":"RS256","kid":"rsa-0","typ":"JWT"}"#;
    setup
        .accepts(&setup.issuer.token().raw_header(good).sign(setup.issuer.key()))
        .await;
    let claim = |json: &[u8]| [br#"{"x":"#, json, b",", &good.as_bytes()[1..]].concat();
    for (what, header) in [
        ("null", b"null".to_vec()),
        ("an array", format!("[{good}]").into_bytes()),
        ("a string", br#""RS256""#.to_vec()),
        ("BOM", [b"\xef\xbb\xbf", good.as_bytes()].concat()),
        ("two objects", [good.as_bytes(), good.as_bytes()].concat()),
        ("a bad byte", claim(b"\"\xff\"")),
        ("half a surrogate pair", claim(br#""\udc00""#)),
        ("deep", claim(&[b"[".repeat(4000), b"]".repeat(4000)].concat())),
        ("no JSON", b"alg=RS256".to_vec()),
    ] {
        let attack = setup.issuer.token().raw_header(header).sign(setup.issuer.key());
        setup.refuses(&attack, &["malformed_token"], what).await;
    }
}

#[tokio::test]
async fn row_17_rejects_tokens_above_the_size_limit() {
    for (setup, limit) in [
        (Setup::new().await, 16 * 1024),
        (Setup::with(|builder| builder.max_token_bytes(2000)).await, 2000),
    ] {
        let of_size = |bytes: usize| {
            // Bytes of payload become 4/3 as many characters.
            let mut padding = (bytes - setup.issuer.valid_token().len()) * 3 / 4 - 16;
            loop {
                let token = setup
                    .issuer
                    .token()
                    .claim("padding", "x".repeat(padding))
                    .sign(setup.issuer.key());
                if token.len() >= bytes {
                    return token;
                }
                padding += 1;
            }
        };
        let within = of_size(limit - 3);
        assert!((limit - 3..=limit).contains(&within.len()), "{}", within.len());
        setup.accepts(&within).await;
        for bytes in [limit + 1, limit + 1000, 3 * limit] {
            let what = format!("{bytes} bytes");
            setup.refuses(&of_size(bytes), &["malformed_token"], &what).await;
        }
    }
}

#[tokio::test]
async fn row_17_answers_garbage_of_every_length() {
    let setup = Setup::new().await;
    setup.accepts(&setup.issuer.valid_token()).await;
    let signed = setup.issuer.token().sign(&rsa_key(0));
    for end in 1..signed.len() {
        let answer = setup.service.get_as("/authenticated", &signed[..end]).await;
        assert_a1(
            &answer,
            &["malformed_token", "invalid_signature", "invalid_algorithm"],
            &format!("the first {end} bytes"),
        );
    }
}
