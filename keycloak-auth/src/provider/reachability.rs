//! Whether an endpoint answers that is asked on demand, so that trouble is told once and not for each request.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::clock::milliseconds;

/// How long an endpoint counts as failing after an exchange that failed: then it is worth another try.
const FAILING: Duration = Duration::from_secs(10);

/// What is known of an endpoint.
#[derive(Debug, Default)]
pub(crate) struct Reachability {
    /// In milliseconds since the Unix epoch; 0 once it has answered.
    failing_until: AtomicU64,
}

/// What an exchange says of the endpoint that was not known before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It begins to fail.
    Failed,
    /// It goes on failing.
    StillFailing,
    /// It answers again.
    Recovered,
    /// It goes on answering.
    None,
}

impl Reachability {
    /// Notes at `now` how an exchange ended.
    pub(crate) fn note(&self, is_failure: bool, now: Duration) -> Change {
        let until = if is_failure { milliseconds(now + FAILING) } else { 0 };
        let was_failing = self.failing_until.swap(until, Ordering::Relaxed) > 0;
        match (was_failing, is_failure) {
            (false, true) => Change::Failed,
            (true, true) => Change::StillFailing,
            (true, false) => Change::Recovered,
            (false, false) => Change::None,
        }
    }

    /// Whether an exchange failed in the last seconds: only another one can tell whether the next will.
    pub(crate) fn is_failing(&self, now: Duration) -> bool {
        now < Duration::from_millis(self.failing_until.load(Ordering::Relaxed))
    }
}
