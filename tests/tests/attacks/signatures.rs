//! Rows 1 to 5 and 9: how a token is signed, and by what.

use std::time::Duration;

use keycloak_auth::{Algorithm, Clock, jose::KeySet};
use keycloak_auth_tests::{SigningKey, base64url, rsa_key};
use serde_json::{Value, json};

use crate::setup::Setup;

#[tokio::test]
async fn row_01_rejects_alg_none_in_every_spelling() {
    let setup = Setup::new().await;
    let valid = setup.issuer.valid_token();
    setup.accepts(&valid).await;
    let genuine_signature = valid.rsplit('.').next().expect("a token has parts");
    let token = setup.issuer.token();
    for algorithm in [
        "none",
        "None",
        "NONE",
        "nOnE",
        "nonE",
        " none",
        "none ",
        "\tnone",
        "no ne",
        "none\0",
        "\u{feff}none",
        "ｎone",
        "",
    ] {
        let header = json!({ "alg": algorithm, "typ": "JWT", "kid": "rsa-0" });
        for header in [header.clone(), without(&header, "kid"), without(&header, "typ")] {
            let token = token.clone().raw_header(header.to_string());
            for signature in ["", "AAAA", genuine_signature] {
                let attack = token.with_signature(setup.issuer.key(), signature);
                let what = format!("{header} with the signature `{signature}`");
                setup.refuses(&attack, &["invalid_algorithm"], &what).await;
            }
            let signed = token.sign(setup.issuer.key());
            setup.refuses(&signed, &["invalid_algorithm"], "signed").await;
        }
    }
    for algorithm in [json!(null), json!(["none"]), json!({}), json!(0), json!(false)] {
        let attack = token.clone().header("alg", algorithm.clone()).sign(setup.issuer.key());
        setup
            .refuses(&attack, &["malformed_token"], &format!("alg {algorithm}"))
            .await;
    }
    let absent = token
        .raw_header(r#"{"typ":"JWT","kid":"rsa-0"}"#)
        .sign(setup.issuer.key());
    setup.refuses(&absent, &["malformed_token"], "without alg").await;
    setup.accepts(&valid).await;
}

#[tokio::test]
async fn row_02_rejects_hmac_with_anything_that_is_public() {
    for key in [rsa_key(0), SigningKey::es256("ec")] {
        let setup = Setup::with_key(key.clone(), |builder| {
            builder.algorithms(Algorithm::ALL.iter().copied())
        })
        .await;
        setup.accepts(&setup.issuer.valid_token()).await;
        let pem = key.public_pem();
        let mut secrets = vec![
            ("PEM", pem.clone().into_bytes()),
            ("PEM without its last line break", pem.trim_end().as_bytes().to_vec()),
            ("PEM with CRLF", pem.replace('\n', "\r\n").into_bytes()),
            ("DER", key.public_der()),
            ("JWK", key.jwk().to_string().into_bytes()),
            ("JWK parameters", key.public_jwk().to_string().into_bytes()),
            ("JWKS", json!({ "keys": [key.jwk()] }).to_string().into_bytes()),
            ("kid", key.kid().as_bytes().to_vec()),
            ("nothing", Vec::new()),
        ];
        for parameter in ["n", "x"] {
            if let Some(text) = key.jwk()[parameter].as_str() {
                secrets.push(("parameter as text", text.as_bytes().to_vec()));
                secrets.push(("parameter as bytes", keycloak_auth_tests::base64url_decode(text)));
            }
        }
        for (secret, bytes) in secrets {
            for algorithm in ["HS256", "HS384", "HS512"] {
                let attack = setup.issuer.token().hmac(algorithm, key.kid(), &bytes);
                let what = format!("{algorithm} by the {secret}");
                setup.refuses(&attack, &["invalid_algorithm"], &what).await;
            }
            // The header says what the key is for, the signature is an HMAC all the same.
            let attack = setup
                .issuer
                .token()
                .header("alg", key.algorithm())
                .hmac("HS256", key.kid(), &bytes);
            setup
                .refuses(&attack, &["invalid_signature"], &format!("HMAC by the {secret}"))
                .await;
        }
    }
}

#[tokio::test]
async fn row_02_never_uses_a_symmetric_key_of_the_key_set() {
    let secret = b"thirty-two bytes of a shared key";
    let oct = json!({ "kty": "oct", "kid": "oct", "k": base64url(secret) });
    for (name, value) in [
        ("alg", json!("HS256")),
        ("alg", json!("RS256")),
        ("use", json!("sig")),
        ("key_ops", json!(["verify"])),
    ] {
        let mut oct = oct.clone();
        oct[name] = value;
        let setup = Setup::with(|builder| builder.algorithms(Algorithm::ALL.iter().copied())).await;
        setup.issuer.publish_jwks(vec![oct.clone(), setup.issuer.key().jwk()]);
        let what = oct.to_string();
        setup.accepts(&setup.issuer.valid_token()).await;
        let attack = setup.issuer.token().hmac("HS256", "oct", secret);
        setup.refuses(&attack, &["invalid_algorithm"], &what).await;
        let attack = setup.issuer.token().header("alg", "RS256").hmac("HS256", "oct", secret);
        setup.refuses(&attack, &["unknown_kid"], &what).await;
    }
}

#[tokio::test]
async fn row_03_rejects_a_header_alg_other_than_the_keys() {
    let rsa = rsa_key(0);
    let setup = Setup::with_key(rsa.clone(), |builder| {
        builder.algorithms(Algorithm::ALL.iter().copied())
    })
    .await;
    let pss = rsa_key(1).with_algorithm("PS256");
    let p256 = SigningKey::es256("p256");
    let p384 = SigningKey::es384("p384");
    let ed25519 = SigningKey::ed25519("ed25519");
    let keys = [&rsa, &pss, &p256, &p384, &ed25519];
    setup.issuer.publish(&keys.map(SigningKey::clone));
    for key in keys {
        setup.accepts(&setup.issuer.token().sign(key)).await;
        for algorithm in Algorithm::ALL.iter().map(|algorithm| algorithm.name()) {
            if algorithm == key.algorithm() {
                continue;
            }
            // By the algorithm of the header where the key can do that, so that only the pinning stands in the way.
            let token = setup.issuer.token().header("alg", algorithm);
            let of_rsa = |name: &str| name.starts_with("RS") || name.starts_with("PS");
            let attack = if of_rsa(algorithm) && of_rsa(key.algorithm()) {
                token.sign_as(algorithm, key)
            } else {
                token.sign(key)
            };
            let what = format!("{algorithm} by a key for {}", key.algorithm());
            setup
                .refuses(&attack, &["unknown_kid", "invalid_algorithm"], &what)
                .await;
        }
    }
}

#[tokio::test]
async fn row_03_rejects_keys_of_another_curve_than_their_algorithm() {
    let p256 = SigningKey::es256("p256");
    let p384 = SigningKey::es384("p384");
    let with = |jwk: Value, name: &str, value: &str| {
        let mut jwk = jwk;
        jwk[name] = json!(value);
        jwk
    };
    for (jwk, key, algorithm) in [
        (with(p384.jwk(), "alg", "ES256"), &p384, "ES256"),
        (with(p256.jwk(), "alg", "ES384"), &p256, "ES384"),
        (with(p384.jwk(), "crv", "P-256"), &p384, "ES384"),
        (with(p256.jwk(), "crv", "secp256k1"), &p256, "ES256"),
        (with(p256.jwk(), "alg", "RS256"), &p256, "RS256"),
        (with(rsa_key(1).jwk(), "alg", "ES256"), &rsa_key(1), "ES256"),
    ] {
        let setup = Setup::with(|builder| builder.algorithms(Algorithm::ALL.iter().copied())).await;
        setup.issuer.publish_jwks(vec![jwk.clone(), setup.issuer.key().jwk()]);
        setup.accepts(&setup.issuer.valid_token()).await;
        let attack = setup.issuer.token().header("alg", algorithm).sign(key);
        setup.refuses(&attack, &["unknown_kid"], &jwk.to_string()).await;
    }
}

#[tokio::test]
async fn row_03_rejects_algorithms_that_are_not_configured() {
    let ec = SigningKey::es256("ec");
    let setup = Setup::new().await;
    setup.issuer.publish(&[setup.issuer.key().clone(), ec.clone()]);
    setup.accepts(&setup.issuer.valid_token()).await;
    let attack = setup.issuer.token().sign(&ec);
    setup.refuses(&attack, &["invalid_algorithm"], "ES256").await;
}

#[tokio::test]
async fn row_04_never_verifies_with_an_encryption_key() {
    let encryption = rsa_key(1);
    let bare = |members: Value| {
        let mut jwk = encryption.public_jwk();
        jwk["kid"] = json!(encryption.kid());
        for (name, value) in members.as_object().expect("an object") {
            jwk[name] = value.clone();
        }
        jwk
    };
    for jwk in [
        bare(json!({ "use": "enc", "alg": "RSA-OAEP" })),
        bare(json!({ "use": "enc", "alg": "RS256" })),
        bare(json!({ "use": "enc" })),
        bare(json!({ "use": "ENC" })),
        bare(json!({ "use": "" })),
        bare(json!({ "alg": "RSA-OAEP" })),
        bare(json!({ "alg": "RSA-OAEP-256", "use": "sig" })),
        bare(json!({ "key_ops": ["encrypt"] })),
        bare(json!({ "key_ops": ["wrapKey", "unwrapKey"], "alg": "RS256" })),
        bare(json!({ "key_ops": ["sign"], "use": "sig", "alg": "RS256" })),
        bare(json!({ "key_ops": [], "alg": "RS256" })),
    ] {
        let setup = Setup::with(|builder| builder.algorithms(Algorithm::ALL.iter().copied())).await;
        // Keycloak says nothing of the order: the encryption key may come first.
        setup.issuer.publish_jwks(vec![jwk.clone(), setup.issuer.key().jwk()]);
        setup.accepts(&setup.issuer.valid_token()).await;
        let what = jwk.to_string();
        let attack = setup.issuer.token().sign(&encryption);
        setup.refuses(&attack, &["unknown_kid"], &what).await;
        let nameless = setup
            .issuer
            .token()
            .raw_header(r#"{"alg":"RS256","typ":"JWT"}"#)
            .sign(&encryption);
        setup
            .refuses(&nameless, &["unknown_kid", "invalid_signature"], &what)
            .await;
    }
}

#[tokio::test]
async fn row_05_rejects_critical_extensions_and_unencoded_payloads() {
    let setup = Setup::new().await;
    setup.accepts(&setup.issuer.valid_token()).await;
    for header in [
        json!({ "crit": ["exp"], "exp": 9_999_999_999_u64 }),
        json!({ "crit": ["b64"], "b64": false }),
        json!({ "crit": ["b64"], "b64": true }),
        json!({ "crit": ["http://acme.test/unheard-of"], "http://acme.test/unheard-of": true }),
        json!({ "crit": ["alg"] }),
        json!({ "crit": [] }),
        json!({ "crit": null }),
        json!({ "crit": "exp" }),
        json!({ "b64": false }),
        json!({ "b64": true }),
    ] {
        let mut token = setup.issuer.token();
        for (name, value) in header.as_object().expect("an object") {
            token = token.header(name, value.clone());
        }
        let attack = token.sign(setup.issuer.key());
        setup.refuses(&attack, &["malformed_token"], &header.to_string()).await;
    }
}

#[tokio::test]
async fn row_09_rejects_signatures_that_are_none() {
    let keys = [SigningKey::es256("ec"), SigningKey::ed25519("ed"), rsa_key(0)];
    for key in keys {
        let setup = Setup::with_key(key.clone(), |builder| {
            builder.algorithms(Algorithm::ALL.iter().copied())
        })
        .await;
        let token = setup.issuer.token();
        let valid = token.sign(&key);
        setup.accepts(&valid).await;
        let length = key.sign(b"anything").len();
        let order = hex_bytes("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
        let genuine = key.sign(token.signing_input(key.algorithm(), Some(key.kid())).as_bytes());
        let mut signatures = vec![
            ("nothing", Vec::new()),
            ("zeros", vec![0; length]),
            ("ones", vec![0xff; length]),
            ("one byte", vec![0]),
            ("one byte less", genuine[..length - 1].to_vec()),
            ("one byte more", [genuine.as_slice(), &[0]].concat()),
            ("a zero before", [&[0], genuine.as_slice()].concat()),
            ("twice", [genuine.as_slice(), &genuine].concat()),
            ("10,000 bytes", vec![1; 10_000]),
            ("of another text", key.sign(b"another text")),
        ];
        if key.algorithm() == "ES256" {
            let half = &genuine[..32];
            signatures.extend([
                ("r is zero", [&[0; 32], &genuine[32..]].concat()),
                ("s is zero", [half, &[0; 32]].concat()),
                ("the order of the curve", [order.as_slice(), &order].concat()),
                ("s is the order", [half, &order].concat()),
                (
                    "DER",
                    key.sign_der(token.signing_input(key.algorithm(), Some(key.kid())).as_bytes()),
                ),
            ]);
        }
        for (name, signature) in signatures {
            let attack = token.with_signature(&key, &base64url(&signature));
            let what = format!("{}: {name}", key.algorithm());
            setup
                .refuses(&attack, &["invalid_signature", "malformed_token"], &what)
                .await;
        }
        setup.accepts(&valid).await;
    }
}

#[tokio::test]
async fn row_09_rejects_base64url_that_is_not_canonical() {
    let key = rsa_key(0);
    let setup = Setup::with_key(key.clone(), |builder| builder).await;
    let valid = setup.issuer.valid_token();
    setup.accepts(&valid).await;
    let parts: Vec<&str> = valid.split('.').collect();
    let [header, payload, signature] = parts[..] else {
        panic!("a token has three parts");
    };
    let codes = ["malformed_token", "invalid_signature"];
    // The last character of 256 bytes carries two bits; the other four must be zero.
    let last = signature.chars().last().expect("a signature is not empty");
    let shift = |character: char| {
        const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let place = ALPHABET.find(character).expect("base64url");
        ALPHABET.as_bytes()[place + 1] as char
    };
    let trailing_bits = format!("{}{}", &signature[..signature.len() - 1], shift(last));
    for (what, attack) in [
        ("trailing bits", format!("{header}.{payload}.{trailing_bits}")),
        ("padding", format!("{header}.{payload}.{signature}==")),
        ("half a padding", format!("{header}.{payload}.{signature}=")),
        ("a character too many", format!("{header}.{payload}.{signature}A")),
        (
            "three characters too many",
            format!("{header}.{payload}.{signature}AAA"),
        ),
        (
            "standard alphabet",
            format!("{header}.{payload}.{}", signature.replace('-', "+").replace('_', "/")),
        ),
        ("percent", format!("{header}.{payload}.{}%41", &signature[1..])),
        ("tilde", format!("{header}.{payload}.~{}", &signature[1..])),
    ] {
        if attack != valid {
            setup.refuses(&attack, &codes, what).await;
        }
    }
    // A genuine signature over a text that is not canonical.
    for (what, input) in [
        ("padded header", format!("{header}=.{payload}")),
        ("padded payload", format!("{header}.{payload}=")),
        ("doubly padded payload", format!("{header}.{payload}==")),
        ("standard alphabet in the payload", format!("{header}.{payload}+")),
    ] {
        let attack = format!("{input}.{}", base64url(key.sign(input.as_bytes())));
        setup.refuses(&attack, &["malformed_token"], what).await;
    }
}

fn without(object: &Value, name: &str) -> Value {
    let mut object = object.clone();
    object.as_object_mut().expect("an object").remove(name);
    object
}

fn hex_bytes(text: &str) -> Vec<u8> {
    (0..text.len() / 2)
        .map(|place| u8::from_str_radix(&text[2 * place..][..2], 16).expect("hexadecimal"))
        .collect()
}

/// A key of 1024 bits, with `kid` `short`: it can be broken.
const SHORT_MODULUS: &str = "9y3AUco3gNiEVqV4THiV8Ib-j88VbTU7he5VdIfDaBh_kpoAYaWvbWRQn7sXkuSCkcp-31zaEBSPlGyIdFIEVxtQFtn8tqfDBy-wfrm02AkluN\
    NDL03Ll1OsS_mXjrhMKdo2zkT-s3uGR-2-reRdB1A2nSm0G_lR8v2xgKYOEEE";

/// Signed by it, for the issuer <https://id.example.com/realms/acme>, from 1,800,000,000 on.
const SIGNED_BY_SHORT_KEY: &str = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6InNob3J0In0.eyJleHAiOjE4MDAwMDAzMDAsImlhdCI6MTgwMDAwMDAwMCwiaXNzIj\
    oiaHR0cHM6Ly9pZC5leGFtcGxlLmNvbS9yZWFsbXMvYWNtZSIsImF1ZCI6Im9yZGVycy1hcGkiLCJzdWIiOiJhbGljZSIsInR5cCI6IkJlYXJl\
    ciIsImF6cCI6Im9yZGVycy13ZWIifQ.fOP0G-1ZN5jCsBa4A_72bQRtC74dbmMvfDpZaPzQRhajmhgqNagaAYXVmquP2HQL2u79rCAHDc5VMSq\
    8PM99CSWdq1Zl_0KekE86sBuyj-2Yzejnrfhkcr9e8Hr1O5f4VRgwE2fRnreIDRE6AeTK7gE2V6PYA6bLPcPE-AYa9lw";

#[tokio::test]
async fn row_34_a_key_that_is_too_short_verifies_nothing() {
    let short = json!({ "kty": "RSA", "kid": "short", "use": "sig", "n": SHORT_MODULUS, "e": "AQAB" });
    let set = json!({ "keys": [rsa_key(0).jwk(), short] }).to_string();
    let set = KeySet::parse(set).expect("a key set");
    let setup = Setup::with(|builder| {
        let clock = Clock::manual(Duration::from_secs(1_800_000_100));
        builder
            .issuer("https://id.example.com/realms/acme")
            .key_set(set)
            .clock(clock)
    })
    .await;
    let claims = keycloak_auth_tests::claims_of(SIGNED_BY_SHORT_KEY);
    let same = claims.as_object().expect("claims").iter();
    let same = same.fold(setup.issuer.token(), |token, (name, value)| {
        token.claim(name, value.clone())
    });
    setup.accepts(&same.sign(setup.issuer.key())).await;
    setup.refuses(SIGNED_BY_SHORT_KEY, &["unknown_kid"], "1024 bits").await;
}
