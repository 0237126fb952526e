//! Whether a service accepts anybody: as long as it does not, it is rather its settings that are wrong than the tokens.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use crate::{InvalidToken, trouble::Trouble};

/// Whether a request's token was accepted so far.
#[derive(Debug, Default)]
pub(crate) struct Acceptance {
    has_accepted: AtomicBool,
    refusing: Trouble,
}

impl Acceptance {
    #[inline]
    pub(crate) fn note_accepted(&self) {
        if !self.has_accepted.load(Ordering::Relaxed) {
            self.has_accepted.store(true, Ordering::Relaxed);
        }
    }

    /// Warns of a genuine token that is refused for whom it is from or for, as long as none was accepted. `mismatch` says what stands
    /// there, and what is expected.
    #[cold]
    pub(crate) fn note_refused(&self, invalid: InvalidToken, now: Duration, mismatch: impl FnOnce() -> Option<String>) {
        let (InvalidToken::Claim(claim) | InvalidToken::MissingClaim(claim)) = invalid else {
            return;
        };
        if !matches!(claim, "iss" | "aud" | "azp")
            || self.has_accepted.load(Ordering::Relaxed)
            || !self.refusing.happens(now)
        {
            return;
        }
        let mismatch = mismatch().map_or_else(String::new, |mismatch| format!(", {mismatch}"));
        tracing::warn!(
            name: "keycloak.nobody_accepted",
            target: "keycloak_auth",
            { keycloak.claim = claim },
            "no access token was accepted so far, and one of this realm is refused: its {invalid}{mismatch}; check the settings, \
             or the mappers of the client that logs in",
        );
    }
}
