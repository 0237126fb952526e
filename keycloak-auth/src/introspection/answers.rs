//! The answers that are kept for a while.

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

/// How long a good answer is kept.
const GOOD_ANSWER: Duration = Duration::from_secs(30);

/// How long a bad answer is kept.
const BAD_ANSWER: Duration = Duration::from_secs(1);

/// How much memory the answers may take, in bytes.
const MAX_BYTES: u64 = 32 * 1024 * 1024;

/// Answers by the token that they are about.
///
/// How long they are good is by the clock of the configuration. Moka's own clock and its bound in bytes are for the memory.
/// Its cache for `async` would join those who ask at the same time, but with five more crates, and begins anew when the first of
/// them goes away.
#[derive(Debug)]
pub(super) struct Answers {
    kept: KeptAnswers,
    questions: SingleFlight<Arc<str>, Answer>,
}

#[derive(Clone, Debug)]
struct KeptAnswers {
    by_token: Cache<Arc<str>, Kept>,
    clock: Clock,
}

/// What came of asking about a token.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    /// The token is active, and has these claims.
    Good(Arc<VerifiedToken>),
    /// The token is not acceptable.
    Bad(InvalidToken),
    /// Nobody knows. It goes to those who wait for it, and is not kept.
    None(Unavailable),
}

#[derive(Clone, Debug)]
struct Kept {
    answer: Answer,
    lifetime: Duration,
    /// Until when it is good, by the clock of the configuration.
    until: Duration,
}

impl Kept {
    /// Counts from before the question, so that it is no older than its lifetime.
    fn new(answer: Answer, asked_at: Duration) -> Self {
        let lifetime = match &answer {
            Answer::Good(token) => {
                let expires_at = Duration::from_secs(token.claims().expires_at().unwrap_or_default());
                expires_at.saturating_sub(asked_at).min(GOOD_ANSWER)
            }
            Answer::Bad(_) => BAD_ANSWER,
            Answer::None(_) => Duration::ZERO,
        };
        Self {
            answer,
            lifetime,
            until: asked_at + lifetime,
        }
    }

    fn is_good(&self, now: Duration) -> bool {
        left(self.until, self.lifetime, now).is_some()
    }

    fn size(&self) -> usize {
        let token = match &self.answer {
            Answer::Good(token) => token.size(),
            Answer::Bad(_) | Answer::None(_) => 0,
        };
        size_of::<Self>() + token
    }
}

impl Answers {
    pub(super) fn new(clock: Clock) -> Self {
        let by_token = Cache::builder()
            .weigher(|token: &Arc<str>, kept: &Kept| u32::try_from(token.len() + kept.size()).unwrap_or(u32::MAX))
            .max_capacity(MAX_BYTES)
            .expire_after(Lifetime)
            .build();
        Self {
            kept: KeptAnswers { by_token, clock },
            questions: SingleFlight::default(),
        }
    }

    /// The answer at hand, or the one to a question that all who come while it is open wait for.
    pub(super) async fn about(&self, token: &str, ask: impl FnOnce(Arc<str>) -> BoxFuture<'static, Answer>) -> Answer {
        if let Some(answer) = self.kept.find(token) {
            return answer;
        }
        let token = Arc::<str>::from(token);
        let question = self.questions.join(Arc::clone(&token), || {
            let kept = self.kept.clone();
            let asking = ask(Arc::clone(&token));
            async move {
                // Another one may have been faster, between the look and the joining.
                match kept.find(&token) {
                    Some(answer) => answer,
                    None => kept.keep(token, asking).await,
                }
            }
            .boxed()
        });
        question.await
    }
}

impl KeptAnswers {
    fn find(&self, token: &str) -> Option<Answer> {
        let kept = self.by_token.get(token)?;
        kept.is_good(self.clock.now()).then_some(kept.answer)
    }

    async fn keep(&self, token: Arc<str>, asking: BoxFuture<'static, Answer>) -> Answer {
        let asked_at = self.clock.now();
        let kept = Kept::new(asking.await, asked_at);
        if !kept.lifetime.is_zero() {
            self.by_token.insert(token, kept.clone());
        }
        kept.answer
    }
}

/// How long an answer takes memory, at most.
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
    async fn an_answer_is_as_old_as_its_question() {
        let clock = Clock::manual(Duration::from_secs(1_000));
        let answers = Answers::new(clock.clone());
        let asked = Arc::new(AtomicUsize::new(0));
        let ask = |_| {
            let (clock, asked) = (clock.clone(), Arc::clone(&asked));
            async move {
                asked.fetch_add(1, Ordering::Relaxed);
                clock.advance(Duration::from_millis(600));
                Answer::Bad(InvalidToken::Inactive)
            }
            .boxed()
        };
        answers.about("token", ask).await;
        clock.advance(BAD_ANSWER - Duration::from_millis(600));
        answers.about("token", ask).await;
        assert_eq!(asked.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn answers_take_no_more_memory_than_they_may() {
        let answers = Answers::new(Clock::system()).kept.by_token;
        // None of them ends during the test, however slow that is: moka's clock is no other than the system's.
        let kept = Kept {
            answer: Answer::Bad(InvalidToken::Inactive),
            lifetime: Duration::from_secs(3600),
            until: Duration::MAX,
        };
        let token_bytes = 16 * 1024;
        for number in 0..2 * MAX_BYTES / token_bytes {
            let token = format!("{number:0>width$}", width = token_bytes as usize);
            answers.insert(token.into(), kept.clone());
        }
        // Each time it removes so many and no more.
        let mut before = u64::MAX;
        while before != answers.weighted_size() {
            before = answers.weighted_size();
            answers.run_pending_tasks();
        }
        let bytes = answers.weighted_size();
        let answer_bytes = token_bytes + kept.size() as u64;
        assert!((MAX_BYTES - answer_bytes..=MAX_BYTES).contains(&bytes), "{bytes}");
    }
}
