//! Exchanges that Keycloak refused a moment ago: asked again, it would say the same.

use std::{fmt, time::Duration};

use quick_cache::sync::Cache;

use crate::{AuthError, TokenRefusal, clock::left, digest::Digest};

/// How long a refusal is remembered: who has just been allowed the exchange does not wait long for it.
const LIFETIME: Duration = Duration::from_secs(2);

/// How many are remembered.
const MAX_REFUSALS: usize = 1_000;

/// Refusals with longer texts are not remembered. Keycloak's take some 100 bytes.
const MAX_TEXT: usize = 1_024;

/// The refusals at hand.
pub(super) struct RefusedExchanges {
    kept: Cache<Digest, Kept>,
}

#[derive(Clone)]
struct Kept {
    refusal: TokenRefusal,
    /// By the clock of the configuration.
    until: Duration,
}

impl RefusedExchanges {
    pub(super) fn find(&self, key: &Digest, now: Duration) -> Option<AuthError> {
        let kept = self.kept.get(key)?;
        left(kept.until, LIFETIME, now)?;
        Some(AuthError::TokenRefused(kept.refusal))
    }

    /// Remembers a refusal that is one of RFC 6749 §5.2 or RFC 8693 §2.2.2; other codes may be about a passing trouble.
    pub(super) fn note(&self, key: Digest, error: &AuthError, now: Duration) {
        if let AuthError::TokenRefused(refusal) = error
            && refusal.error().is_definite()
            && refusal.code().len() + refusal.description().map_or(0, str::len) <= MAX_TEXT
        {
            let (refusal, until) = (refusal.clone(), now + LIFETIME);
            self.kept.insert(key, Kept { refusal, until });
        }
    }
}

impl Default for RefusedExchanges {
    fn default() -> Self {
        Self {
            kept: Cache::new(MAX_REFUSALS),
        }
    }
}

impl fmt::Debug for RefusedExchanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefusedExchanges").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::GrantKind;

    #[test]
    fn a_refusal_with_a_long_text_is_not_remembered() {
        let now = Duration::from_secs(1_000);
        let is_remembered = |code: &str, description_bytes: usize| {
            let refusals = RefusedExchanges::default();
            let description = Some("x".repeat(description_bytes));
            let refusal = TokenRefusal::new(GrantKind::TokenExchange, code.to_owned(), description);
            refusals.note([0; 32], &AuthError::TokenRefused(refusal), now);
            refusals.find(&[0; 32], now).is_some()
        };
        let code = "invalid_request";
        assert!(is_remembered(code, MAX_TEXT - code.len()));
        assert!(!is_remembered(code, MAX_TEXT - code.len() + 1));
        assert!(
            !is_remembered("temporarily_unavailable", 10),
            "may be about a passing trouble"
        );
    }
}
