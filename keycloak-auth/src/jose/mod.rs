//! JOSE: compact tokens, their unverified header, and the keys that verify them (RFC 7515, 7517, 7518, 8037).
//!
//! Nothing in here does I/O or looks at a claim. A token's algorithm is only ever a question put to the key:
//! the key says which algorithms it verifies, and a token that names another one is refused (RFC 8725 §3.1).

mod algorithm;
mod base64url;
mod compact;
mod header;
mod jwk;
mod key_set;

pub use algorithm::{Algorithm, UnknownAlgorithm};
pub use jwk::{SkipReason, SkippedKey};
pub(crate) use key_set::verify_signature;
pub use key_set::{KeySet, KeySetError, VerifyError};

pub(crate) use base64url::{buffer, decode, decode_into, decode_text, encode};
pub(crate) use compact::Compact;
pub use compact::MalformedToken;
pub(crate) use header::{Header, TokenTypeHeader};
pub(crate) use jwk::VerificationKey;
