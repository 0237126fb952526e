//! Whether an endpoint answers that is asked on demand, so that trouble is told once and not for each request, and whether it wants
//! to be left alone.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{Endpoint, Provider, retry_after::LONGEST};
use crate::{
    clock::{left, milliseconds},
    error::{ProviderError, Unavailable},
    trouble::Trouble,
};

/// How long an endpoint counts as failing after an exchange that failed: then it is worth another try.
const FAILING: Duration = Duration::from_secs(10);

/// What is known of an endpoint.
#[derive(Debug)]
pub(crate) struct Reachability {
    endpoint: Endpoint,
    /// In milliseconds since the Unix epoch; 0 once it has answered.
    failing_until: AtomicU64,
    /// The answer with `Retry-After`, and until when it holds.
    pause: Mutex<Option<(Arc<ProviderError>, Duration)>>,
    trouble: Trouble,
}

/// What there is to tell of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// The endpoint begins to fail.
    Failed,
    /// It goes on failing, or fails once more within a minute.
    StillFailing,
    /// It answers again.
    Recovered,
    /// Nothing: it goes on answering, or nobody asked it.
    None,
}

impl Reachability {
    pub(crate) fn of(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            failing_until: AtomicU64::default(),
            pause: Mutex::default(),
            trouble: Trouble::default(),
        }
    }

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

    /// Notes how an exchange with `provider` ended that is just over.
    pub(crate) fn note(&self, error: Option<&Arc<ProviderError>>, provider: &Provider) -> Change {
        // An end of this side's own says nothing of the endpoint.
        if matches!(error.map(|error| &**error), Some(ProviderError::Closed)) {
            return Change::None;
        }
        let now = provider.now();
        provider
            .metrics()
            .endpoint_answers(self.endpoint.name(), error.is_none());
        let pause = error.and_then(|error| Some((Arc::clone(error), now + error.retry_after()?)));
        *self.pause.lock().unwrap_or_else(PoisonError::into_inner) = pause;
        let until = if error.is_some() {
            milliseconds(now + FAILING)
        } else {
            0
        };
        self.failing_until.store(until, Ordering::Relaxed);
        match error {
            Some(_) if self.trouble.begins(now) => Change::Failed,
            Some(_) => Change::StillFailing,
            None if self.trouble.ends() => Change::Recovered,
            None => Change::None,
        }
    }

    /// Whether an exchange failed in the last seconds, or must not be tried now: only another one can tell whether the next will.
    pub(crate) fn is_failing(&self, now: Duration) -> bool {
        now < Duration::from_millis(self.failing_until.load(Ordering::Relaxed)) || self.may_ask(now).is_err()
    }
}
