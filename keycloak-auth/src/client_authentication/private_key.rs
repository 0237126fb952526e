//! A private key that signs, from PEM or a JWK (RFC 7468, RFC 7517, RFC 7518 §6).

use std::fmt;

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair as RsaKeyPair, KeyPairComponents, PublicKeyComponents},
    signature::{self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, RsaEncoding},
};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject as _};
use serde::Deserialize;

use super::method::UnusableMethod;
use crate::{Algorithm, jose};

const UNREADABLE: UnusableMethod = UnusableMethod(
    "has no private key that can be read: give PEM (`-----BEGIN PRIVATE KEY-----`), not encrypted, or a private JWK",
);
const UNSUITABLE: UnusableMethod = UnusableMethod(
    "has a private key that cannot be used: give an RSA key of 2048 to 8192 bits, an EC key on P-256, P-384 or P-521, or an \
     Ed25519 key",
);
const OTHER_ALGORITHM: UnusableMethod =
    UnusableMethod("has an `algorithm` that is not one of its private key's: leave it out, or give another key");

/// A private key with the algorithm that it signs by.
pub(super) struct PrivateKey {
    pair: Pair,
    algorithm: Algorithm,
    key_id: Option<String>,
}

enum Pair {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// The curves for ECDSA, with their algorithms (RFC 7518 §3.4).
const CURVES: [(&str, Algorithm, &EcdsaSigningAlgorithm); 3] = [
    ("P-256", Algorithm::ES256, &signature::ECDSA_P256_SHA256_FIXED_SIGNING),
    ("P-384", Algorithm::ES384, &signature::ECDSA_P384_SHA384_FIXED_SIGNING),
    ("P-521", Algorithm::ES512, &signature::ECDSA_P521_SHA512_FIXED_SIGNING),
];

impl PrivateKey {
    /// Reads PEM or a JWK; without `algorithm` the key signs by the one of its own.
    pub(super) fn parse(text: &[u8], algorithm: Option<Algorithm>) -> Result<Self, UnusableMethod> {
        let is_jwk = text.trim_ascii_start().starts_with(b"{");
        let Read {
            pair,
            usual,
            pinned,
            key_id,
        } = if is_jwk { read_jwk(text)? } else { read_pem(text)? };
        let algorithm = algorithm.or(pinned).unwrap_or(usual);
        let fits = match &pair {
            Pair::Rsa(_) => rsa_encoding(algorithm).is_some(),
            Pair::Ec(_) | Pair::Ed25519(_) => algorithm == usual,
        };
        if !fits || pinned.is_some_and(|pinned| pinned != algorithm) {
            return Err(OTHER_ALGORITHM);
        }
        Ok(Self {
            pair,
            algorithm,
            key_id,
        })
    }

    pub(super) const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(super) fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// A JWS signature; `None` where the system has no random numbers.
    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let encoding = rsa_encoding(self.algorithm)?;
                pair.sign(encoding, &random, message, &mut signature).ok()?;
                Some(signature)
            }
            Pair::Ec(pair) => Some(pair.sign(&random, message).ok()?.as_ref().to_vec()),
            Pair::Ed25519(pair) => Some(pair.try_sign(message).ok()?.as_ref().to_vec()),
        }
    }
}

fn rsa_encoding(algorithm: Algorithm) -> Option<&'static dyn RsaEncoding> {
    Some(match algorithm {
        Algorithm::RS256 => &signature::RSA_PKCS1_SHA256,
        Algorithm::RS384 => &signature::RSA_PKCS1_SHA384,
        Algorithm::RS512 => &signature::RSA_PKCS1_SHA512,
        Algorithm::PS256 => &signature::RSA_PSS_SHA256,
        Algorithm::PS384 => &signature::RSA_PSS_SHA384,
        Algorithm::PS512 => &signature::RSA_PSS_SHA512,
        Algorithm::ES256 | Algorithm::ES384 | Algorithm::ES512 | Algorithm::EdDSA => return None,
    })
}

struct Read {
    pair: Pair,
    /// The algorithm of such a key, where nothing else is said.
    usual: Algorithm,
    /// What a JWK says.
    pinned: Option<Algorithm>,
    key_id: Option<String>,
}

