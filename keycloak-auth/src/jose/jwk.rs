//! One JSON Web Key, turned into something that verifies (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2).

use std::{
    fmt,
    sync::atomic::{AtomicBool, Ordering},
};

use aws_lc_rs::signature::{self, ParsedPublicKey, RsaPublicKeyComponents, VerificationAlgorithm};
use serde::Deserialize;

use super::{Algorithm, base64url};

/// The sizes of RSA moduli that are used, in bits (RFC 7518 §3.3: at least 2048).
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// A public key, parsed once, with everything that a verification needs.
pub(crate) struct VerificationKey {
    key_id: Option<Box<str>>,
    /// The algorithms that this key may verify: the JWK's `alg`, or all that its type allows.
    verifiers: Vec<(Algorithm, ParsedPublicKey)>,
    /// Whether the key has left the set that it came with.
    is_retired: AtomicBool,
}

impl VerificationKey {
    /// Prepares the key in `json`, or says why it cannot be used for signatures.
    pub(crate) fn parse(json: &serde_json::value::RawValue) -> Result<Self, SkippedKey> {
        let jwk: Jwk = serde_json::from_str(json.get()).map_err(|_| SkippedKey {
            key_id: None,
            reason: SkipReason::Malformed,
        })?;
        let key_id = jwk.kid.clone();
        jwk.prepare().map_err(|reason| SkippedKey { key_id, reason })
    }

    pub(crate) fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    pub(crate) fn algorithms(&self) -> impl Iterator<Item = Algorithm> {
        self.verifiers.iter().map(|(algorithm, _)| *algorithm)
    }

    /// The parsed key for `algorithm`, or nothing when this key is not for it.
    pub(crate) fn verifier(&self, algorithm: Algorithm) -> Option<&ParsedPublicKey> {
        self.verifiers
            .iter()
            .find(|(own, _)| *own == algorithm)
            .map(|(_, verifier)| verifier)
    }

    /// Whether the key has left its set: what it verified is worth nothing from then on.
    pub(crate) fn is_retired(&self) -> bool {
        self.is_retired.load(Ordering::Acquire)
    }

    pub(super) fn retire(&self) {
        self.is_retired.store(true, Ordering::Release);
    }

    /// Whether both are the same key under the same name for the same algorithms.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.key_id == other.key_id
            && self.verifiers.len() == other.verifiers.len()
            && self
                .verifiers
                .iter()
                .zip(&other.verifiers)
                .all(|((algorithm, key), (other_algorithm, other_key))| {
                    algorithm == other_algorithm && key.as_ref() == other_key.as_ref()
                })
    }
}

impl fmt::Debug for VerificationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerificationKey")
            .field("key_id", &self.key_id)
            .field("algorithms", &self.algorithms().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// A key of a set that is not used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SkippedKey {
    /// The key's `kid`, where one could be read.
    pub key_id: Option<String>,
    /// What keeps it from being used.
    pub reason: SkipReason,
}

impl fmt::Display for SkippedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key_id {
            Some(key_id) => write!(f, "key `{}`: {}", crate::text::shortened(key_id), self.reason),
            None => write!(f, "a key without a readable `kid`: {}", self.reason),
        }
    }
}

/// Why a key is not used to verify signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SkipReason {
    /// Not a JSON object with the members of its key type.
    #[error("not a JSON Web Key with the members of its key type")]
    Malformed,
    /// `use` is not `sig`, or `key_ops` lacks `verify`: an encryption key (Keycloak publishes one beside the signing key).
    #[error("not a key for signatures")]
    NotForSignatures,
    /// Symmetric (`oct`), or a key type or curve that is not known here.
    #[error("a key type or curve that is not used here")]
    UnsupportedKeyType,
    /// `alg` is not an asymmetric signature algorithm known here, or not one for this type of key.
    #[error("an algorithm that is not used here, or not for this type of key")]
    UnsupportedAlgorithm,
    /// The RSA modulus has fewer than 2048 or more than 8192 bits.
    #[error("an RSA key of fewer than 2048 or more than 8192 bits")]
    RsaKeySize,
    /// The numbers do not make a public key.
    #[error("not a valid public key")]
    InvalidKey,
    /// An earlier key of the set has the same `kid` and algorithm.
    #[error("an earlier key has the same `kid` and algorithm")]
    Duplicate,
    /// The set has more keys than are kept.
    #[error("the set has more keys than are kept")]
    TooMany,
}

