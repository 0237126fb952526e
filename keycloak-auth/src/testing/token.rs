//! A token of a test realm: claims as Keycloak sets them, changed by the test, signed.

use std::time::Duration;

use aws_lc_rs::{digest, rand};
use serde_json::{Map, Value, json};

use super::realm::{Signer, TestRealm};

/// The client by which users log in, unless a test says otherwise.
const WEB_CLIENT: &str = "web";

/// Keycloak's default for `accessTokenLifespan`.
const LIFETIME: Duration = Duration::from_secs(300);

/// A token to be minted, with the claims that Keycloak would put into it; made by [`TestRealm::user`] and
/// [`TestRealm::service_account`].
///
/// Names are those of the claims. What the methods do not know, [`claim`](Self::claim) sets.
#[derive(Clone, Debug)]
#[must_use = "nothing is minted until `token` or `bearer` is called"]
pub struct TestToken<'a> {
    realm: &'a TestRealm,
    claims: Map<String, Value>,
    age: Duration,
    lifetime: Duration,
    signer: Signer,
}

impl<'a> TestToken<'a> {
    pub(super) fn of_user(realm: &'a TestRealm, username: &str) -> Self {
        let claims = [
            ("azp", json!(WEB_CLIENT)),
            ("sid", json!(random_id())),
            ("scope", json!("openid email profile")),
            ("preferred_username", json!(username)),
        ];
        Self::new(realm, username).claims(claims)
    }

    pub(super) fn of_service_account(realm: &'a TestRealm, client_id: &str) -> Self {
        let username = format!("service-account-{client_id}");
        let claims = [
            ("azp", json!(client_id)),
            ("scope", json!("email profile")),
            ("preferred_username", json!(username)),
            ("client_id", json!(client_id)),
        ];
        Self::new(realm, &username).claims(claims)
    }

    fn new(realm: &'a TestRealm, username: &str) -> Self {
        let token = Self {
            realm,
            claims: Map::new(),
            age: Duration::ZERO,
            lifetime: LIFETIME,
            signer: Signer::Realm,
        };
        token.claims([
            ("iss", json!(realm.issuer())),
            ("aud", json!(realm.client_id())),
            // The same user has the same id in all tests, another one in another realm.
            ("sub", json!(id_of(&format!("{} {username}", realm.name())))),
            ("typ", json!("Bearer")),
            // As that of a full token of a user who logged in.
            ("jti", json!(format!("onrtro:{}", random_id()))),
            ("acr", json!("1")),
        ])
    }

    fn claims<const N: usize>(mut self, claims: [(&str, Value); N]) -> Self {
        self.claims.extend(claims.map(|(name, value)| (name.to_owned(), value)));
        self
    }

    /// Gives the user a realm role.
    pub fn realm_role(mut self, role: &str) -> Self {
        push(member(&mut self.claims, "realm_access"), "roles", role);
        self
    }

    /// Gives the user a role of a client.
    pub fn client_role(mut self, client_id: &str, role: &str) -> Self {
        let clients = member(&mut self.claims, "resource_access");
        push(member(clients, client_id), "roles", role);
        self
    }

    /// Makes the user a member of a group; the path is written in full, as in `/ops/oncall`, and `ops` means `/ops`, as in a
    /// policy.
    pub fn group(mut self, path: &str) -> Self {
        let full = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("/{path}")
        };
        push(&mut self.claims, "groups", &full);
        self
    }

    /// Grants one more scope.
    pub fn scope(self, scope: &str) -> Self {
        let granted = self.claims.get("scope").and_then(Value::as_str).unwrap_or_default();
        let granted = format!("{granted} {scope}").trim().to_owned();
        self.claim("scope", granted)
    }

    /// Sets the e-mail address, as a verified one.
    pub fn email(self, email: &str) -> Self {
        self.claim("email", email).claim("email_verified", true)
    }

    /// Sets the authentication context class reference, such as `"2"` for a login with a second factor.
    pub fn acr(self, acr: &str) -> Self {
        self.claim("acr", acr)
    }

    /// Lets the user have logged in so long ago (`auth_time`); what `max_age(…)` in a policy looks at.
    pub fn authenticated_ago(self, ago: Duration) -> Self {
        let time = self.realm.clock().now().saturating_sub(ago).as_secs();
        self.claim("auth_time", time)
    }

    /// Sets any claim.
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(name.to_owned(), value.into());
        self
    }

    /// Leaves a claim out: `sub`, as a lightweight token does, or `aud`.
    pub fn without_claim(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// Makes it a token for another audience.
    pub fn audience(self, audience: &str) -> Self {
        self.claim("aud", audience)
    }

    /// Names the client that got the token (`azp`).
    pub fn authorized_party(self, client_id: &str) -> Self {
        self.claim("azp", client_id)
    }

    /// Makes it the token of another issuer.
    pub fn issuer(self, issuer: &str) -> Self {
        self.claim("iss", issuer)
    }

    /// Makes it a token of another type: `ID`, `Refresh`, …
    pub fn token_type(self, typ: &str) -> Self {
        self.claim("typ", typ)
    }

    /// Sets how long it lives; 5 min by default. In whole seconds.
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Lets it have expired an hour ago.
    pub fn expired(mut self) -> Self {
        self.age = self.lifetime + Duration::from_secs(3600);
        self
    }

    /// Signs it with a key that is not the realm's.
    pub fn signed_by_a_stranger(mut self) -> Self {
        self.signer = Signer::Stranger;
        self
    }

    /// The token.
    #[must_use]
    pub fn token(&self) -> String {
        let issued_at = self.realm.clock().now().saturating_sub(self.age);
        let mut claims = self.claims.clone();
        // A test's own times stay.
        for (name, time) in [("iat", issued_at), ("exp", issued_at + self.lifetime)] {
            claims.entry(name).or_insert_with(|| time.as_secs().into());
        }
        self.realm.sign(&Value::Object(claims).to_string(), self.signer)
    }

    /// The value of the `Authorization` header: `Bearer` and the token.
    #[must_use]
    pub fn bearer(&self) -> String {
        format!("Bearer {}", self.token())
    }
}

/// The member as an object; one that a test has set to something else is replaced.
fn member<'m>(object: &'m mut Map<String, Value>, name: &str) -> &'m mut Map<String, Value> {
    let member = object.entry(name).or_insert_with(|| json!({}));
    if !member.is_object() {
        *member = json!({});
    }
    member.as_object_mut().expect("an object, as made above")
}

/// Adds to an array; a member that a test has set to something else is replaced.
fn push(object: &mut Map<String, Value>, name: &str, element: &str) {
    match object.get_mut(name) {
        Some(Value::Array(elements)) => elements.push(element.into()),
        _ => _ = object.insert(name.to_owned(), json!([element])),
    }
}

fn random_id() -> String {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).expect("the system has random numbers");
    uuid(&bytes)
}

fn id_of(name: &str) -> String {
    uuid(digest::digest(&digest::SHA256, name.as_bytes()).as_ref())
}

/// The first 16 bytes in the form of a UUID.
fn uuid(bytes: &[u8]) -> String {
    let hex: String = bytes[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}
