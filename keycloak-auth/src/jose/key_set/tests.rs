use aws_lc_rs::{
    encoding::AsDer,
    rand::SystemRandom,
    rsa::{KeyPair as RsaKeyPair, KeySize},
    signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaEncoding},
};
use base64_simd::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::*;

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode_to_string(bytes.as_ref())
}

/// A private key of a test, and the JWK of its public key.
enum TestKey {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair, &'static str),
    Ed(Ed25519KeyPair),
}

impl TestKey {
    fn rsa(size: KeySize) -> Self {
        Self::Rsa(RsaKeyPair::generate(size).expect("a key"))
    }

    fn ec(curve: &'static str) -> Self {
        let algorithm = match curve {
            "P-256" => &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
            "P-384" => &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
            _ => &signature::ECDSA_P521_SHA512_FIXED_SIGNING,
        };
        Self::Ec(EcdsaKeyPair::generate(algorithm).expect("a key"), curve)
    }

    fn ed25519() -> Self {
        Self::Ed(Ed25519KeyPair::generate().expect("a key"))
    }

    fn jwk(&self, members: Value) -> Value {
        let mut jwk = match self {
            Self::Rsa(pair) => {
                let public = pair.public_key();
                json!({
                    "kty": "RSA",
                    "n": encoded(public.modulus().big_endian_without_leading_zero()),
                    "e": encoded(public.exponent().big_endian_without_leading_zero()),
                })
            }
            Self::Ec(pair, curve) => {
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                json!({ "kty": "EC", "crv": curve, "x": encoded(x), "y": encoded(y) })
            }
            Self::Ed(pair) => json!({ "kty": "OKP", "crv": "Ed25519", "x": encoded(pair.public_key()) }),
        };
        jwk.as_object_mut()
            .expect("an object")
            .extend(members.as_object().expect("an object").clone());
        jwk
    }

    fn sign(&self, encoding: &'static dyn RsaEncoding, header: Value) -> String {
        let input = format!("{}.{}", encoded(header.to_string()), encoded(br#"{"sub":"u-1"}"#));
        let signature = match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &SystemRandom::new(), input.as_bytes(), &mut signature)
                    .expect("signs");
                signature
            }
            Self::Ec(pair, _) => pair
                .sign(&SystemRandom::new(), input.as_bytes())
                .expect("signs")
                .as_ref()
                .to_vec(),
            Self::Ed(pair) => pair.sign(input.as_bytes()).as_ref().to_vec(),
        };
        format!("{input}.{}", encoded(signature))
    }
}

fn set(keys: &[Value]) -> KeySet {
    KeySet::parse(json!({ "keys": keys }).to_string()).expect("a key set")
}

