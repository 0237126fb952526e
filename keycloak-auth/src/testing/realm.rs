//! The realm of a test: its key, its clock, and the `Keycloak` that trusts it.

use std::fmt;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use serde_json::json;

use super::TestToken;
use crate::{
    Algorithm, Clock, Keycloak, KeycloakBuilder,
    jose::{KeySet, encode},
};

/// The server of all test realms; nobody ever connects to it (RFC 6761 §6.4).
const SERVER_URL: &str = "https://keycloak.test";

/// The `kid` of a realm's key.
const KEY_ID: &str = "test-key";

/// A realm for tests: mints tokens, and makes the [`Keycloak`] that accepts them.
///
/// Its tokens are signed with ES256, since such keys are made in no time. Its clock stands still until it is
/// [advanced](Clock::advance).
///
/// ```
/// use keycloak_auth::testing::TestRealm;
///
/// let realm = TestRealm::new("acme", "orders-api");
/// let token = realm.user("alice").realm_role("admin").group("/ops").token();
/// assert_eq!(token.split('.').count(), 3);
/// ```
pub struct TestRealm {
    name: String,
    client_id: String,
    clock: Clock,
    key: EcdsaKeyPair,
    stranger: EcdsaKeyPair,
}

impl TestRealm {
    /// A realm in which the service under test is this client; tokens are for it unless they say otherwise.
    #[must_use]
    pub fn new(realm: impl Into<String>, client_id: impl Into<String>) -> Self {
        Self {
            name: realm.into(),
            client_id: client_id.into(),
            clock: Clock::manual(Clock::system().now()),
            key: new_key(),
            stranger: new_key(),
        }
    }

    /// A [`Keycloak`] that accepts this realm's tokens for the service under test, and asks no server.
    ///
    /// # Panics
    ///
    /// When the realm's or the client's name is blank.
    #[must_use]
    pub fn keycloak(&self) -> Keycloak {
        self.builder().build().expect("the names of a test realm are not blank")
    }

    /// The same, to be configured further: error format, authorized parties, leeway, …
    pub fn builder(&self) -> KeycloakBuilder {
        Keycloak::builder()
            .server_url(SERVER_URL)
            .realm(&self.name)
            .client_id(&self.client_id)
            .audience(&self.client_id)
            .algorithms([Algorithm::ES256])
            .key_set(self.key_set())
            .clock(self.clock.clone())
    }

    /// The realm's key set, with its one public key.
    #[must_use]
    pub fn key_set(&self) -> KeySet {
        // An uncompressed point: 0x04, x, y (SEC 1 §2.3.3).
        let point = self.key.public_key().as_ref();
        let (x, y) = (encode(&point[1..33]), encode(&point[33..]));
        let key = json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": KEY_ID, "x": x, "y": y });
        KeySet::parse(json!({ "keys": [key] }).to_string()).expect("a key set")
    }

    /// The clock of the realm and of every [`Keycloak`] that it makes.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The `iss` of the realm's tokens.
    #[must_use]
    pub fn issuer(&self) -> String {
        format!("{SERVER_URL}/realms/{}", self.name)
    }

    /// A token of a user, without any role or group yet.
    pub fn user(&self, username: &str) -> TestToken<'_> {
        TestToken::of_user(self, username)
    }

    /// A token that a client got for itself (client credentials), without any role yet.
    pub fn service_account(&self, client_id: &str) -> TestToken<'_> {
        TestToken::of_service_account(self, client_id)
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn client_id(&self) -> &str {
        &self.client_id
    }

    pub(super) fn sign(&self, payload: &str, by: Signer) -> String {
        let header = json!({ "alg": "ES256", "typ": "JWT", "kid": KEY_ID }).to_string();
        let mut token = format!("{}.{}", encode(header.as_bytes()), encode(payload.as_bytes()));
        let key = match by {
            Signer::Realm => &self.key,
            Signer::Stranger => &self.stranger,
        };
        let signature = key
            .sign(&SystemRandom::new(), token.as_bytes())
            .expect("the system has random numbers");
        token.push('.');
        token.push_str(&encode(signature.as_ref()));
        token
    }
}

/// Whose key signs.
#[derive(Clone, Copy, Debug)]
pub(super) enum Signer {
    Realm,
    /// Not the realm's, though the token names the realm's.
    Stranger,
}

fn new_key() -> EcdsaKeyPair {
    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("the system has random numbers")
}

impl fmt::Debug for TestRealm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestRealm")
            .field("name", &self.name)
            .field("client_id", &self.client_id)
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}
