//! JOSE: compact tokens, their unverified header, and the keys that verify them (RFC 7515, 7517, 7518, 8037).
//!
//! Nothing in here does I/O or looks at a claim. A token's algorithm is only ever a question put to the key:
//! the key says which algorithms it verifies, and a token that names another one is refused (RFC 8725 §3.1).
//!
//! Why not `jsonwebtoken` (11): its `DecodingKey` keeps a key's bytes, which are parsed at each verification, a seventh of the
//! time of the whole. Its exchangeable `CryptoProvider` does not help: a verifier is made, and boxed, for each token by a plain
//! function of algorithm and `DecodingKey`, in which a parsed key has no place; and the provider is one for the whole process,
//! which is for the service to choose, not for a library in it. Besides, a key made of a JWK forgets its `alg` and `use`, one
//! odd key fails the whole set, `crit` is ignored, ES512 is missing, and the payload is read twice, without refusing members
//! that stand twice. Signatures are verified by the same library as there, `aws-lc-rs`.

mod algorithm;
mod base64url;
mod compact;
mod header;
mod header_memo;
mod jwk;
mod key_set;

pub use algorithm::{Algorithm, UnknownAlgorithm};
pub use jwk::{SkipReason, SkippedKey};
pub(crate) use key_set::verify_signature;
pub use key_set::{KeySet, KeySetError, VerifyError};

pub(crate) use base64url::{buffer, decode, decode_into, decode_text, encode, is_canonical};
pub(crate) use compact::Compact;
pub use compact::MalformedToken;
pub(crate) use header::{TokenTypeHeader, named_algorithm};
pub(crate) use header_memo::{HeaderMemo, KnownHeader};
pub(crate) use jwk::VerificationKey;
