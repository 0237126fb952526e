//! Tokens: what may stand in them ([`Scope`]), how they are made ([`mint`]) and read again ([`verify`]).

mod mint;
mod scope;
mod verify;

pub(super) use mint::{Issue, SessionKind, introspection_claims, userinfo_claims};
pub(super) use scope::Scope;
pub(super) use verify::{AccessToken, RefreshToken, Unusable};

use std::collections::BTreeMap;

use aws_lc_rs::digest;
use serde_json::{Map, Value, json};

use super::{
    keys::{RefreshKey, SigningKey, base64url},
    model::Client,
};
use crate::Algorithm;

/// The claims of a token.
pub(super) type Claims = Map<String, Value>;

/// A JWS in compact form (RFC 7515 §7.1).
fn sign(key: &SigningKey, header_type: &str, claims: &Claims) -> String {
    let header = json!({ "alg": key.algorithm.name(), "typ": header_type, "kid": key.kid });
    compact(&header, claims, |message| key.sign(message))
}

fn sign_refresh(key: &RefreshKey, claims: &Claims) -> String {
    let header = json!({ "alg": "HS512", "typ": "JWT", "kid": key.kid });
    compact(&header, claims, |message| key.sign(message))
}

fn compact(header: &Value, claims: &Claims, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let claims = serde_json::to_string(claims).expect("a JSON object can be written");
    let mut token = format!("{}.{}", base64url(header.to_string()), base64url(claims));
    let signature = sign(token.as_bytes());
    token.push('.');
    token.push_str(&base64url(signature));
    token
}

/// What the session of a service account remembers.
pub(super) fn service_account_notes(client: &Client) -> BTreeMap<String, String> {
    // Only loopback reaches this server.
    let host = "127.0.0.1".to_owned();
    BTreeMap::from([
        ("clientHost".to_owned(), host.clone()),
        ("clientAddress".to_owned(), host),
        ("client_id".to_owned(), client.client_id.clone()),
    ])
}

/// The left half of the digest that the algorithm uses (OpenID Connect Core §3.1.3.6).
fn token_hash(token: &str, algorithm: Algorithm) -> String {
    let digest = match algorithm {
        Algorithm::RS256 | Algorithm::PS256 | Algorithm::ES256 => &digest::SHA256,
        Algorithm::RS384 | Algorithm::PS384 | Algorithm::ES384 => &digest::SHA384,
        Algorithm::RS512 | Algorithm::PS512 | Algorithm::ES512 | Algorithm::EdDSA => &digest::SHA512,
    };
    let hash = digest::digest(digest, token.as_bytes());
    base64url(&hash.as_ref()[..hash.as_ref().len() / 2])
}
