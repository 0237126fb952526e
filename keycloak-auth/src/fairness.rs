//! Whose signature is verified next.
//!
//! Verifying a signature takes as long as answering several requests whose tokens are known. Where new tokens come from many
//! connections at once, they would be verified one right after the other, and whoever has a known token would wait for all of
//! them. So they take turns: between two verifications the worker serves who is ready. New tokens get a part of its time all the
//! same, however many are ready, and nobody waits for longer than [`LONGEST_WAIT`].
//!
//! Who comes alone never waits. The turns are those of a worker thread: a verification keeps nobody waiting whom another worker
//! serves.

use std::{
    cell::Cell,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    task, time,
};

/// Those who are ready get this many times the time of verifications that wait, if they have use for it.
const OTHERS: u32 = 4;

/// For how long verifications are made one right after the other at least, where some wait: looking for others who are ready
/// takes time too.
const SHORTEST_RUN: Duration = Duration::from_micros(20);

/// And at most.
const LONGEST_RUN: Duration = Duration::from_micros(500);

/// After this time a verification is made though it is not its turn.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

thread_local! {
    static WORKER: Worker = Worker::default();
}

#[derive(Default)]
struct Worker {
    last: Cell<Option<Verification>>,
    /// Held by whose turn it is; the others wait in the order in which they came.
    turn: Arc<Mutex<Share>>,
}

/// Whose verification it was, and when.
#[derive(Clone, Copy)]
struct Verification {
    /// None outside of a task.
    task: Option<task::Id>,
    /// By a clock that stands still for some milliseconds, or for ever.
    at: Duration,
}

impl Verification {
    fn of_this_task(at: Duration) -> Self {
        Self {
            task: task::try_id(),
            at,
        }
    }
}

/// The time that verifications may take before others are served.
#[derive(Debug, Default)]
struct Share(Duration);

/// The right to verify a signature, until it is dropped.
pub(crate) struct Turn {
    share: OwnedMutexGuard<Share>,
    since: Instant,
}

/// Whether a verification may be made at once. Otherwise it is to [`wait`] for its turn.
///
/// A task that made the last one may: nobody waits for more than this task's own requests by that. Others may when nobody waits,
/// and when some time has passed since the last one.
pub(crate) fn is_free(now: Duration) -> bool {
    let this = Verification::of_this_task(now);
    WORKER.with(|worker| {
        let is_free = worker
            .last
            .get()
            .is_none_or(|last| last.task == this.task || (last.at != this.at && worker.turn.try_lock().is_ok()));
        if is_free {
            worker.last.set(Some(this));
        }
        is_free
    })
}

/// Waits until it is this verification's turn and others have been served, but no longer than [`LONGEST_WAIT`].
pub(crate) async fn wait(now: Duration) -> Option<Turn> {
    let turn = WORKER.with(|worker| Arc::clone(&worker.turn));
    let mut share = time::timeout(LONGEST_WAIT, turn.lock_owned()).await.ok()?;
    if share.0.is_zero() {
        let since = Instant::now();
        task::yield_now().await;
        share.0 = (since.elapsed() / OTHERS).clamp(SHORTEST_RUN, LONGEST_RUN);
    }
    WORKER.with(|worker| worker.last.set(Some(Verification::of_this_task(now))));
    Some(Turn {
        share,
        since: Instant::now(),
    })
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.share.0 = self.share.0.saturating_sub(self.since.elapsed());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1);

    #[tokio::test]
    async fn who_does_not_give_a_turn_back_keeps_others_waiting_for_some_time() {
        let kept = wait(NOW).await;
        assert!(kept.is_some());
        let began = Instant::now();
        assert!(wait(NOW).await.is_none());
        assert!(began.elapsed() >= LONGEST_WAIT);
        drop(kept);
        assert!(wait(NOW).await.is_some());
    }

    #[tokio::test]
    async fn nobody_goes_before_those_who_wait() {
        let [later, much_later] = [2, 3].map(Duration::from_secs);
        assert!(is_free(NOW));
        let of_another_task = |now| tokio::spawn(async move { is_free(now) });
        assert!(!of_another_task(NOW).await.expect("no panic"), "no time has passed");
        let turn = wait(NOW).await;
        assert!(
            !of_another_task(later).await.expect("no panic"),
            "it is somebody's turn"
        );
        drop(turn);
        assert!(of_another_task(much_later).await.expect("no panic"));
        assert!(!is_free(much_later), "another task was here");
        drop(wait(much_later).await);
        assert!(is_free(much_later), "this task was here");
    }

    #[tokio::test]
    async fn a_turn_uses_up_the_time_that_it_takes() {
        let turn = wait(NOW).await.expect("nobody else is here");
        let left = turn.share.0;
        assert!(left <= LONGEST_RUN);
        while turn.since.elapsed() <= left {}
        drop(turn);
        let turn = WORKER.with(|worker| Arc::clone(&worker.turn));
        assert!(turn.lock_owned().await.0.is_zero());
    }
}
