//! Keys that sign the tokens of the local issuer.

use std::sync::{Arc, LazyLock};

use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der},
    rand::SystemRandom,
    rsa::{KeyPair as RsaKeyPair, KeySize},
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
        EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512,
        RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaSignatureEncoding,
    },
};
use serde_json::{Value, json};

use crate::token::base64url;

/// A private key with the `kid` and the `alg` under which its public half is published.
#[derive(Clone)]
pub struct SigningKey {
    kid: String,
    algorithm: &'static str,
    pair: Pair,
}

#[derive(Clone)]
enum Pair {
    Rsa(Arc<RsaKeyPair>),
    Ec(Arc<EcdsaKeyPair>, &'static str),
    Ed25519(Arc<Ed25519KeyPair>),
}

/// One of four RSA keys of 2048 bits, made once for each process because that takes long.
pub fn rsa_key(number: usize) -> SigningKey {
    static PAIRS: [LazyLock<Arc<RsaKeyPair>>; 4] = [const { LazyLock::new(new_rsa_pair) }; 4];
    SigningKey {
        kid: format!("rsa-{number}"),
        algorithm: "RS256",
        pair: Pair::Rsa(Arc::clone(&PAIRS[number])),
    }
}

fn new_rsa_pair() -> Arc<RsaKeyPair> {
    Arc::new(RsaKeyPair::generate(KeySize::Rsa2048).expect("an RSA key can be made"))
}

impl SigningKey {
    pub fn es256(kid: &str) -> Self {
        Self::ecdsa(kid, "ES256", "P-256", &ECDSA_P256_SHA256_FIXED_SIGNING)
    }

    pub fn es384(kid: &str) -> Self {
        Self::ecdsa(kid, "ES384", "P-384", &ECDSA_P384_SHA384_FIXED_SIGNING)
    }

    pub fn ed25519(kid: &str) -> Self {
        let pair = Ed25519KeyPair::generate().expect("an Ed25519 key can be made");
        Self {
            kid: kid.to_owned(),
            algorithm: "EdDSA",
            pair: Pair::Ed25519(Arc::new(pair)),
        }
    }

    fn ecdsa(kid: &str, algorithm: &'static str, curve: &'static str, signing: &'static EcdsaSigningAlgorithm) -> Self {
        let pair = EcdsaKeyPair::generate(signing).expect("an EC key can be made");
        Self {
            kid: kid.to_owned(),
            algorithm,
            pair: Pair::Ec(Arc::new(pair), curve),
        }
    }

    pub fn with_kid(mut self, kid: &str) -> Self {
        kid.clone_into(&mut self.kid);
        self
    }

    /// The same key, published and used for another algorithm of its kind, such as `PS256` for an RSA key.
    pub fn with_algorithm(mut self, algorithm: &'static str) -> Self {
        self.algorithm = algorithm;
        self
    }

    pub fn kid(&self) -> &str {
        &self.kid
    }

    pub fn algorithm(&self) -> &'static str {
        self.algorithm
    }

    /// The private key as PEM (PKCS #8).
    pub fn private_pem(&self) -> String {
        let der = match &self.pair {
            Pair::Rsa(pair) => {
                let der: Result<Pkcs8V1Der<'_>, _> = pair.as_der();
                der.expect("an RSA key can be written").as_ref().to_vec()
            }
            Pair::Ec(pair, _) => pair.to_pkcs8v1().expect("an EC key can be written").as_ref().to_vec(),
            Pair::Ed25519(pair) => {
                let der = pair.to_pkcs8v1().expect("an Ed25519 key can be written");
                der.as_ref().to_vec()
            }
        };
        let text = base64_simd::STANDARD.encode_to_string(der);
        format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
    }

    /// A certificate that the key has signed for itself, in base64 as Keycloak keeps it.
    pub fn certificate(&self) -> String {
        let key = rcgen::KeyPair::from_pem(&self.private_pem()).expect("a key for certificates");
        let certificate = rcgen::CertificateParams::default().self_signed(&key);
        base64_simd::STANDARD.encode_to_string(certificate.expect("a certificate").der())
    }

