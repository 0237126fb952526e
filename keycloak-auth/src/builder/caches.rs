//! What is remembered, and for how long.

use std::time::Duration;

use super::KeycloakBuilder;
use crate::Clock;

/// Caches and time.
impl KeycloakBuilder {
    /// How many verified tokens are remembered, and at most 64 of usual size, 4 KiB, by each thread beside them. Default: 10,000;
    /// 0 turns both off.
    ///
    /// A remembered token is accepted no longer than a forgotten one: expiry, keys and the rest are checked each time.
    pub fn token_cache_capacity(mut self, tokens: usize) -> Self {
        self.token_cache_capacity = tokens;
        self
    }

    /// How long a fetched key set is good before it is fetched again. Default: 5 min; at least 1 s.
    pub fn key_set_lifetime(mut self, lifetime: Duration) -> Self {
        self.key_set_lifetime = lifetime;
        self
    }

    /// The pause between two fetches of the key set that unknown keys or failures cause. Default: 30 s; at least 1 s.
    pub fn key_set_cooldown(mut self, cooldown: Duration) -> Self {
        self.key_set_cooldown = cooldown;
        self
    }

    /// How long the discovery document is good. Default: 2 h.
    pub fn metadata_lifetime(mut self, lifetime: Duration) -> Self {
        self.metadata_lifetime = lifetime;
        self
    }

    /// How long the last good key set stays in use while Keycloak cannot be reached. Default: 24 h.
    pub fn outage_window(mut self, window: Duration) -> Self {
        self.outage_window = window;
        self
    }

    /// The clock that tells when a token expires. Default: the system's.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }
}
