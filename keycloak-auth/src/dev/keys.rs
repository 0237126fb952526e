//! The keys of a realm: made when they are first needed, in the background of the start.
//!
//! An RSA key takes about 100 ms to make, and the first random number some, which the start does not wait for. Keys are
//! new with every start, also where an export has some: a private key that lies in a file is no secret.

use std::sync::{Arc, OnceLock};

use aws_lc_rs::{
    encoding::{AsDer as _, PublicKeyX509Der},
    hmac,
    rand::SystemRandom,
    rsa::{KeyPair as RsaKeyPair, KeySize},
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING,
        EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384,
        RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding,
    },
};
use base64_simd::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::random::{bytes, random_text, random_uuid};
use crate::{Algorithm, jose::KeySet};

/// The key for encryption, with its `kid`. Keycloak publishes one, so clients must stand it; nothing is encrypted here,
/// and its private half is not used, so one does for all realms of a process.
static ENCRYPTION: OnceLock<(String, RsaKeyPair)> = OnceLock::new();

/// The keys of a realm.
#[derive(Clone)]
pub(super) struct Keys {
    shared: Arc<Shared>,
}

struct Shared {
    signing: Vec<(Algorithm, OnceLock<SigningKey>)>,
    refresh: OnceLock<RefreshKey>,
    /// The public half, to read tokens again.
    key_set: OnceLock<KeySet>,
}

/// A private key with its `kid`.
pub(super) struct SigningKey {
    pub(super) kid: String,
    pub(super) algorithm: Algorithm,
    pair: Pair,
}

enum Pair {
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
    Ec(EcdsaKeyPair, &'static str),
    Ed25519(Ed25519KeyPair),
}

/// The secret of refresh tokens, in no key set.
pub(super) struct RefreshKey {
    pub(super) kid: String,
    key: hmac::Key,
}

impl Keys {
    /// Keys of these algorithms, of which the first is there for all that asks for another.
    pub(super) fn new(algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        let mut signing: Vec<(Algorithm, OnceLock<SigningKey>)> = Vec::new();
        for algorithm in algorithms {
            if !signing.iter().any(|(other, _)| *other == algorithm) {
                signing.push((algorithm, OnceLock::new()));
            }
        }
        Self {
            shared: Arc::new(Shared {
                signing,
                refresh: OnceLock::new(),
                key_set: OnceLock::new(),
            }),
        }
    }

    /// Makes all keys, those for signatures first.
    pub(super) fn make_all(&self) {
        self.make_signing();
        encryption_key();
    }

    fn make_signing(&self) {
        self.refresh();
        for (algorithm, key) in &self.shared.signing {
            key.get_or_init(|| SigningKey::generate(*algorithm));
        }
    }

    /// Waits for the keys that sign, without holding up other tasks.
    pub(super) async fn ready(&self) {
        if !self.shared.signing.iter().all(|(_, key)| key.get().is_some()) {
            let keys = self.clone();
            wait_for(move || keys.make_signing()).await;
        }
    }

    /// Waits for all keys, without holding up other tasks.
    pub(super) async fn all_ready(&self) {
        self.ready().await;
        if ENCRYPTION.get().is_none() {
            wait_for(|| {
                encryption_key();
            })
            .await;
        }
    }

    /// The key of an algorithm, which is one of those that the keys were made for.
    pub(super) fn signing(&self, algorithm: Algorithm) -> &SigningKey {
        let of_algorithm = self.shared.signing.iter().find(|(other, _)| *other == algorithm);
        let (algorithm, key) = of_algorithm.unwrap_or(&self.shared.signing[0]);
        key.get_or_init(|| SigningKey::generate(*algorithm))
    }

    pub(super) fn refresh(&self) -> &RefreshKey {
        self.shared.refresh.get_or_init(RefreshKey::generate)
    }

    /// The public key of an algorithm as base64 of its `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7).
    pub(super) fn public_key(&self, algorithm: Algorithm) -> String {
        let der: Result<PublicKeyX509Der<'_>, _> = match &self.signing(algorithm).pair {
            Pair::Rsa(pair, _) => pair.public_key().as_der(),
            Pair::Ec(pair, _) => pair.public_key().as_der(),
            Pair::Ed25519(pair) => pair.public_key().as_der(),
        };
        STANDARD.encode_to_string(der.expect("a public key can be written").as_ref())
    }

    /// The signing keys as everybody else sees them.
    pub(super) fn key_set(&self) -> &KeySet {
        (self.shared.key_set).get_or_init(|| {
            KeySet::parse(json!({ "keys": self.signing_jwks() }).to_string()).expect("the keys are a JWK Set")
        })
    }

