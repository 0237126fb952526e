//! What came of asking about tokens, kept for a while.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::{BoxFuture, FutureExt as _};
use moka::{Expiry, sync::Cache};

use crate::{
    Clock, clock::left, error::Unavailable, invalid_token::InvalidToken, single_flight::SingleFlight,
    verified_token::VerifiedToken,
};

/// How long a good verdict is kept.
const GOOD_VERDICT: Duration = Duration::from_secs(30);

/// How long a bad verdict is kept.
const BAD_VERDICT: Duration = Duration::from_secs(1);

/// How much memory the verdicts may take, in bytes.
const MAX_BYTES: u64 = 32 * 1024 * 1024;

/// Verdicts by the token that they are about.
///
/// How long they are good is by the clock of the configuration. Moka's own clock and its bound in bytes are for the memory.
/// Its cache for `async` would join those who ask at the same time, but with five more crates, and begins anew when the first of
/// them goes away.
#[derive(Debug)]
pub(super) struct Verdicts {
    kept: KeptVerdicts,
    questions: SingleFlight<Arc<str>, Verdict>,
}

#[derive(Clone, Debug)]
struct KeptVerdicts {
    by_token: Cache<Arc<str>, Kept>,
    clock: Clock,
}

/// What came of asking about a token.
#[derive(Clone, Debug)]
pub(super) enum Verdict {
    /// The token is active, and has these claims.
    Good(Arc<VerifiedToken>),
    /// The token is not acceptable.
    Bad(InvalidToken),
    /// Nobody knows. It goes to those who wait for it, and is not kept.
    Unknown(Unavailable),
}

#[derive(Clone, Debug)]
struct Kept {
    verdict: Verdict,
    lifetime: Duration,
    /// Until when it is good, by the clock of the configuration.
    until: Duration,
}

impl Kept {
    /// Counts from before the question, so that it is no older than its lifetime.
    fn new(verdict: Verdict, asked_at: Duration) -> Self {
        let lifetime = match &verdict {
            Verdict::Good(token) => {
                let expires_at = Duration::from_secs(token.claims().expires_at().unwrap_or_default());
                expires_at.saturating_sub(asked_at).min(GOOD_VERDICT)
            }
            Verdict::Bad(_) => BAD_VERDICT,
            Verdict::Unknown(_) => Duration::ZERO,
        };
        Self {
            verdict,
            lifetime,
            until: asked_at + lifetime,
        }
    }

    fn is_good(&self, now: Duration) -> bool {
        left(self.until, self.lifetime, now).is_some()
    }

    fn size(&self) -> usize {
        let token = match &self.verdict {
            Verdict::Good(token) => token.size(),
            Verdict::Bad(_) | Verdict::Unknown(_) => 0,
        };
        size_of::<Self>() + token
    }
}

impl Verdicts {
    pub(super) fn new(clock: Clock) -> Self {
        let by_token = Cache::builder()
            .weigher(|token: &Arc<str>, kept: &Kept| u32::try_from(token.len() + kept.size()).unwrap_or(u32::MAX))
            .max_capacity(MAX_BYTES)
            .expire_after(Lifetime)
            .build();
        Self {
            kept: KeptVerdicts { by_token, clock },
            questions: SingleFlight::default(),
        }
    }

    /// The verdict at hand, or that of a question that all who come while it is open wait for.
    pub(super) async fn about(
        &self,
        token: &str,
        ask: impl FnOnce(Arc<str>) -> BoxFuture<'static, Verdict>,
    ) -> Verdict {
        if let Some(verdict) = self.kept.find(token) {
            return verdict;
        }
        let token = Arc::<str>::from(token);
        let question = self.questions.join(Arc::clone(&token), || {
            let kept = self.kept.clone();
            let asking = ask(Arc::clone(&token));
            async move {
                // Another one may have been faster, between the look and the joining.
                match kept.find(&token) {
                    Some(verdict) => verdict,
                    None => kept.keep(token, asking).await,
                }
            }
            .boxed()
        });
        question.await
    }
}

impl KeptVerdicts {
    fn find(&self, token: &str) -> Option<Verdict> {
        let kept = self.by_token.get(token)?;
        kept.is_good(self.clock.now()).then_some(kept.verdict)
    }

    async fn keep(&self, token: Arc<str>, asking: BoxFuture<'static, Verdict>) -> Verdict {
        let asked_at = self.clock.now();
        let kept = Kept::new(asking.await, asked_at);
        if !kept.lifetime.is_zero() {
            self.by_token.insert(token, kept.clone());
        }
        kept.verdict
    }
}

/// How long a verdict takes memory, at most.
struct Lifetime;

impl Expiry<Arc<str>, Kept> for Lifetime {
    fn expire_after_create(&self, _: &Arc<str>, kept: &Kept, _: Instant) -> Option<Duration> {
        Some(kept.lifetime)
    }

    fn expire_after_update(&self, _: &Arc<str>, kept: &Kept, _: Instant, _: Option<Duration>) -> Option<Duration> {
        Some(kept.lifetime)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_verdict_is_as_old_as_its_question() {
        let clock = Clock::manual(Duration::from_secs(1_000));
        let verdicts = Verdicts::new(clock.clone());
        let asked = Arc::new(AtomicUsize::new(0));
        let ask = |_| {
            let (clock, asked) = (clock.clone(), Arc::clone(&asked));
            async move {
                asked.fetch_add(1, Ordering::Relaxed);
                clock.advance(Duration::from_millis(600));
                Verdict::Bad(InvalidToken::Inactive)
            }
            .boxed()
        };
        verdicts.about("token", ask).await;
        clock.advance(BAD_VERDICT - Duration::from_millis(600));
        verdicts.about("token", ask).await;
        assert_eq!(asked.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn verdicts_take_no_more_memory_than_they_may() {
        let verdicts = Verdicts::new(Clock::system()).kept.by_token;
        // None of them ends during the test, however slow that is: moka's clock is no other than the system's.
        let kept = Kept {
            verdict: Verdict::Bad(InvalidToken::Inactive),
            lifetime: Duration::from_secs(3600),
            until: Duration::MAX,
        };
        let token_bytes = 16 * 1024;
        for number in 0..2 * MAX_BYTES / token_bytes {
            let token = format!("{number:0>width$}", width = token_bytes as usize);
            verdicts.insert(token.into(), kept.clone());
        }
        // Each time it removes so many and no more.
        let mut before = u64::MAX;
        while before != verdicts.weighted_size() {
            before = verdicts.weighted_size();
            verdicts.run_pending_tasks();
        }
        let bytes = verdicts.weighted_size();
        let verdict_bytes = token_bytes + kept.size() as u64;
        assert!((MAX_BYTES - verdict_bytes..=MAX_BYTES).contains(&bytes), "{bytes}");
    }
}
