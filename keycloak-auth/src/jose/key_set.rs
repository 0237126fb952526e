//! A set of verification keys, and the choice among them (RFC 7517 §5).

use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    Algorithm, base64url,
    compact::{Compact, MalformedToken},
    header::{Header, HeaderError},
    jwk::{SkipReason, SkippedKey, VerificationKey},
};

/// The most keys of a set that are kept; Keycloak publishes a handful.
const MAX_KEYS: usize = 64;

/// The longest signature in bytes: RSA with 8192 bits.
const MAX_SIGNATURE: usize = 1024;

/// The usable keys of a JSON Web Key Set, parsed once and ready to verify.
///
/// One odd key does not spoil the set: it is left out and reported by [`skipped`](Self::skipped).
///
/// ```
/// use keycloak_auth::jose::KeySet;
///
/// let keys = KeySet::parse(br#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig",
///     "kid": "k1", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#)?;
/// assert_eq!(keys.len(), 1);
/// assert!(keys.verify("not.a.token").is_err());
/// # Ok::<(), keycloak_auth::jose::KeySetError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    keys: Vec<Arc<VerificationKey>>,
    skipped: Vec<SkippedKey>,
}

impl KeySet {
    pub(crate) const fn empty() -> Self {
        Self {
            keys: Vec::new(),
            skipped: Vec::new(),
        }
    }

    /// Reads a JWK Set, keeping the keys that can verify signatures; at most 64.
    ///
    /// # Errors
    ///
    /// When `json` is not an object with an array `keys`. A set without a usable key is not an error: see
    /// [`is_empty`](Self::is_empty).
    pub fn parse(json: impl AsRef<[u8]>) -> Result<Self, KeySetError> {
        #[derive(Deserialize)]
        struct JwkSet<'a> {
            #[serde(borrow)]
            keys: Vec<&'a RawValue>,
        }

        let set: JwkSet<'_> = serde_json::from_slice(json.as_ref()).map_err(KeySetError)?;
        let mut parsed = Self::default();
        for json in set.keys {
            match VerificationKey::parse(json) {
                Ok(key) => parsed.insert(key),
                Err(skipped) => parsed.skipped.push(skipped),
            }
        }
        Ok(parsed)
    }

    fn insert(&mut self, key: VerificationKey) {
        let clashes = |other: &Arc<VerificationKey>| {
            other.key_id() == key.key_id() && other.algorithms().any(|algorithm| key.verifier(algorithm).is_some())
        };
        let reason = if self.keys.len() == MAX_KEYS {
            SkipReason::TooMany
        } else if key.key_id().is_some() && self.keys.iter().any(clashes) {
            SkipReason::Duplicate
        } else {
            self.keys.push(Arc::new(key));
            return;
        };
        self.skipped.push(SkippedKey {
            key_id: key.key_id().map(str::to_owned),
            reason,
        });
    }

    /// How many keys can verify.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether no key can verify.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The algorithms that the keys verify, key by key; one may come several times.
    pub fn algorithms(&self) -> impl Iterator<Item = Algorithm> {
        self.keys.iter().flat_map(|key| key.algorithms())
    }

    /// The keys that were left out, in the order of the set.
    #[must_use]
    pub fn skipped(&self) -> &[SkippedKey] {
        &self.skipped
    }

    /// Verifies the signature of a compact JWS and returns its payload, decoded.
    ///
    /// Says nothing about issuer, audience or time: that is what [`Keycloak::authenticate`](crate::Keycloak::authenticate)
    /// does on top.
    ///
    /// # Errors
    ///
    /// When `compact` is malformed, its header asks for something that is not accepted (`none`, an HMAC algorithm, `crit`,
    /// an embedded key), no key of the set is meant, or the signature does not verify.
    pub fn verify(&self, compact: impl AsRef<[u8]>) -> Result<Vec<u8>, VerifyError> {
        let compact = Compact::parse(&compact)?;
        let header = Header::parse(compact.header)?;
        let key = self.select(header.key_id.as_deref(), header.algorithm)?;
        verify_signature(key, header.algorithm, &compact)?;
        Ok(base64url::decode(compact.payload).map_err(|_| MalformedToken::Encoding)?)
    }

    /// The one key that a header means.
    ///
    /// With a `kid` it is the key of that name, and the algorithm must be one of that key's. Without, it is the only key
    /// for the algorithm; where there are several, none is guessed.
    pub(crate) fn select(
        &self,
        key_id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<&Arc<VerificationKey>, VerifyError> {
        let mut named = self
            .keys
            .iter()
            .filter(|key| key_id.is_none() || key.key_id() == key_id)
            .peekable();
        if named.peek().is_none() {
            return Err(VerifyError::UnknownKey);
        }
        let mut suitable = named.filter(|key| key.verifier(algorithm).is_some());
        let key = suitable.next().ok_or(if key_id.is_some() {
            VerifyError::Algorithm
        } else {
            VerifyError::UnknownKey
        })?;
        if suitable.next().is_some() {
            Err(VerifyError::UnknownKey)
        } else {
            Ok(key)
        }
    }

    /// Marks the keys that are not in `successor`, which takes the place of this set.
    pub(crate) fn retire_keys_missing_in(&self, successor: &Self) {
        let is_missing = |key: &&Arc<VerificationKey>| !successor.keys.iter().any(|other| Arc::ptr_eq(key, other));
        self.keys.iter().filter(is_missing).for_each(|key| key.retire());
    }

    /// Takes over from `previous` the keys that have not changed, so that what they verified stays verified.
    pub(crate) fn keeping_unchanged(mut self, previous: &Self) -> Self {
        for key in &mut self.keys {
            if let Some(same) = previous.keys.iter().find(|old| old.is_same(key)) {
                *key = Arc::clone(same);
            }
        }
        self
    }
}

