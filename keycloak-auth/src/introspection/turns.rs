//! Whose turn it is when there is more to ask than Keycloak is asked at a time.
//!
//! Nobody can tell by its looks whether a token that was never seen is garbage. So who sends garbage gets turns like everybody
//! else, and others have turns of their own: tokens that verify here, and those that Keycloak called active before.

use std::{fmt, time::Duration};

use quick_cache::sync::Cache;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

use crate::{
    digest::{Digest, digest_of},
    trouble::Trouble,
};

/// How many questions of a kind Keycloak is asked at a time: who sends garbage must not reach it one to one.
pub(super) const MAX_CONCURRENT: usize = 64;

/// How long a question waits for its turn. Whoever has not had one by then may come again.
const PATIENCE: Duration = Duration::from_secs(1);

/// How many tokens are remembered as good; each takes some 60 bytes.
const MAX_KNOWN: usize = 10_000;

/// The turns, and who may jump the queue.
pub(super) struct Turns {
    /// For tokens that somebody vouches for: they wait for none of the others.
    vouched: Semaphore,
    others: Semaphore,
    /// Tokens that Keycloak called active. It is for their place in the queue, and for nothing else.
    known: Cache<Digest, ()>,
    /// What the log says of that there are too few.
    pub(super) crowd: Trouble,
}

impl Turns {
    /// A turn for a token that verified here; `None` when there is none in time.
    pub(super) async fn for_verified(&self, deadline: Duration) -> Option<SemaphorePermit<'_>> {
        timeout(patience(deadline), take(&self.vouched)).await.ok()
    }

    /// A turn for a token that nobody knows yet; `is_genuine` is asked only where turns are scarce.
    pub(super) async fn for_other(
        &self,
        token: &str,
        is_genuine: impl Future<Output = bool>,
        deadline: Duration,
    ) -> Option<SemaphorePermit<'_>> {
        // It fails as well when others wait, so that nobody is overtaken.
        if let Ok(turn) = self.others.try_acquire() {
            return Some(turn);
        }
        let waiting = async {
            if self.known.get(&digest_of([Some(token)])).is_some() || is_genuine.await {
                take(&self.vouched).await
            } else {
                take(&self.others).await
            }
        };
        timeout(patience(deadline), waiting).await.ok()
    }

    /// Remembers what Keycloak said of a token.
    pub(super) fn note(&self, token: &str, is_good: bool) {
        if is_good {
            self.known.insert(digest_of([Some(token)]), ());
        } else if !self.known.is_empty() {
            self.known.remove(&digest_of([Some(token)]));
        }
    }
}

/// Not long in comparison with what asking may take.
fn patience(deadline: Duration) -> Duration {
    PATIENCE.min(deadline / 5)
}

async fn take(turns: &Semaphore) -> SemaphorePermit<'_> {
    turns.acquire().await.expect("nobody closes the semaphore")
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            vouched: Semaphore::new(MAX_CONCURRENT),
            others: Semaphore::new(MAX_CONCURRENT),
            known: Cache::new(MAX_KNOWN),
            crowd: Trouble::default(),
        }
    }
}

impl fmt::Debug for Turns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turns").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_token_that_became_inactive_waits_with_the_others() {
        let turns = Turns::default();
        let taken = turns.others.try_acquire_many(MAX_CONCURRENT as u32);
        assert!(taken.is_ok(), "all turns of the others are taken");
        let has_turn = async || {
            let turn = turns.for_other("token", async { false }, Duration::from_millis(50));
            turn.await.is_some()
        };
        assert!(!has_turn().await, "nobody knows it");
        turns.note("token", true);
        assert!(has_turn().await);
        turns.note("token", false);
        assert!(!has_turn().await);
    }
}
