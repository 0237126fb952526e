//! Tokens of any content: shaped like those of Keycloak 26.7 until a test says otherwise.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::{digest, hmac};
use serde_json::{Map, Value, json};

use crate::{SigningKey, random, realm::uuid};

/// The header and the payload of a JWS, as JSON or as any bytes.
#[derive(Clone, Debug)]
#[must_use]
pub struct Token {
    header: Part,
    payload: Part,
}

#[derive(Clone, Debug)]
enum Part {
    Json(Map<String, Value>),
    Raw(Vec<u8>),
}

impl Token {
    /// An access token of Alice, from `orders-web` for `orders-api`: a realm administrator, in the group `/ops`.
    pub fn new(issuer: &str) -> Self {
        let now = now();
        let payload = json!({
            "exp": now + 300,
            "iat": now,
            "jti": format!("onrtro:{}", uuid(&random::<16>())),
            "iss": issuer,
            "aud": "orders-api",
            "sub": "24b70fee-6687-575b-9043-0e37c958153d",
            "typ": "Bearer",
            "azp": "orders-web",
            "sid": uuid(&random::<16>()),
            "acr": "1",
            "allowed-origins": ["*"],
            "realm_access": {
                "roles": ["default-roles-acme", "offline_access", "admin", "uma_authorization"],
            },
            "resource_access": {
                "account": { "roles": ["manage-account", "manage-account-links", "view-profile"] },
            },
            "scope": "profile email",
            "email_verified": true,
            "name": "Alice Admin",
            "groups": ["/ops"],
            "preferred_username": "alice",
            "given_name": "Alice",
            "family_name": "Admin",
            "email": "alice@acme.test",
        });
        Self::of(&json!({ "typ": "JWT" }), &payload)
    }

    /// A header and a payload, both JSON objects.
    pub fn of(header: &Value, payload: &Value) -> Self {
        let object = |value: &Value| value.as_object().cloned().expect("a JSON object");
        Self {
            header: Part::Json(object(header)),
            payload: Part::Json(object(payload)),
        }
    }

    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.payload.object().insert(name.to_owned(), value.into());
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        let removed = self.payload.object().remove(name);
        assert!(removed.is_some(), "the payload has no `{name}`");
        self
    }

    /// Sets a header parameter; `alg` and `kid` are those of the signing key unless set here.
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.object().insert(name.to_owned(), value.into());
        self
    }

    pub fn without_header(mut self, name: &str) -> Self {
        let removed = self.header.object().remove(name);
        assert!(removed.is_some(), "the header has no `{name}`");
        self
    }

    /// Any bytes in place of the header; nothing is added to them.
    pub fn raw_header(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.header = Part::Raw(bytes.into());
        self
    }

    /// Any bytes in place of the payload.
    pub fn raw_payload(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.payload = Part::Raw(bytes.into());
        self
    }

    /// Changes the JSON text of the payload, for what a JSON value cannot hold: duplicates, `NaN`, `1e400`.
    pub fn edit_payload(self, edit: impl FnOnce(String) -> String) -> Self {
        let text = String::from_utf8(self.payload.bytes()).expect("JSON text is UTF-8");
        let edited = edit(text.clone());
        assert_ne!(edited, text, "the edit changes nothing");
        self.raw_payload(edited)
    }

    /// Changes the JSON text of the header as it would be with this key.
    pub fn edit_header(self, key: &SigningKey, edit: impl FnOnce(String) -> String) -> Self {
        let text = self.header_for(key.algorithm(), Some(key.kid()));
        let text = String::from_utf8(text).expect("JSON text is UTF-8");
        let edited = edit(text.clone());
        assert_ne!(edited, text, "the edit changes nothing");
        self.raw_header(edited)
    }

    /// The compact form, signed.
    pub fn sign(&self, key: &SigningKey) -> String {
        self.sign_as(key.algorithm(), key)
    }

    /// Signed by another algorithm of the key than the header may say.
    pub fn sign_as(&self, algorithm: &str, key: &SigningKey) -> String {
        let input = self.signing_input(key.algorithm(), Some(key.kid()));
        let signature = key.sign_as(algorithm, input.as_bytes());
        format!("{input}.{}", base64url(signature))
    }

    /// The compact form with an HMAC by these bytes; `HS256`, `HS384` or `HS512`.
    pub fn hmac(&self, algorithm: &str, kid: &str, secret: &[u8]) -> String {
        let hash = match algorithm {
            "HS256" => hmac::HMAC_SHA256,
            "HS384" => hmac::HMAC_SHA384,
            "HS512" => hmac::HMAC_SHA512,
            other => panic!("`{other}` is not an HMAC"),
        };
        let input = self.signing_input(algorithm, Some(kid));
        let tag = hmac::sign(&hmac::Key::new(hash, secret), input.as_bytes());
        format!("{input}.{}", base64url(tag))
    }

    /// The compact form with any text as signature; the header is that of the key.
    pub fn with_signature(&self, key: &SigningKey, signature: &str) -> String {
        let input = self.signing_input(key.algorithm(), Some(key.kid()));
        format!("{input}.{signature}")
    }

    /// The first two parts.
    pub fn signing_input(&self, algorithm: &str, kid: Option<&str>) -> String {
        let header = base64url(self.header_for(algorithm, kid));
        format!("{header}.{}", base64url(self.payload.bytes()))
    }

    fn header_for(&self, algorithm: &str, kid: Option<&str>) -> Vec<u8> {
        let mut header = self.header.clone();
        if let Part::Json(object) = &mut header {
            object.entry("alg").or_insert_with(|| json!(algorithm));
            if let Some(kid) = kid {
                object.entry("kid").or_insert_with(|| json!(kid));
            }
        }
        header.bytes()
    }
}