/// Verifies the signature over the signing input; the key must be for `algorithm`.
pub(crate) fn verify_signature(
    key: &VerificationKey,
    algorithm: Algorithm,
    compact: &Compact<'_>,
) -> Result<(), VerifyError> {
    let verifier = key.verifier(algorithm).ok_or(VerifyError::Algorithm)?;
    let mut buffer = base64url::buffer::<{ MAX_SIGNATURE + 2 }>();
    let signature = base64url::decode_into(compact.signature, &mut buffer).map_err(|_| MalformedToken::Encoding)?;
    verifier
        .verify_sig(compact.signing_input, signature)
        .map_err(|_| VerifyError::Signature)
}

/// The bytes are not a JWK Set.
#[derive(Debug, thiserror::Error)]
#[error("not a JSON Web Key Set: an object with an array `keys` is expected")]
pub struct KeySetError(#[source] serde_json::Error);

/// Why a key set does not verify a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// Not a compact JWS in canonical form.
    #[error("the token is malformed")]
    Malformed(#[source] MalformedToken),
    /// The header asks for something that is never accepted: `crit`, an embedded key, encryption, compression.
    #[error("the header parameter `{0}` is not accepted")]
    HeaderParameter(&'static str),
    /// `alg` is not an asymmetric algorithm, or not one of the key's.
    #[error("the algorithm is not one that the key verifies")]
    Algorithm,
    /// No key has the token's `kid`; or it has none, and not exactly one key fits.
    #[error("no key of the set is the one that the token names")]
    UnknownKey,
    /// The signature is not one of the key over these bytes.
    #[error("the signature does not verify")]
    Signature,
}

impl From<MalformedToken> for VerifyError {
    fn from(malformed: MalformedToken) -> Self {
        Self::Malformed(malformed)
    }
}

impl From<HeaderError> for VerifyError {
    fn from(error: HeaderError) -> Self {
        match error {
            HeaderError::Malformed(malformed) => Self::Malformed(malformed),
            HeaderError::Algorithm => Self::Algorithm,
            HeaderError::Parameter(parameter) => Self::HeaderParameter(parameter),
        }
    }
}

#[cfg(test)]
mod tests;
