//! Row 34: odd keys beside a good one. The good one is used, each other one is reported once.

use std::time::Duration;

use keycloak_auth_tests::{Issuer, Logs, Reply, rsa_key};
use serde_json::{Value, json};

use super::{assert_said, eventually, news};
use crate::setup::{builder, clock, lasting, service};

/// What Keycloak, its successors or somebody's hand may publish, and what is said of it.
fn odd_keys() -> Vec<(Value, &'static str)> {
    let mut encryption = rsa_key(1).with_kid("enc").jwk();
    encryption["use"] = json!("enc");
    encryption["alg"] = json!("RSA-OAEP");
    let coordinate = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    vec![
        (json!(null), "a key without a readable `kid`"),
        (json!(7), ""),
        (json!("text"), ""),
        (json!({}), ""),
        (
            json!({ "kty": "AKP", "kid": "pq", "alg": "ML-DSA-65", "pub": "AA" }),
            "key `pq`",
        ),
        (
            json!({ "kty": "OKP", "kid": "448", "crv": "Ed448", "alg": "EdDSA", "x": "AA" }),
            "key `448`",
        ),
        (
            json!({ "kty": "OKP", "kid": "x25519", "crv": "X25519", "x": coordinate }),
            "key `x25519`",
        ),
        (
            json!({ "kty": "RSA", "kid": "short", "n": "AQAB", "e": "AQAB" }),
            "key `short`",
        ),
        (
            json!({ "kty": "RSA", "kid": "null", "n": null, "e": "AQAB" }),
            "key `null`",
        ),
        (json!({ "kty": "oct", "kid": "secret", "k": "AAAA" }), "key `secret`"),
        (encryption, "key `enc`"),
    ]
}

#[tokio::test]
async fn row_34_good_keys_are_used_and_each_odd_one_is_reported_once() {
    let logs = Logs::capture();
    let issuer = Issuer::start().await;
    let clock = clock();
    let service = service(&builder(&issuer).clock(clock.clone()).build().expect("valid")).await;
    let token = lasting(&issuer, Duration::from_secs(86_400)).sign(issuer.key());
    let (mut keys, said): (Vec<Value>, Vec<&str>) = odd_keys().into_iter().unzip();
    // Keys that cannot be told apart are told once.
    let said: Vec<String> = said
        .iter()
        .filter(|said| !said.is_empty())
        .map(|said| format!("left out of the key set: {said}"))
        .collect();
    let mut said: Vec<&str> = said.iter().map(String::as_str).collect();
    keys.insert(3, issuer.key().jwk());
    issuer.publish_jwks(keys.clone());
    let reload = async || {
        let before = issuer.key_fetches();
        assert_eq!(service.get_as("/me", &token).await.text(), "alice");
        eventually("the keys are fetched", || issuer.key_fetches() > before).await;
        // The answer is read once the next request to it could be.
        for _ in 0..20 {
            assert_eq!(service.get_as("/me", &token).await.text(), "alice");
        }
    };
    assert_eq!(service.get_as("/me", &token).await.text(), "alice");
    assert_said(&news(&logs), &said);
    for _ in 0..2 {
        clock.advance(Duration::from_secs(300));
        reload().await;
    }
    assert_said(&news(&logs), &said);

    keys.push(json!({ "kty": "AKP", "kid": "pq-2", "alg": "ML-DSA-87", "pub": "AA" }));
    issuer.publish_jwks(keys);
    clock.advance(Duration::from_secs(300));
    reload().await;
    said.push("left out of the key set: key `pq-2`");
    assert_said(&news(&logs), &said);
}

#[tokio::test]
async fn row_34_a_set_without_a_good_key_says_why() {
    let logs = Logs::capture();
    let issuer = Issuer::start().await;
    issuer.publish_jwks(vec![
        json!({ "kty": "AKP", "kid": "pq", "alg": "ML-DSA-65", "pub": "AA" }),
    ]);
    let service = service(&builder(&issuer).build().expect("valid")).await;
    assert_eq!(service.get_as("/me", &issuer.valid_token()).await.status, 503);
    assert_said(&news(&logs), &["left out of the key set: key `pq`"]);
}

#[tokio::test]
async fn the_first_64_keys_are_kept() {
    let logs = Logs::capture();
    let issuer = Issuer::start().await;
    let keys = (0..66).map(|number| rsa_key(1).with_kid(&format!("filler-{number}")).jwk());
    issuer.publish_jwks(std::iter::once(issuer.key().jwk()).chain(keys).collect());
    let service = service(&builder(&issuer).build().expect("valid")).await;
    let status = async |kid: &str| {
        let token = issuer.token().sign(&rsa_key(1).with_kid(kid));
        service.get_as("/me", &token).await.status
    };
    assert_eq!(service.get_as("/me", &issuer.valid_token()).await.text(), "alice");
    assert_eq!((status("filler-62").await, status("filler-63").await), (200, 401));
    let said = ["63", "64", "65"].map(|number| format!("left out of the key set: key `filler-{number}`"));
    assert_said(&news(&logs), &said.each_ref().map(String::as_str));
}

#[tokio::test]
async fn thousands_of_odd_keys_do_not_flood_the_log() {
    let logs = Logs::capture();
    let issuer = Issuer::start().await;
    let odd = (0..3000).map(|number| json!({ "kid": number.to_string(), "kty": "AKP" }));
    let keys: Vec<Value> = odd.chain([issuer.key().jwk()]).collect();
    issuer.reply(Issuer::JWKS, Reply::json(&json!({ "keys": keys })));
    let service = service(&builder(&issuer).build().expect("valid")).await;
    assert_eq!(service.get_as("/me", &issuer.valid_token()).await.text(), "alice");
    let said = news(&logs);
    assert_eq!(said.len(), 65, "{said:#?}");
    assert!(
        said[64].starts_with("more keys are left out of the key set"),
        "{}",
        said[64]
    );
}