/// The members of RFC 7517 §4 and RFC 7518 §6 that matter here; all others are ignored.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    public_key_use: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Jwk {
    fn prepare(self) -> Result<VerificationKey, SkipReason> {
        if self
            .public_key_use
            .as_deref()
            .is_some_and(|public_key_use| public_key_use != "sig")
            || self
                .key_ops
                .as_ref()
                .is_some_and(|operations| operations.iter().all(|operation| operation != "verify"))
        {
            return Err(SkipReason::NotForSignatures);
        }
        let possible = self.possible_algorithms()?;
        let algorithms: Vec<Algorithm> = match &self.alg {
            None => possible.to_vec(),
            Some(name) => {
                let pinned = name.parse().map_err(|_| SkipReason::UnsupportedAlgorithm)?;
                possible
                    .contains(&pinned)
                    .then(|| vec![pinned])
                    .ok_or(SkipReason::UnsupportedAlgorithm)?
            }
        };
        let public_key = self.public_key()?;
        let verifiers = algorithms
            .into_iter()
            .map(|algorithm| Ok((algorithm, public_key.parse_for(algorithm)?)))
            .collect::<Result<_, SkipReason>>()?;
        Ok(VerificationKey {
            key_id: self.kid.map(Into::into),
            verifiers,
            is_retired: AtomicBool::new(false),
        })
    }

    fn possible_algorithms(&self) -> Result<&'static [Algorithm], SkipReason> {
        use Algorithm::{ES256, ES384, ES512, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
        match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => Ok(&[RS256, RS384, RS512, PS256, PS384, PS512]),
            ("EC", Some("P-256")) => Ok(&[ES256]),
            ("EC", Some("P-384")) => Ok(&[ES384]),
            ("EC", Some("P-521")) => Ok(&[ES512]),
            ("OKP", Some("Ed25519")) => Ok(&[EdDSA]),
            ("EC" | "OKP", None) => Err(SkipReason::Malformed),
            _ => Err(SkipReason::UnsupportedKeyType),
        }
    }

    fn public_key(&self) -> Result<PublicKey, SkipReason> {
        let member = |value: &Option<String>| {
            base64url::decode(value.as_deref().ok_or(SkipReason::Malformed)?).map_err(|_| SkipReason::Malformed)
        };
        match self.kty.as_str() {
            "RSA" => {
                let modulus = without_leading_zeros(member(&self.n)?);
                let exponent = without_leading_zeros(member(&self.e)?);
                let bits = modulus.len() * 8 - modulus.first().map_or(0, |byte| byte.leading_zeros() as usize);
                if !RSA_BITS.contains(&bits) {
                    return Err(SkipReason::RsaKeySize);
                }
                Ok(PublicKey::Rsa { modulus, exponent })
            }
            "EC" => {
                // SEC 1 §2.3.3: an uncompressed point. The parser checks the length and that the point is on the curve.
                let (x, y) = (member(&self.x)?, member(&self.y)?);
                if x.len() != y.len() {
                    return Err(SkipReason::InvalidKey);
                }
                Ok(PublicKey::Raw([&[0x04], x.as_slice(), y.as_slice()].concat()))
            }
            _ => Ok(PublicKey::Raw(member(&self.x)?)),
        }
    }
}

enum PublicKey {
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    Raw(Vec<u8>),
}

impl PublicKey {
    fn parse_for(&self, algorithm: Algorithm) -> Result<ParsedPublicKey, SkipReason> {
        let rsa = match algorithm {
            Algorithm::RS256 => &signature::RSA_PKCS1_2048_8192_SHA256,
            Algorithm::RS384 => &signature::RSA_PKCS1_2048_8192_SHA384,
            Algorithm::RS512 => &signature::RSA_PKCS1_2048_8192_SHA512,
            Algorithm::PS256 => &signature::RSA_PSS_2048_8192_SHA256,
            Algorithm::PS384 => &signature::RSA_PSS_2048_8192_SHA384,
            Algorithm::PS512 => &signature::RSA_PSS_2048_8192_SHA512,
            // RFC 7518 §3.4: r and s side by side at full length, not DER.
            Algorithm::ES256 => return self.parse_raw(&signature::ECDSA_P256_SHA256_FIXED),
            Algorithm::ES384 => return self.parse_raw(&signature::ECDSA_P384_SHA384_FIXED),
            Algorithm::ES512 => return self.parse_raw(&signature::ECDSA_P521_SHA512_FIXED),
            Algorithm::EdDSA => return self.parse_raw(&signature::ED25519),
        };
        let Self::Rsa { modulus, exponent } = self else {
            return Err(SkipReason::UnsupportedAlgorithm);
        };
        RsaPublicKeyComponents {
            n: modulus.as_slice(),
            e: exponent.as_slice(),
        }
        .to_parsed_public_key(rsa)
        .map_err(|_| SkipReason::InvalidKey)
    }

    fn parse_raw(&self, algorithm: &'static dyn VerificationAlgorithm) -> Result<ParsedPublicKey, SkipReason> {
        let Self::Raw(bytes) = self else {
            return Err(SkipReason::UnsupportedAlgorithm);
        };
        ParsedPublicKey::new(algorithm, bytes).map_err(|_| SkipReason::InvalidKey)
    }
}

/// RFC 7518 §2 wants Base64urlUInt without leading zeros; some encoders keep the sign byte of a big integer.
fn without_leading_zeros(mut number: Vec<u8>) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.drain(..zeros);
    number
}