    /// Signs with the algorithm of this key.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.sign_as(self.algorithm, message)
    }

    /// Signs with any algorithm that this kind of key can do; an EC key has the one of its curve.
    pub fn sign_as(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(rsa_encoding(algorithm), &random, message, &mut signature)
                    .expect("an RSA key signs");
                signature
            }
            Pair::Ec(pair, _) => {
                let signature = pair.sign(&random, message).expect("an EC key signs");
                signature.as_ref().to_vec()
            }
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    /// An ES256 signature in DER, as X.509 has it, in place of the two numbers that JWS wants.
    pub fn sign_der(&self, message: &[u8]) -> Vec<u8> {
        let Pair::Ec(pair, "P-256") = &self.pair else {
            panic!("only a P-256 key signs in DER here");
        };
        let document = pair.to_pkcs8v1().expect("an EC key can be exported");
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, document.as_ref())
            .expect("an exported key can be read");
        let signature = pair.sign(&SystemRandom::new(), message);
        signature.expect("an EC key signs").as_ref().to_vec()
    }

    /// The public key as Keycloak publishes it: `kid`, `use`, `alg` and the parameters of the key.
    pub fn jwk(&self) -> Value {
        let mut jwk = self.public_jwk();
        jwk["kid"] = json!(self.kid);
        jwk["use"] = json!("sig");
        jwk["alg"] = json!(self.algorithm);
        jwk
    }

    /// `kty` and the parameters of the key alone.
    pub fn public_jwk(&self) -> Value {
        match &self.pair {
            Pair::Rsa(pair) => json!({
                "kty": "RSA",
                "n": base64url(self.modulus()),
                "e": base64url(pair.public_key().exponent().big_endian_without_leading_zero()),
            }),
            Pair::Ec(pair, curve) => {
                // An uncompressed point: 4, then two numbers of the same length.
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                json!({ "kty": "EC", "crv": curve, "x": base64url(x), "y": base64url(y) })
            }
            Pair::Ed25519(pair) => json!({
                "kty": "OKP",
                "crv": "Ed25519",
                "x": base64url(pair.public_key().as_ref()),
            }),
        }
    }

    /// The modulus of an RSA key.
    pub fn modulus(&self) -> &[u8] {
        let Pair::Rsa(pair) = &self.pair else {
            panic!("only an RSA key has a modulus");
        };
        let modulus = pair.public_key().modulus();
        modulus.big_endian_without_leading_zero()
    }

    /// The public key as `SubjectPublicKeyInfo`.
    pub fn public_der(&self) -> Vec<u8> {
        let der: Result<PublicKeyX509Der<'_>, _> = match &self.pair {
            Pair::Rsa(pair) => pair.public_key().as_der(),
            Pair::Ec(pair, _) => pair.public_key().as_der(),
            Pair::Ed25519(pair) => pair.public_key().as_der(),
        };
        der.expect("a public key can be exported").as_ref().to_vec()
    }

    /// The public key in PEM, as `openssl` writes it.
    pub fn public_pem(&self) -> String {
        let text = base64_simd::STANDARD.encode_to_string(self.public_der());
        let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
        for line in text.as_bytes().chunks(64) {
            pem.push_str(&String::from_utf8_lossy(line));
            pem.push('\n');
        }
        pem + "-----END PUBLIC KEY-----\n"
    }
}

fn rsa_encoding(algorithm: &str) -> &'static RsaSignatureEncoding {
    match algorithm {
        "RS256" => &RSA_PKCS1_SHA256,
        "RS384" => &RSA_PKCS1_SHA384,
        "RS512" => &RSA_PKCS1_SHA512,
        "PS256" => &RSA_PSS_SHA256,
        "PS384" => &RSA_PSS_SHA384,
        "PS512" => &RSA_PSS_SHA512,
        other => panic!("`{other}` is not an algorithm of an RSA key"),
    }
}