impl Read {
    const fn pem(pair: Pair, usual: Algorithm) -> Self {
        Self {
            pair,
            usual,
            pinned: None,
            key_id: None,
        }
    }
}

fn read_pem(text: &[u8]) -> Result<Read, UnusableMethod> {
    let der = PrivateKeyDer::from_pem_slice(text).map_err(|_| UNREADABLE)?;
    let rsa = match &der {
        PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
        other => RsaKeyPair::from_pkcs8(other.secret_der()),
    };
    if let Ok(pair) = rsa {
        return Ok(Read::pem(Pair::Rsa(pair), Algorithm::RS256));
    }
    for (_, algorithm, signing) in CURVES {
        if let Ok(pair) = EcdsaKeyPair::from_private_key_der(signing, der.secret_der()) {
            return Ok(Read::pem(Pair::Ec(pair), algorithm));
        }
    }
    // With or without the public key, which `openssl` leaves out.
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_der()).map_err(|_| UNSUITABLE)?;
    Ok(Read::pem(Pair::Ed25519(pair), Algorithm::EdDSA))
}

/// The members of a private JWK (RFC 7518 §6.2.2 and §6.3.2, RFC 8037 §2).
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    d: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    p: Option<String>,
    q: Option<String>,
    dp: Option<String>,
    dq: Option<String>,
    qi: Option<String>,
}

fn read_jwk(text: &[u8]) -> Result<Read, UnusableMethod> {
    let jwk: Jwk = serde_json::from_slice(text).map_err(|_| UNREADABLE)?;
    let (pair, usual) = match (&*jwk.kty, jwk.crv.as_deref()) {
        ("RSA", _) => (Pair::Rsa(jwk.rsa()?), Algorithm::RS256),
        ("EC", Some(curve)) => {
            let (_, algorithm, signing) = CURVES.iter().find(|(name, ..)| *name == curve).ok_or(UNSUITABLE)?;
            (Pair::Ec(jwk.ec(signing)?), *algorithm)
        }
        ("OKP", Some("Ed25519")) => {
            let pair = Ed25519KeyPair::from_seed_and_public_key(&member(&jwk.d)?, &member(&jwk.x)?);
            (Pair::Ed25519(pair.map_err(|_| UNSUITABLE)?), Algorithm::EdDSA)
        }
        _ => return Err(UNSUITABLE),
    };
    let pinned = jwk.alg.as_deref().map(str::parse).transpose();
    Ok(Read {
        pair,
        usual,
        pinned: pinned.map_err(|_| OTHER_ALGORITHM)?,
        key_id: jwk.kid,
    })
}

impl Jwk {
    fn rsa(&self) -> Result<RsaKeyPair, UnusableMethod> {
        let number = |value: &Option<String>| {
            let mut bytes = member(value)?;
            // Some encoders keep the sign byte of a big integer.
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            bytes.drain(..zeros);
            Ok(bytes)
        };
        let components = KeyPairComponents {
            public_key: PublicKeyComponents {
                n: number(&self.n)?,
                e: number(&self.e)?,
            },
            d: number(&self.d)?,
            p: number(&self.p)?,
            q: number(&self.q)?,
            dP: number(&self.dp)?,
            dQ: number(&self.dq)?,
            qInv: number(&self.qi)?,
        };
        RsaKeyPair::from_components(&components).map_err(|_| UNSUITABLE)
    }

    fn ec(&self, signing: &'static EcdsaSigningAlgorithm) -> Result<EcdsaKeyPair, UnusableMethod> {
        let (x, y) = (member(&self.x)?, member(&self.y)?);
        // SEC 1 §2.3.3: an uncompressed point.
        let point = [&[0x04], &*x, &*y].concat();
        EcdsaKeyPair::from_private_key_and_public_key(signing, &member(&self.d)?, &point).map_err(|_| UNSUITABLE)
    }
}

fn member(value: &Option<String>) -> Result<Vec<u8>, UnusableMethod> {
    jose::decode(value.as_deref().ok_or(UNREADABLE)?).map_err(|_| UNREADABLE)
}

/// Shows what is not secret.
impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey")
            .field("algorithm", &self.algorithm)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