#[test]
fn verifies_every_algorithm_that_it_names() {
    let rsa = TestKey::rsa(KeySize::Rsa2048);
    let keys: [(Algorithm, &TestKey, &'static dyn RsaEncoding); 10] = [
        (Algorithm::RS256, &rsa, &signature::RSA_PKCS1_SHA256),
        (Algorithm::RS384, &rsa, &signature::RSA_PKCS1_SHA384),
        (Algorithm::RS512, &rsa, &signature::RSA_PKCS1_SHA512),
        (Algorithm::PS256, &rsa, &signature::RSA_PSS_SHA256),
        (Algorithm::PS384, &rsa, &signature::RSA_PSS_SHA384),
        (Algorithm::PS512, &rsa, &signature::RSA_PSS_SHA512),
        (Algorithm::ES256, &TestKey::ec("P-256"), &signature::RSA_PKCS1_SHA256),
        (Algorithm::ES384, &TestKey::ec("P-384"), &signature::RSA_PKCS1_SHA256),
        (Algorithm::ES512, &TestKey::ec("P-521"), &signature::RSA_PKCS1_SHA256),
        (Algorithm::EdDSA, &TestKey::ed25519(), &signature::RSA_PKCS1_SHA256),
    ];
    for (algorithm, key, encoding) in keys {
        let token = key.sign(encoding, json!({ "alg": algorithm, "kid": "k" }));
        for pinned in [
            json!({ "kid": "k" }),
            json!({ "kid": "k", "alg": algorithm, "use": "sig" }),
        ] {
            let keys = set(&[key.jwk(pinned)]);
            assert_eq!(keys.verify(&token), Ok(br#"{"sub":"u-1"}"#.to_vec()), "{algorithm}");
            let (start, signature) = token.rsplit_once('.').expect("a signature");
            let mut broken = signature.to_owned();
            broken.replace_range(10..11, if &broken[10..11] == "A" { "B" } else { "A" });
            assert_eq!(
                keys.verify(format!("{start}.{broken}")),
                Err(VerifyError::Signature),
                "{algorithm}"
            );
            assert!(keys.verify(format!("{token}A")).is_err(), "{algorithm}: longer");
            assert!(keys.verify(&token[..token.len() - 4]).is_err(), "{algorithm}: shorter");
            assert!(
                keys.verify(format!("{start}.")).is_err(),
                "{algorithm}: without signature"
            );
        }
    }
}

#[test]
fn the_algorithm_is_pinned_by_the_key() {
    let rsa = TestKey::rsa(KeySize::Rsa2048);
    let pinned = set(&[rsa.jwk(json!({ "kid": "k", "alg": "RS256" }))]);
    let other = rsa.sign(&signature::RSA_PKCS1_SHA512, json!({ "alg": "RS512", "kid": "k" }));
    assert_eq!(pinned.verify(&other), Err(VerifyError::Algorithm));
    assert!(
        set(&[rsa.jwk(json!({ "kid": "k" }))]).verify(&other).is_ok(),
        "the same token under a key that is not pinned"
    );
    let confused = rsa.sign(&signature::RSA_PKCS1_SHA256, json!({ "alg": "ES256", "kid": "k" }));
    assert_eq!(pinned.verify(confused), Err(VerifyError::Algorithm));
}

#[test]
fn keeps_the_good_keys_of_a_set_and_reports_the_others() {
    let good = TestKey::ec("P-256");
    let other = TestKey::ec("P-256");
    let cases = [
        (json!(null), SkipReason::Malformed),
        (json!(7), SkipReason::Malformed),
        (json!({}), SkipReason::Malformed),
        (json!({ "kty": "RSA", "kid": 7 }), SkipReason::Malformed),
        (
            json!({ "kty": "EC", "kid": "x", "x": "AA", "y": "AA" }),
            SkipReason::Malformed,
        ),
        (
            json!({ "kty": "RSA", "kid": "x", "n": "not base64url!", "e": "AQAB" }),
            SkipReason::Malformed,
        ),
        (
            json!({ "kty": "oct", "kid": "x", "k": "c2VjcmV0", "alg": "HS256" }),
            SkipReason::UnsupportedKeyType,
        ),
        (
            json!({ "kty": "AKP", "kid": "x", "alg": "ML-DSA-65", "pub": "AA" }),
            SkipReason::UnsupportedKeyType,
        ),
        (
            json!({ "kty": "OKP", "crv": "Ed448", "kid": "x", "x": "AA" }),
            SkipReason::UnsupportedKeyType,
        ),
        (
            json!({ "kty": "OKP", "crv": "X25519", "kid": "x", "x": "AA" }),
            SkipReason::UnsupportedKeyType,
        ),
        (
            json!({ "kty": "EC", "crv": "secp256k1", "kid": "x", "x": "AA", "y": "AA" }),
            SkipReason::UnsupportedKeyType,
        ),
        (
            json!({ "kty": "RSA", "kid": "x", "n": encoded([0xff; 128]), "e": "AQAB" }),
            SkipReason::RsaKeySize,
        ),
        (
            json!({ "kty": "RSA", "kid": "x", "n": encoded([0xff; 1025]), "e": "AQAB" }),
            SkipReason::RsaKeySize,
        ),
        (
            json!({ "kty": "EC", "crv": "P-256", "kid": "x", "x": encoded([1; 32]), "y": encoded([1; 32]) }),
            SkipReason::InvalidKey,
        ),
        (
            json!({ "kty": "EC", "crv": "P-256", "kid": "x", "x": encoded([1; 31]), "y": encoded([1; 31]) }),
            SkipReason::InvalidKey,
        ),
        (
            json!({ "kty": "OKP", "crv": "Ed25519", "kid": "x", "x": encoded([1; 31]) }),
            SkipReason::InvalidKey,
        ),
        (
            other.jwk(json!({ "kid": "x", "use": "enc" })),
            SkipReason::NotForSignatures,
        ),
        (
            other.jwk(json!({ "kid": "x", "key_ops": ["sign", "encrypt"] })),
            SkipReason::NotForSignatures,
        ),
        (
            other.jwk(json!({ "kid": "x", "alg": "ECDH-ES" })),
            SkipReason::UnsupportedAlgorithm,
        ),
        (
            other.jwk(json!({ "kid": "x", "alg": "HS256" })),
            SkipReason::UnsupportedAlgorithm,
        ),
        (
            other.jwk(json!({ "kid": "x", "alg": "ES384" })),
            SkipReason::UnsupportedAlgorithm,
        ),
        (
            other.jwk(json!({ "kid": "x", "alg": "RS256" })),
            SkipReason::UnsupportedAlgorithm,
        ),
        (other.jwk(json!({ "kid": "good" })), SkipReason::Duplicate),
    ];
    let token = good.sign(&signature::RSA_PKCS1_SHA256, json!({ "alg": "ES256", "kid": "good" }));
    for (odd, reason) in cases {
        let keys = set(&[good.jwk(json!({ "kid": "good" })), odd.clone()]);
        assert_eq!(keys.len(), 1, "{odd}");
        assert_eq!(
            keys.skipped().iter().map(|skipped| skipped.reason).collect::<Vec<_>>(),
            [reason],
            "{odd}"
        );
        assert!(keys.verify(&token).is_ok(), "{odd}");
    }
}

#[test]
fn keeps_at_most_64_keys() {
    let key = TestKey::ed25519();
    let keys = set(&(0..70)
        .map(|index| key.jwk(json!({ "kid": index.to_string() })))
        .collect::<Vec<_>>());
    assert_eq!((keys.len(), keys.skipped().len()), (MAX_KEYS, 6));
}

#[test]
fn what_is_no_key_set_is_an_error() {
    for json in [
        "",
        "null",
        "[]",
        "{}",
        r#"{"keys":null}"#,
        r#"{"keys":{}}"#,
        "<html>",
        r#"{"keys":[],"keys":[]}"#,
    ] {
        assert!(KeySet::parse(json).is_err(), "{json}");
    }
    assert!(KeySet::parse(r#"{"keys":[]}"#).expect("an empty set").is_empty());
}

#[test]
fn a_token_without_kid_is_verified_by_the_only_key_that_fits() {
    let (one, two, ed) = (TestKey::ec("P-256"), TestKey::ec("P-256"), TestKey::ed25519());
    let token = one.sign(&signature::RSA_PKCS1_SHA256, json!({ "alg": "ES256" }));
    let (one, two, ed) = (
        one.jwk(json!({ "kid": "1" })),
        two.jwk(json!({ "kid": "2" })),
        ed.jwk(json!({ "kid": "3" })),
    );
    assert!(set(&[ed.clone(), one.clone()]).verify(&token).is_ok());
    assert_eq!(
        set(&[one, two]).verify(&token),
        Err(VerifyError::UnknownKey),
        "none is guessed"
    );
    assert_eq!(set(&[ed]).verify(&token), Err(VerifyError::UnknownKey));
}

#[test]
fn signatures_in_other_shapes_are_refused() {
    let key = TestKey::ec("P-256");
    let keys = set(&[key.jwk(json!({ "kid": "k" }))]);
    let token = key.sign(&signature::RSA_PKCS1_SHA256, json!({ "alg": "ES256", "kid": "k" }));
    let (input, _) = token.rsplit_once('.').expect("a signature");
    let TestKey::Ec(pair, _) = &key else { unreachable!() };
    let private =
        AsDer::<aws_lc_rs::encoding::EcPrivateKeyRfc5915Der<'_>>::as_der(&pair.private_key()).expect("exports");
    let der = EcdsaKeyPair::from_private_key_der(&signature::ECDSA_P256_SHA256_ASN1_SIGNING, private.as_ref())
        .expect("a key");
    let der = der.sign(&SystemRandom::new(), input.as_bytes()).expect("signs");
    for signature in [
        vec![0; 64],
        vec![0; 2],
        vec![0xff; 64],
        der.as_ref().to_vec(),
        vec![1; 4096],
    ] {
        assert!(keys.verify(format!("{input}.{}", encoded(signature))).is_err());
    }
}

#[test]
fn unchanged_keys_stay_the_same_and_changed_ones_do_not() {
    let (old, new) = (TestKey::ed25519(), TestKey::ed25519());
    let before = set(&[old.jwk(json!({ "kid": "k" })), new.jwk(json!({ "kid": "n" }))]);
    let after = set(&[new.jwk(json!({ "kid": "n" })), new.jwk(json!({ "kid": "k" }))]).keeping_unchanged(&before);
    let find = |set: &KeySet, kid: &str| Arc::clone(set.select(Some(kid), Algorithm::EdDSA).expect("a key"));
    before.retire_keys_missing_in(&after);
    assert!(!find(&before, "n").is_retired());
    assert!(find(&before, "k").is_retired(), "another key under the same `kid`");
    assert!(!find(&after, "k").is_retired());
}