impl Part {
    fn object(&mut self) -> &mut Map<String, Value> {
        let Self::Json(object) = self else {
            panic!("this part is no longer JSON");
        };
        object
    }

    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Json(object) => Value::Object(object.clone()).to_string().into_bytes(),
            Self::Raw(bytes) => bytes.clone(),
        }
    }
}

/// A DPoP proof (RFC 9449 section 4.2) with further claims, such as `ath` or `nonce`.
pub fn dpop_proof(key: &SigningKey, method: &str, url: &str, further: &Value) -> String {
    let header = json!({ "typ": "dpop+jwt", "alg": key.algorithm(), "jwk": key.public_jwk() });
    let mut payload = json!({
        "jti": uuid(&random::<16>()),
        "htm": method,
        "htu": url,
        "iat": now(),
    });
    for (name, value) in further.as_object().into_iter().flatten() {
        payload[name] = value.clone();
    }
    let input = Token::of(&header, &payload).signing_input(key.algorithm(), None);
    let signature = key.sign(input.as_bytes());
    format!("{input}.{}", base64url(signature))
}

/// The header of a compact token.
pub fn header_of(token: &str) -> Value {
    part_of(token, 0)
}

/// The claims of a compact token, unverified.
pub fn claims_of(token: &str) -> Value {
    part_of(token, 1)
}

fn part_of(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).expect("a token has three parts");
    serde_json::from_slice(&base64url_decode(part)).expect("header and payload are JSON")
}

/// The SHA-256 of a text in base64url: a PKCE challenge (RFC 7636), the `ath` of a DPoP proof (RFC 9449).
pub fn sha256(text: &str) -> String {
    base64url(digest::digest(&digest::SHA256, text.as_bytes()))
}

pub fn base64url(bytes: impl AsRef<[u8]>) -> String {
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes)
}

pub fn base64url_decode(text: &str) -> Vec<u8> {
    base64_simd::URL_SAFE_NO_PAD
        .decode_to_vec(text)
        .expect("base64url without padding")
}

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("the clock is after 1970")
        .as_secs()
}
