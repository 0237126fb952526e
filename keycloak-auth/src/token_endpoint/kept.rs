//! A token that is used until shortly before it expires.

use std::{sync::Arc, time::Duration};

use super::TokenResponse;

/// A token is not handed out any more when it lives for less than this.
const SPARE: Duration = Duration::from_secs(10);

/// A token is replaced in the last fifth of its life, as long as the old one still serves.
const AHEAD: u32 = 5;

/// Tokens, with the time by the clock of the configuration. Cloning is cheap.
#[derive(Clone, Debug)]
pub(crate) struct KeptToken {
    tokens: Arc<TokenResponse>,
    obtained_at: Duration,
}

impl KeptToken {
    pub(super) fn new(tokens: Arc<TokenResponse>, obtained_at: Duration) -> Self {
        Self { tokens, obtained_at }
    }

    pub(crate) fn tokens(&self) -> &TokenResponse {
        &self.tokens
    }

    /// With the lifetime that is left.
    pub(super) fn as_of(&self, now: Duration) -> TokenResponse {
        TokenResponse {
            expires_in: self.remaining(now).as_secs(),
            ..(*self.tokens).clone()
        }
    }

    /// Not when no lifetime is known (RFC 6749 §5.1).
    pub(super) fn is_usable(&self, now: Duration) -> bool {
        now >= self.obtained_at && self.remaining(now) > SPARE.min(self.tokens.lifetime() / 2)
    }

    pub(super) fn is_due(&self, now: Duration) -> bool {
        self.remaining(now) < self.tokens.lifetime() / AHEAD
    }

    /// How long it is usable from when it was obtained.
    pub(super) fn usable_for(&self) -> Duration {
        let lifetime = self.tokens.lifetime();
        lifetime - SPARE.min(lifetime / 2)
    }

    pub(super) fn is_older_than(&self, age: Duration, now: Duration) -> bool {
        now.saturating_sub(self.obtained_at) >= age
    }

    /// Whether both came in the same answer.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.tokens, &other.tokens)
    }

    /// How much memory it takes, in bytes.
    pub(super) fn size(&self) -> usize {
        let TokenResponse {
            access_token,
            refresh_token,
            id_token,
            ..
        } = &*self.tokens;
        let others = [refresh_token, id_token].into_iter().flatten().map(String::len);
        size_of::<TokenResponse>() + access_token.len() + others.sum::<usize>()
    }

    fn remaining(&self, now: Duration) -> Duration {
        let end = self.obtained_at.saturating_add(self.tokens.lifetime());
        end.saturating_sub(now)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_token_from_before_the_clock_was_set_back_is_not_used() {
        let answer = json!({ "access_token": "token", "token_type": "Bearer", "expires_in": 300 });
        let tokens = serde_json::from_value(answer).expect("an answer");
        let obtained_at = Duration::from_secs(1_000);
        let kept = KeptToken::new(Arc::new(tokens), obtained_at);
        assert!(kept.is_usable(obtained_at));
        assert!(!kept.is_usable(obtained_at - Duration::from_millis(1)));
        assert!(kept.is_usable(obtained_at + Duration::from_secs(289)));
        assert!(!kept.is_usable(obtained_at + Duration::from_secs(290)));
    }
}
