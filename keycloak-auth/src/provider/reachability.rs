//! Whether an endpoint answers that is asked on demand, so that trouble is told once and not for each request, and whether it wants
//! to be left alone.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::retry_after::LONGEST;
use crate::{
    clock::{left, milliseconds},
    error::{ProviderError, Unavailable},
};

/// How long an endpoint counts as failing after an exchange that failed: then it is worth another try.
const FAILING: Duration = Duration::from_secs(10);

/// What is known of an endpoint.
#[derive(Debug, Default)]
pub(crate) struct Reachability {
    /// In milliseconds since the Unix epoch; 0 once it has answered.
    failing_until: AtomicU64,
    /// The answer with `Retry-After`, and until when it holds.
    pause: Mutex<Option<(Arc<ProviderError>, Duration)>>,
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
    /// Whether the endpoint may be asked now, or has said when (RFC 9110 §10.2.3).
    pub(crate) fn may_ask(&self, now: Duration) -> Result<(), Unavailable> {
        let pause = self.pause.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((cause, until)) = &*pause
            && let Some(left) = left(*until, LONGEST, now)
        {
            return Err(Unavailable::new(Arc::clone(cause), left));
        }
        Ok(())
    }

    /// Notes at `now` how an exchange ended.
    pub(crate) fn note(&self, error: Option<&Arc<ProviderError>>, now: Duration) -> Change {
        let pause = error.and_then(|error| Some((Arc::clone(error), now + error.retry_after()?)));
        *self.pause.lock().unwrap_or_else(PoisonError::into_inner) = pause;
        let is_failure = error.is_some();
        let until = if is_failure { milliseconds(now + FAILING) } else { 0 };
        let was_failing = self.failing_until.swap(until, Ordering::Relaxed) > 0;
        match (was_failing, is_failure) {
            (false, true) => Change::Failed,
            (true, true) => Change::StillFailing,
            (true, false) => Change::Recovered,
            (false, false) => Change::None,
        }
    }

    /// Whether an exchange failed in the last seconds, or must not be tried now: only another one can tell whether the next will.
    pub(crate) fn is_failing(&self, now: Duration) -> bool {
        now < Duration::from_millis(self.failing_until.load(Ordering::Relaxed)) || self.may_ask(now).is_err()
    }
}
