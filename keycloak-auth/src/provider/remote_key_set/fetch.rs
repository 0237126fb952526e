//! The task that fetches the keys, and what comes of it.

use std::{sync::Arc, time::Duration};

use tokio::{runtime::Handle, sync::watch, task::JoinHandle, time::Instant};

use super::{Shared, State};
use crate::{
    error::{ProviderError, Unavailable},
    jose::KeySet,
    provider::{Endpoint, HttpAnswer, Request},
    text::chain,
};

/// A fetch under way.
#[derive(Debug)]
pub(super) struct Flight {
    /// Turns `true` at its end; closed without that when the task was ended early.
    done: watch::Receiver<bool>,
    task: JoinHandle<()>,
}

impl Flight {
    pub(super) fn is_under_way(&self) -> bool {
        // Soon seen of one that is long over, as most are.
        !self.task.is_finished() && !*self.done.borrow() && self.done.has_changed().is_ok()
    }

    /// To wait for its end.
    pub(super) fn done(&self) -> watch::Receiver<bool> {
        self.done.clone()
    }

    pub(super) fn abort(self) -> JoinHandle<()> {
        self.task.abort();
        self.task
    }
}

impl Shared {
    /// Joins the flight under way, or starts one and counts the attempt.
    pub(super) fn join_or_start(self: &Arc<Self>, state: &mut State, now: Duration) -> watch::Receiver<bool> {
        if let Some(done) = state.under_way() {
            return done;
        }
        state.attempts.last = Some(now);
        self.reload.set(now, self.timing.cooldown);
        let (ended, done) = watch::channel(false);
        if self.provider.is_closed() {
            return done;
        }
        let Ok(runtime) = Handle::try_current() else {
            state.attempts.last_error = Some(Arc::new(ProviderError::NoRuntime));
            return done;
        };
        let shared = Arc::clone(self);
        let task = runtime.spawn(async move {
            shared.fetch_and_publish().await;
            // Nobody may be waiting any more.
            let _ = ended.send(true);
        });
        state.flight = Some(Flight {
            done: done.clone(),
            task,
        });
        done
    }

    async fn fetch_and_publish(&self) {
        let began = Instant::now();
        let request = Request::get(Endpoint::Jwks);
        let fetched = self.provider.ask(request, |answer| self.read(answer)).await;
        let (took, succeeded) = (began.elapsed(), fetched.is_ok());
        match fetched {
            Ok(keys) => self.publish(keys),
            // Its own end is no trouble of Keycloak's.
            Err(ProviderError::Closed) => return,
            Err(error) => self.note_failure(error),
        }
        let age = self.in_use.age(self.provider.now());
        self.provider.metrics().key_set_fetched(took, succeeded, age);
    }

    fn read(&self, answer: HttpAnswer) -> Result<KeySet, ProviderError> {
        let url = answer.url();
        let keys = match KeySet::parse(&answer.only_ok()?) {
            Ok(keys) => keys,
            Err(source) => return Err(ProviderError::KeySet { url, source }),
        };
        self.state().skipped.report(keys.skipped());
        if keys.is_empty() {
            let skipped = keys.skipped().len();
            return Err(ProviderError::NoUsableKey { url, skipped });
        }
        Ok(keys)
    }

    pub(super) fn publish(&self, keys: KeySet) {
        let mut state = self.state();
        let now = self.provider.now();
        let failures = state.attempts.failures;
        if failures > 0 {
            tracing::info!(
                name: "keycloak.key_set_recovered",
                target: "keycloak_auth",
                { keycloak.failures = failures },
                "Keycloak answers again after {failures} failed attempts"
            );
        }
        tracing::debug!(
            name: "keycloak.key_set_loaded",
            target: "keycloak_auth",
            { keycloak.keys = keys.len() },
            "key set loaded"
        );
        self.in_use.replace(keys, now, self.timing.outage_window);
        self.reload.set(now, self.timing.reload_after());
        state.attempts.failures = 0;
        state.attempts.last_error = None;
        state.is_window_over = false;
    }

    fn note_failure(&self, error: ProviderError) {
        self.provider.metadata().forget();
        let mut state = self.state();
        let error = Arc::new(error);
        // Once for each change of state, not for each attempt: an outage must not flood the log.
        if state.attempts.failures == 0 {
            let in_use = if self.in_use.are_there() {
                "the last good keys stay in use"
            } else {
                "there are no keys yet"
            };
            tracing::warn!(
                name: "keycloak.key_set_failed",
                target: "keycloak_auth",
                { "error.type" = &*error.kind() },
                "cannot fetch Keycloak's keys, {in_use}: {}", chain(&error)
            );
        } else {
            tracing::debug!(
                name: "keycloak.key_set_still_failing",
                target: "keycloak_auth",
                { "error.type" = &*error.kind() },
                "still cannot fetch Keycloak's keys: {}", chain(&error)
            );
        }
        state.attempts.failures = state.attempts.failures.saturating_add(1);
        state.attempts.last_error = Some(error);
        let began = state.attempts.last.unwrap_or_else(|| self.provider.now());
        self.reload.set(began, state.attempts.cooldown(&self.timing));
    }

    /// Why there are no keys that may be used.
    pub(super) fn unavailable(&self, now: Duration) -> Unavailable {
        let mut state = self.state();
        let cause = match (&state.attempts.last_error, self.in_use.are_there()) {
            (_, false) if self.provider.is_closed() => Arc::new(ProviderError::Closed),
            (_, true) => Arc::new(ProviderError::OutageWindow {
                window: self.timing.outage_window,
            }),
            (Some(error), false) => Arc::clone(error),
            (None, false) if state.under_way().is_some() => Arc::new(self.provider.timeout()),
            (None, false) => Arc::new(ProviderError::Interrupted),
        };
        if let ProviderError::OutageWindow { .. } = &*cause
            && !state.is_window_over
        {
            state.is_window_over = true;
            tracing::warn!(
                name: "keycloak.outage_window_over",
                target: "keycloak_auth",
                "{cause}: no token is let in until Keycloak answers"
            );
        }
        Unavailable::new(cause, state.attempts.remaining_pause(&self.timing, now))
    }
}
