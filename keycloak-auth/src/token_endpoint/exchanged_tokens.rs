//! Callers' tokens exchanged for others (RFC 8693), kept until shortly before they expire.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::FutureExt as _;
use moka::{Expiry, sync::Cache};

use super::{KeptToken, TokenEndpoint};
use crate::{
    AuthError,
    digest::{Digest, digest_of},
    single_flight::SingleFlight,
};

/// How much memory the tokens may take, in bytes: some thousands of them.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// A token that lives longer is exchanged again.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// What is exchanged, and for what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exchange<'a> {
    pub(crate) subject_token: &'a str,
    pub(crate) audiences: &'a [String],
    pub(crate) scope: Option<&'a str>,
}

/// The tokens at hand.
pub(super) struct ExchangedTokens {
    kept: Cache<Digest, KeptToken>,
    requests: SingleFlight<Digest, Result<KeptToken, AuthError>>,
}

impl Exchange<'_> {
    fn key(&self) -> Digest {
        let audiences = self.audiences.iter().map(|audience| Some(&**audience));
        digest_of([Some(self.subject_token), self.scope].into_iter().chain(audiences))
    }
}

impl TokenEndpoint {
    /// The exchanged token at hand, or a new one.
    pub(crate) async fn exchanged_token(self: &Arc<Self>, exchange: Exchange<'_>) -> Result<KeptToken, AuthError> {
        let key = exchange.key();
        if let Some(kept) = self.kept_exchanged_token(&key) {
            return Ok(kept);
        }
        let flight = self.exchanged_tokens.requests.join(key, || {
            let endpoint = Arc::clone(self);
            let (subject_token, audiences) = (exchange.subject_token.to_owned(), exchange.audiences.to_vec());
            let scope = exchange.scope.map(str::to_owned);
            async move {
                // Another one may have been faster, between the look and the joining.
                if let Some(kept) = endpoint.kept_exchanged_token(&key) {
                    return Ok(kept);
                }
                let refusals = &endpoint.refused_exchanges;
                if let Some(refusal) = refusals.find(&key, endpoint.provider.now()) {
                    return Err(refusal);
                }
                let tokens = endpoint.exchange(&subject_token, &audiences, scope.as_deref()).await;
                let tokens = tokens.inspect_err(|error| refusals.note(key, error, endpoint.provider.now()))?;
                let kept = KeptToken::new(tokens, endpoint.provider.now());
                endpoint.exchanged_tokens.kept.insert(key, kept.clone());
                Ok(kept)
            }
            .boxed()
        });
        flight.await
    }

    /// [Gives up](Self::give_up) a token that a service did not accept.
    pub(crate) fn give_up_exchanged_token(&self, exchange: Exchange<'_>, refused: &KeptToken) -> bool {
        let (key, tokens) = (exchange.key(), &self.exchanged_tokens.kept);
        self.give_up(tokens.get(&key).as_ref(), refused, || tokens.invalidate(&key))
    }

    fn kept_exchanged_token(&self, key: &Digest) -> Option<KeptToken> {
        let kept = self.exchanged_tokens.kept.get(key)?;
        kept.is_usable(self.provider.now()).then_some(kept)
    }
}

impl Default for ExchangedTokens {
    fn default() -> Self {
        Self {
            kept: Cache::builder()
                .weigher(|key: &Digest, kept: &KeptToken| u32::try_from(key.len() + kept.size()).unwrap_or(u32::MAX))
                .max_capacity(MAX_BYTES)
                .expire_after(Lifetime)
                .build(),
            requests: SingleFlight::default(),
        }
    }
}

impl fmt::Debug for ExchangedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExchangedTokens").finish_non_exhaustive()
    }
}

/// How long a token is kept.
struct Lifetime;

impl Expiry<Digest, KeptToken> for Lifetime {
    fn expire_after_create(&self, _: &Digest, kept: &KeptToken, _: Instant) -> Option<Duration> {
        Some(kept.usable_for().min(LONGEST))
    }

    fn expire_after_update(&self, _: &Digest, kept: &KeptToken, _: Instant, _: Option<Duration>) -> Option<Duration> {
        Some(kept.usable_for().min(LONGEST))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_tokens_take_no_more_memory_than_they_may() {
        let tokens = ExchangedTokens::default();
        for number in 0..6_000_u32 {
            let mut key = [0; 32];
            key[..4].copy_from_slice(&number.to_le_bytes());
            let answer = json!({ "access_token": "t".repeat(4096), "token_type": "Bearer", "expires_in": 300 });
            let answer = serde_json::from_value(answer).expect("an answer");
            let kept = KeptToken::new(Arc::new(answer), Duration::from_secs(1_000));
            tokens.kept.insert(key, kept);
        }
        tokens.kept.run_pending_tasks();
        let (size, count) = (tokens.kept.weighted_size(), tokens.kept.entry_count());
        assert!(size <= MAX_BYTES && count > 3_000, "{count} tokens, {size} bytes");
    }

    #[test]
    fn every_part_of_an_exchange_counts() {
        let key = |subject_token, audiences: &[&str], scope| {
            let audiences: Vec<String> = audiences.iter().map(|&audience| audience.to_owned()).collect();
            Exchange {
                subject_token,
                audiences: &audiences,
                scope,
            }
            .key()
        };
        let keys = [
            key("token", &[], None),
            key("token", &[], Some("")),
            key("token", &[""], None),
            key("token", &["scope"], None),
            key("token", &[], Some("scope")),
            key("token", &["a"], Some("scope")),
            key("token", &["a"], Some("a")),
            key("token", &["a", "b"], None),
            key("token", &["b", "a"], None),
            key("token", &["ab"], None),
            key("token", &["", "a"], None),
            key("token2", &[], None),
            key("tokens", &["cope"], None),
        ];
        for (number, key) in keys.iter().enumerate() {
            assert!(!keys[..number].contains(key), "{number}");
        }
    }
}
