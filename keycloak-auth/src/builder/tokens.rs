//! Which tokens are accepted.

use std::time::Duration;

use super::{KeycloakBuilder, address::Address};
use crate::{Algorithm, Introspection};

/// What is expected of a token.
impl KeycloakBuilder {
    /// Accepts tokens for this audience (`aud`); each call adds one, and a token needs to have one of them.
    ///
    /// Required, since any service of the realm could otherwise pass on the tokens it gets (RFC 8725 §3.9), unless
    /// [`without_audience_check`](Self::without_audience_check) is called. Keycloak puts an audience into a token by an
    /// "audience" mapper.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Accepts tokens for any audience, even for none: every client of the realm can then call this service with the
    /// tokens that its users gave it.
    pub fn without_audience_check(mut self) -> Self {
        self.audience_check = false;
        self
    }

    /// Accepts tokens of this issuer (`iss`), compared exactly. Default: `{server_url}/realms/{realm}`.
    ///
    /// The first call takes the place of the default, each further one adds an issuer. Needed where Keycloak is reached by
    /// another address than its tokens name: behind a proxy, in a container network, or as `localhost` where clients go to
    /// `127.0.0.1`, since a Keycloak without `KC_HOSTNAME` calls itself by whatever address it is asked at.
    ///
    /// The discovery document may name the realm's address at [`server_url`](Self::server_url) or one of these (OpenID Connect
    /// Discovery 1.0 §4.3).
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuers.push(Address::new(issuer));
        self
    }

    /// The signature algorithms that are accepted, of those that the realm's keys are for. Default: RS256.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// Accepts only tokens that were issued to this client (`azp`); each call adds one. Default: any client.
    pub fn authorized_party(mut self, client_id: impl Into<String>) -> Self {
        self.authorized_parties.push(client_id.into());
        self
    }

    /// How far the clocks of Keycloak and this service may differ. Default: 60 s; at most 10 min.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// The largest token that is looked at, in bytes. Default: 16 KiB.
    pub fn max_token_bytes(mut self, bytes: usize) -> Self {
        self.max_token_bytes = bytes;
        self
    }

    /// About which tokens Keycloak is asked (RFC 7662). Default: [`Introspection::Never`].
    ///
    /// Needs a [`client_secret`](Self::client_secret) or another [`client_authentication`](Self::client_authentication). What
    /// Keycloak says is checked like a token's claims. When it does not answer, requests with such tokens are answered with
    /// 503. [`Introspection`] has the table of what happens to which token.
    ///
    /// ```
    /// use keycloak_auth::{Introspection, Keycloak};
    ///
    /// let keycloak = Keycloak::builder()
    ///     .server_url("https://id.example.com")
    ///     .realm("acme")
    ///     .client_id("orders-api")
    ///     .client_secret("…")
    ///     .audience("orders-api")
    ///     .introspection(Introspection::WhenLightweight)
    ///     .build()?;
    /// # Ok::<(), keycloak_auth::BuildError>(())
    /// ```
    pub fn introspection(mut self, introspection: Introspection) -> Self {
        self.introspection = introspection;
        self
    }

    /// Asks Keycloak about every token (RFC 7662) instead of verifying it here: a logout, a revocation or a realm
    /// not-before then takes effect within 30 s. Default: off.
    ///
    /// The same as [`introspection`](Self::introspection) with [`Introspection::Always`], or with
    /// [`Introspection::Never`] for `false`.
    pub fn use_introspection(self, use_introspection: bool) -> Self {
        self.introspection(if use_introspection {
            Introspection::Always
        } else {
            Introspection::Never
        })
    }
}
