//! The JWT by which a client says who it is (RFC 7523 §3).

use std::{fmt, time::Duration};

use aws_lc_rs::rand;
use serde_json::json;

use super::private_key::PrivateKey;
use crate::jose;

/// How long an assertion is good. There is no `iat`, which Keycloak lets be at most 15 s ahead of its clock: so this
/// service's clock may be 45 s ahead of Keycloak's, or 30 s behind.
const LIFETIME: Duration = Duration::from_secs(30);

/// Signs assertions for one client.
pub(crate) struct AssertionSigner {
    client_id: Box<str>,
    key: PrivateKey,
    /// The first part of every assertion.
    header: String,
}

impl AssertionSigner {
    /// Uses `key_id`, or the key's own.
    pub(super) fn new(client_id: &str, key: PrivateKey, key_id: Option<&str>) -> Self {
        let mut header = json!({ "alg": key.algorithm().name(), "typ": "JWT" });
        if let Some(key_id) = key_id.or(key.key_id()) {
            header["kid"] = key_id.into();
        }
        Self {
            client_id: client_id.into(),
            header: jose::encode(header.to_string().as_bytes()),
            key,
        }
    }

    /// A new assertion for the Keycloak that calls itself `issuer`; `None` where the system has no random numbers.
    ///
    /// The issuer as the only audience is what Keycloak accepts in all versions, and what keeps an assertion from being
    /// passed on to another server (RFC 7523 §3, item 3).
    pub(super) fn assertion(&self, issuer: &str, now: Duration) -> Option<String> {
        let mut id = [0; 16];
        rand::fill(&mut id).ok()?;
        let claims = json!({
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": issuer,
            "jti": jose::encode(&id),
            "exp": (now + LIFETIME).as_secs(),
        });
        let input = format!("{}.{}", self.header, jose::encode(claims.to_string().as_bytes()));
        let signature = self.key.sign(input.as_bytes())?;
        Some(format!("{input}.{}", jose::encode(&signature)))
    }
}

impl fmt::Debug for AssertionSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AssertionSigner")
            .field("client_id", &self.client_id)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}
