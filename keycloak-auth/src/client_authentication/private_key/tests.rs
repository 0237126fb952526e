use aws_lc_rs::{
    encoding::{AsBigEndian as _, AsDer as _, EcPrivateKeyBin, EcPrivateKeyRfc5915Der, Pkcs8V1Der},
    rsa::KeySize,
    signature::KeyPair as _,
};
use serde_json::{Value, json};

use super::*;
use crate::jose::{KeySet, encode};

fn pem(label: &str, der: &[u8]) -> String {
    let text = base64_simd::STANDARD.encode_to_string(der);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

/// An EC key in PKCS #8, in SEC 1 and as a JWK.
fn ec(index: usize) -> (String, String, Value) {
    let (curve, _, signing) = CURVES[index];
    let pair = EcdsaKeyPair::generate(signing).expect("a key");
    let pkcs8 = pair.to_pkcs8v1().expect("PKCS #8");
    let sec1: EcPrivateKeyRfc5915Der<'_> = pair.private_key().as_der().expect("SEC 1");
    let d: EcPrivateKeyBin<'_> = pair.private_key().as_be_bytes().expect("a number");
    let point = &pair.public_key().as_ref()[1..];
    let (x, y) = point.split_at(point.len() / 2);
    let jwk = json!({
        "kty": "EC", "crv": curve, "x": encode(x), "y": encode(y), "d": encode(d.as_ref()), "kid": "ec",
    });
    (
        pem("PRIVATE KEY", pkcs8.as_ref()),
        pem("EC PRIVATE KEY", sec1.as_ref()),
        jwk,
    )
}

/// What the key signs verifies under the public half of the JWK.
#[track_caller]
fn assert_signs(key: &PrivateKey, jwk: &Value) {
    let mut public = jwk.clone();
    for member in ["d", "p", "q", "dp", "dq", "qi"] {
        public.as_object_mut().expect("a JWK").remove(member);
    }
    let keys = KeySet::parse(json!({ "keys": [public] }).to_string()).expect("a key set");
    let header = json!({ "alg": key.algorithm().name() }).to_string();
    let input = format!("{}.{}", encode(header.as_bytes()), encode(b"{}"));
    let signature = key.sign(input.as_bytes()).expect("it signs");
    let verified = keys.verify(format!("{input}.{}", encode(&signature)));
    assert_eq!(verified.expect("the signature verifies"), b"{}");
}

#[test]
fn ec_keys_sign_in_every_form_they_come_in() {
    for (index, (_, algorithm, _)) in CURVES.into_iter().enumerate() {
        let (pkcs8, sec1, jwk) = ec(index);
        let from_jwk = PrivateKey::parse(jwk.to_string().as_bytes(), None).expect("a JWK");
        assert_eq!(from_jwk.key_id(), Some("ec"));
        for key in [
            from_jwk,
            PrivateKey::parse(pkcs8.as_bytes(), None).expect("PKCS #8"),
            PrivateKey::parse(sec1.as_bytes(), None).expect("SEC 1"),
        ] {
            assert_eq!(key.algorithm(), algorithm);
            assert_signs(&key, &jwk);
        }
    }
}

#[test]
fn ed25519_keys_sign_with_and_without_their_public_half() {
    let pair = Ed25519KeyPair::generate().expect("a key");
    let seed = pair.seed().expect("a seed");
    let seed = seed.as_be_bytes().expect("bytes");
    let jwk = json!({
        "kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key().as_ref()), "d": encode(seed.as_ref()),
    });
    for text in [
        jwk.to_string(),
        pem("PRIVATE KEY", pair.to_pkcs8().expect("PKCS #8").as_ref()),
        pem("PRIVATE KEY", pair.to_pkcs8v1().expect("PKCS #8").as_ref()),
    ] {
        let key = PrivateKey::parse(text.as_bytes(), None).expect("a key");
        assert_eq!(key.algorithm(), Algorithm::EdDSA);
        assert_signs(&key, &jwk);
    }
}

#[test]
fn an_rsa_key_signs_by_the_algorithm_that_is_asked_for() {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key");
    let modulus = pair.public_key().modulus();
    let jwk = json!({
        "kty": "RSA",
        "n": encode(modulus.big_endian_without_leading_zero()),
        "e": encode(pair.public_key().exponent().big_endian_without_leading_zero()),
    });
    let der: Pkcs8V1Der<'_> = pair.as_der().expect("PKCS #8");
    let text = pem("PRIVATE KEY", der.as_ref());
    let parse = |algorithm| PrivateKey::parse(text.as_bytes(), algorithm);
    assert_eq!(parse(None).expect("a key").algorithm(), Algorithm::RS256);
    for algorithm in [
        Algorithm::RS256,
        Algorithm::RS384,
        Algorithm::RS512,
        Algorithm::PS256,
        Algorithm::PS384,
        Algorithm::PS512,
    ] {
        let key = parse(Some(algorithm)).expect("a key");
        assert_eq!(key.algorithm(), algorithm);
        assert_signs(&key, &jwk);
    }
    for algorithm in [Algorithm::ES256, Algorithm::EdDSA] {
        assert_eq!(parse(Some(algorithm)).err(), Some(OTHER_ALGORITHM));
    }
}

/// One element of DER, and what follows it.
fn element(der: &[u8]) -> (&[u8], &[u8]) {
    let (start, length) = match usize::from(der[1]) {
        short @ ..0x80 => (2, short),
        long => {
            let bytes = long - 0x80;
            let length = der[2..2 + bytes]
                .iter()
                .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            (2 + bytes, length)
        }
    };
    der[start..].split_at(length)
}

/// The numbers of an RSA key in PKCS #8 (RFC 8017 §A.1.2), as a JWK has them.
fn rsa_jwk(pkcs8: &[u8]) -> Value {
    let (key_info, _) = element(pkcs8);
    let (_version, rest) = element(key_info);
    let (_algorithm, rest) = element(rest);
    let (octets, _) = element(rest);
    let (sequence, _) = element(octets);
    let (_version, mut rest) = element(sequence);
    let mut jwk = json!({ "kty": "RSA", "alg": "PS256", "kid": "rsa" });
    for name in ["n", "e", "d", "p", "q", "dp", "dq", "qi"] {
        let (number, more) = element(rest);
        // With the sign byte of a big integer, as some encoders leave it.
        jwk[name] = encode(number).into();
        rest = more;
    }
    jwk
}

#[test]
fn an_rsa_key_may_come_as_its_numbers() {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key");
    let der: Pkcs8V1Der<'_> = pair.as_der().expect("PKCS #8");
    let jwk = rsa_jwk(der.as_ref());
    let key = PrivateKey::parse(jwk.to_string().as_bytes(), None).expect("a JWK");
    assert_eq!((key.algorithm(), key.key_id()), (Algorithm::PS256, Some("rsa")));
    assert_signs(&key, &jwk);
    let parse = |edit: &dyn Fn(&mut Value), algorithm| {
        let mut jwk = jwk.clone();
        edit(&mut jwk);
        PrivateKey::parse(jwk.to_string().as_bytes(), algorithm).err()
    };
    assert_eq!(
        parse(&|_| {}, Some(Algorithm::RS256)),
        Some(OTHER_ALGORITHM),
        "the JWK says for what it is"
    );
    assert_eq!(parse(&|jwk| jwk["alg"] = json!("HS256"), None), Some(OTHER_ALGORITHM));
    assert_eq!(parse(&|jwk| jwk["alg"] = json!("ES256"), None), Some(OTHER_ALGORITHM));
    assert_eq!(parse(&|jwk| jwk["d"] = json!(null), None), Some(UNREADABLE));
    assert_eq!(parse(&|jwk| jwk["d"] = jwk["p"].clone(), None), Some(UNSUITABLE));
    assert_eq!(parse(&|jwk| jwk["kty"] = json!("oct"), None), Some(UNSUITABLE));
}

#[test]
fn what_is_no_private_key_is_said_to_be_none() {
    let (pkcs8, _, jwk) = ec(0);
    for text in ["", "hunter2", "{}", "[]", "-----BEGIN PRIVATE KEY-----"] {
        assert_eq!(
            PrivateKey::parse(text.as_bytes(), None).err(),
            Some(UNREADABLE),
            "{text}"
        );
    }
    let encrypted = pkcs8.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    assert_eq!(PrivateKey::parse(encrypted.as_bytes(), None).err(), Some(UNREADABLE));
    let garbage = pem("PRIVATE KEY", b"garbage");
    assert_eq!(PrivateKey::parse(garbage.as_bytes(), None).err(), Some(UNSUITABLE));
    let mut other_point = jwk;
    other_point["x"] = ec(0).2["x"].clone();
    assert_eq!(
        PrivateKey::parse(other_point.to_string().as_bytes(), None).err(),
        Some(UNSUITABLE)
    );
    assert_eq!(
        PrivateKey::parse(pkcs8.as_bytes(), Some(Algorithm::RS256)).err(),
        Some(OTHER_ALGORITHM)
    );
}