    /// The JWK Set (RFC 7517 §5).
    pub(super) fn jwks(&self) -> Value {
        let (kid, pair) = encryption_key();
        let mut encryption = rsa_jwk(pair);
        encryption["kid"] = json!(kid);
        encryption["use"] = json!("enc");
        encryption["alg"] = json!("RSA-OAEP");
        let mut keys = self.signing_jwks();
        keys.push(encryption);
        json!({ "keys": keys })
    }

    fn signing_jwks(&self) -> Vec<Value> {
        let algorithms = self.shared.signing.iter().map(|(algorithm, _)| *algorithm);
        algorithms.map(|algorithm| self.signing(algorithm).jwk()).collect()
    }
}

impl SigningKey {
    fn generate(algorithm: Algorithm) -> Self {
        let rsa = |encoding| Pair::Rsa(generate_rsa(), encoding);
        let pair = match algorithm {
            Algorithm::RS256 => rsa(&RSA_PKCS1_SHA256),
            Algorithm::RS384 => rsa(&RSA_PKCS1_SHA384),
            Algorithm::RS512 => rsa(&RSA_PKCS1_SHA512),
            Algorithm::PS256 => rsa(&RSA_PSS_SHA256),
            Algorithm::PS384 => rsa(&RSA_PSS_SHA384),
            Algorithm::PS512 => rsa(&RSA_PSS_SHA512),
            Algorithm::ES256 => Pair::Ec(generate_ec(&ECDSA_P256_SHA256_FIXED_SIGNING), "P-256"),
            Algorithm::ES384 => Pair::Ec(generate_ec(&ECDSA_P384_SHA384_FIXED_SIGNING), "P-384"),
            Algorithm::ES512 => Pair::Ec(generate_ec(&ECDSA_P521_SHA512_FIXED_SIGNING), "P-521"),
            Algorithm::EdDSA => Pair::Ed25519(Ed25519KeyPair::generate().expect("the system has random numbers")),
        };
        Self {
            kid: random_text(),
            algorithm,
            pair,
        }
    }

    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &random, message, &mut signature)
                    .expect("a key of 2048 bits signs any digest");
                signature
            }
            Pair::Ec(pair, _) => {
                let signature = pair.sign(&random, message).expect("the system has random numbers");
                signature.as_ref().to_vec()
            }
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    fn jwk(&self) -> Value {
        let mut jwk = match &self.pair {
            Pair::Rsa(pair, _) => rsa_jwk(pair),
            Pair::Ec(pair, curve) => {
                // An uncompressed point: 4, then two numbers of the same length (SEC 1 §2.3.3).
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                json!({ "kty": "EC", "crv": curve, "x": base64url(x), "y": base64url(y) })
            }
            Pair::Ed25519(pair) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url(pair.public_key().as_ref()) })
            }
        };
        jwk["kid"] = json!(self.kid);
        jwk["use"] = json!("sig");
        jwk["alg"] = json!(self.algorithm.name());
        jwk
    }
}

impl RefreshKey {
    fn generate() -> Self {
        Self {
            kid: random_uuid(),
            key: hmac::Key::new(hmac::HMAC_SHA512, &bytes::<64>()),
        }
    }

    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        hmac::sign(&self.key, message).as_ref().to_vec()
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        hmac::verify(&self.key, message, signature).is_ok()
    }
}

async fn wait_for(make: impl FnOnce() + Send + 'static) {
    // It fails only where the runtime ends, and then nobody waits for a key any more.
    let _ = tokio::task::spawn_blocking(make).await;
}

fn encryption_key() -> &'static (String, RsaKeyPair) {
    ENCRYPTION.get_or_init(|| (random_text(), generate_rsa()))
}

fn generate_rsa() -> RsaKeyPair {
    RsaKeyPair::generate(KeySize::Rsa2048).expect("the system has random numbers")
}

fn generate_ec(algorithm: &'static EcdsaSigningAlgorithm) -> EcdsaKeyPair {
    EcdsaKeyPair::generate(algorithm).expect("the system has random numbers")
}

fn rsa_jwk(pair: &RsaKeyPair) -> Value {
    let public = pair.public_key();
    json!({
        "kty": "RSA",
        "n": base64url(public.modulus().big_endian_without_leading_zero()),
        "e": base64url(public.exponent().big_endian_without_leading_zero()),
    })
}

pub(super) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode_to_string(bytes)
}
