//! The realm's key set, fetched in the background and kept.
//!
//! 1. Readers take a snapshot without a lock; only whoever needs a fetch meets the mutex, and nobody holds it while waiting.
//! 2. There is at most one fetch at a time; all who need its result wait for the same one.
//! 3. Shortly before its lifetime ends a set is reloaded ahead, while it is still in use.
//! 4. A fetch that fails changes nothing: the last good set stays in use for the whole outage window.
//! 5. An unknown `kid` may cause a fetch, but not sooner than the cooldown after the last attempt, successful or not. The
//!    attempt is counted when it begins, so that a flood of unknown keys finds the cooldown already claimed.
//! 6. What Keycloak says by `Retry-After` makes a pause longer, by a minute at most, and never shorter.
//! 7. Before the first set is there, attempts follow one another with growing pauses, so that a service that starts before
//!    Keycloak finds it soon.
//!
//! Whoever drops the [`RemoteKeySet`] ends its task.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::{ArcSwapOption, Guard};
use tokio::{runtime::Handle, sync::watch, task::JoinHandle};

use super::{Call, Provider, ProviderError, Unavailable, skipped_keys::SkippedKeys};
use crate::{clock::milliseconds, jose::KeySet, text::chain};

/// The first pause between attempts while there are no keys at all.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// When to fetch; every span is a setting of the builder.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    /// How long a set is good before it is fetched again.
    pub(crate) lifetime: Duration,
    /// How long before the end of its lifetime a set is reloaded.
    pub(crate) reload_ahead: Duration,
    /// The pause between attempts: after a failure, and for unknown keys after any attempt.
    pub(crate) cooldown: Duration,
    /// How long the last good set stays in use when no fetch succeeds.
    pub(crate) outage_window: Duration,
}

/// A key set, and when it was fetched.
#[derive(Debug)]
struct Published {
    keys: KeySet,
    fetched_at: Duration,
}

/// The keys at one moment: cheap to take, and unaffected by a reload.
pub(crate) struct Snapshot(Guard<Option<Arc<Published>>>);

impl Snapshot {
    pub(crate) fn keys(&self) -> &KeySet {
        static NONE: KeySet = KeySet::empty();
        self.0.as_ref().map_or(&NONE, |published| &published.keys)
    }
}

/// The owner of the key set and of the task that fetches it.
#[derive(Debug)]
pub(crate) struct RemoteKeySet {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    provider: Arc<Provider>,
    timing: Timing,
    /// Whether the keys were given, so that there is nothing to fetch.
    is_fixed: bool,
    current: ArcSwapOption<Published>,
    /// From when on a reader should ask for a reload, in milliseconds since the Unix epoch.
    reload_at: AtomicU64,
    /// When that was decided: a clock that has been set back behind it makes a reload due at once.
    scheduled_at: AtomicU64,
    /// Until when the keys may be used, in milliseconds since the Unix epoch; 0 without keys.
    usable_until: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    flight: Option<Flight>,
    /// When the last attempt began.
    last_attempt: Option<Duration>,
    failures: u32,
    last_error: Option<Arc<ProviderError>>,
    skipped: SkippedKeys,
    /// Whether it was said that the outage window is over.
    is_window_over: bool,
}

/// A fetch under way.
#[derive(Debug)]
struct Flight {
    /// Turns `true` at its end; closed without that when the task was ended early.
    done: watch::Receiver<bool>,
    task: JoinHandle<()>,
}

impl Flight {
    fn is_under_way(&self) -> bool {
        !*self.done.borrow() && self.done.has_changed().is_ok()
    }
}

impl RemoteKeySet {
    /// A key set that is fetched, unless `fixed` keys are given.
    pub(crate) fn new(provider: Arc<Provider>, timing: Timing, fixed: Option<KeySet>) -> Self {
        let is_fixed = fixed.is_some();
        let published = fixed.map(|keys| Published {
            keys,
            fetched_at: Duration::ZERO,
        });
        Self {
            shared: Arc::new(Shared {
                provider,
                timing,
                is_fixed,
                current: ArcSwapOption::from_pointee(published),
                reload_at: AtomicU64::new(if is_fixed { u64::MAX } else { 0 }),
                scheduled_at: AtomicU64::new(0),
                usable_until: AtomicU64::new(if is_fixed { u64::MAX } else { 0 }),
                state: Mutex::default(),
            }),
        }
    }

    /// Whether there are keys that may still be used. Starts a reload in the background when one is due.
    pub(crate) fn is_usable(&self, now: Duration) -> bool {
        let now_in_milliseconds = milliseconds(now);
        let usable_until = self.shared.usable_until.load(Ordering::Acquire);
        if usable_until != 0 && self.shared.is_reload_due(now_in_milliseconds) {
            self.reload_in_background(now);
        }
        now_in_milliseconds < usable_until
    }

    /// The current keys, if there are any that may still be used. Starts a reload in the background when one is due.
    pub(crate) fn snapshot(&self, now: Duration) -> Option<Snapshot> {
        self.is_usable(now).then(|| Snapshot(self.shared.current.load()))
    }

    /// Whether there are keys that may be used; begins to fetch them where there are none.
    pub(crate) fn is_loaded(&self, now: Duration) -> bool {
        if self.snapshot(now).is_some() {
            return true;
        }
        let mut state = self.shared.state();
        if self.shared.is_attempt_due(&state, now) {
            self.shared.join_or_start(&mut state, now);
        }
        false
    }

    /// The current keys; waits for the first ones.
    pub(crate) async fn keys(&self, now: Duration) -> Result<Snapshot, Unavailable> {
        if let Some(snapshot) = self.snapshot(now) {
            return Ok(snapshot);
        }
        let flight = {
            let mut state = self.shared.state();
            if self.shared.is_attempt_due(&state, now) {
                Some(self.shared.join_or_start(&mut state, now))
            } else {
                state.under_way()
            }
        };
        if let Some(done) = flight {
            self.wait(done).await;
        }
        let now = self.shared.provider.clock.now();
        self.snapshot(now).ok_or_else(|| self.shared.unavailable(now))
    }

    /// Whether [`look_for_unknown_key`](Self::look_for_unknown_key) would neither fetch nor wait.
    pub(crate) fn is_cooling_down(&self, now: Duration) -> bool {
        let state = self.shared.state();
        let waits = state.flight.as_ref().is_some_and(Flight::is_under_way);
        !waits && !self.shared.has_cooled_down(&state, now)
    }

    /// Whether no other keys were published since the snapshot was taken.
    pub(crate) fn is_current(&self, snapshot: &Snapshot) -> bool {
        let current = self.shared.current.load();
        match (&*current, &*snapshot.0) {
            (Some(current), Some(taken)) => Arc::ptr_eq(current, taken),
            _ => false,
        }
    }

    /// Fetches the keys once more for the unknown `kid` of a request that began at `began`, where the cooldown allows it.
    /// Afterwards the snapshot may have it.
    pub(crate) async fn look_for_unknown_key(&self, began: Duration) {
        // Keys that came since then are new enough, and the request has waited for them already.
        let is_new = |published: &Arc<Published>| published.fetched_at > began;
        if self.shared.is_fixed || self.shared.current.load().as_ref().is_some_and(is_new) {
            return;
        }
        let now = self.shared.provider.clock.now();
        let flight = {
            let mut state = self.shared.state();
            if self.shared.has_cooled_down(&state, now) {
                Some(self.shared.join_or_start(&mut state, now))
            } else {
                state.under_way()
            }
        };
        if let Some(done) = flight {
            self.wait(done).await;
        }
    }

    /// Whether the keys were given, so that there is nothing to fetch.
    pub(crate) fn is_fixed(&self) -> bool {
        self.shared.is_fixed
    }

    /// Why the last attempt failed; `None` after a success.
    pub(crate) fn last_error(&self) -> Option<Arc<ProviderError>> {
        self.shared.state().last_error.clone()
    }

    /// Ends the task and the connections. The keys stay in use until the outage window ends.
    pub(crate) async fn close(&self) {
        self.shared.provider.http.close();
        let flight = self.shared.state().flight.take();
        if let Some(flight) = flight {
            flight.task.abort();
            // An abort shows as an error here, and is what was wanted.
            let _ = flight.task.await;
        }
    }

    /// Waits for a flight, a little less long than it may take, so that the answer leaves within the deadline.
    async fn wait(&self, mut done: watch::Receiver<bool>) {
        let patience = self.shared.provider.deadline.mul_f32(0.95);
        let _ = tokio::time::timeout(patience, done.wait_for(|done| *done)).await;
    }

    fn reload_in_background(&self, now: Duration) {
        let mut state = self.shared.state();
        // Another reader may have been faster.
        if self.shared.is_reload_due(milliseconds(now)) {
            self.shared.join_or_start(&mut state, now);
        }
    }
}

impl Drop for RemoteKeySet {
    fn drop(&mut self) {
        if let Some(flight) = self.shared.state().flight.take() {
            flight.task.abort();
        }
    }
}

impl State {
    /// How long Keycloak wants to be left alone after the last attempt.
    fn asked_for_pause(&self) -> Duration {
        let error = self.last_error.as_ref();
        error.and_then(|error| error.retry_after()).unwrap_or_default()
    }

    fn under_way(&self) -> Option<watch::Receiver<bool>> {
        self.flight
            .as_ref()
            .filter(|flight| flight.is_under_way())
            .map(|flight| flight.done.clone())
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_reload_due(&self, now_in_milliseconds: u64) -> bool {
        now_in_milliseconds >= self.reload_at.load(Ordering::Relaxed)
            || now_in_milliseconds < self.scheduled_at.load(Ordering::Relaxed)
    }

    fn schedule_reload(&self, now: Duration, wait: Duration) {
        self.scheduled_at.store(milliseconds(now), Ordering::Relaxed);
        self.reload_at.store(milliseconds(now + wait), Ordering::Relaxed);
    }

    /// Whether the pause after the last failure is over.
    fn is_attempt_due(&self, state: &State, now: Duration) -> bool {
        elapsed(state.last_attempt, now).is_none_or(|elapsed| elapsed >= self.pause(state))
    }

    /// Whether an unknown key may cause an attempt.
    fn has_cooled_down(&self, state: &State, now: Duration) -> bool {
        elapsed(state.last_attempt, now)
            .is_none_or(|elapsed| elapsed >= self.timing.cooldown.max(state.asked_for_pause()))
    }

    /// How long to wait after the last attempt while there are no keys.
    fn pause(&self, state: &State) -> Duration {
        match state.failures {
            0 => Duration::ZERO,
            failures => FIRST_PAUSE
                .saturating_mul(1 << (failures - 1).min(16))
                .min(self.timing.cooldown)
                .max(state.asked_for_pause()),
        }
    }

    /// Joins the flight under way, or starts one and counts the attempt.
    fn join_or_start(self: &Arc<Self>, state: &mut State, now: Duration) -> watch::Receiver<bool> {
        if let Some(done) = state.under_way() {
            return done;
        }
        state.last_attempt = Some(now);
        self.schedule_reload(now, self.timing.cooldown);
        let (ended, done) = watch::channel(false);
        if self.provider.http.is_closed() {
            return done;
        }
        let Ok(runtime) = Handle::try_current() else {
            state.last_error = Some(Arc::new(ProviderError::NoRuntime));
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
        let began = tokio::time::Instant::now();
        let fetched = self.provider.within_deadline(self.fetch()).await;
        let (took, succeeded) = (began.elapsed(), fetched.is_ok());
        match fetched {
            Ok(keys) => self.publish(keys),
            // Its own end is no trouble of Keycloak's.
            Err(ProviderError::Closed) => return,
            Err(error) => self.note_failure(error),
        }
        let published = self.current.load();
        let age = published
            .as_ref()
            .map(|published| self.provider.clock.now().saturating_sub(published.fetched_at));
        self.provider.metrics.key_set_fetched(took, succeeded, age);
    }

    async fn fetch(&self) -> Result<KeySet, ProviderError> {
        let url = self.provider.jwks_uri().await?;
        let asking = self.provider.http.ask(&url);
        let answer = Call::Jwks.observe(&url, &self.provider.metrics, asking).await?;
        let json = answer.only_ok(&url)?;
        let keys = KeySet::parse(&json).map_err(|source| ProviderError::KeySet {
            url: url.to_string(),
            source,
        })?;
        self.state().skipped.report(keys.skipped());
        if keys.is_empty() {
            return Err(ProviderError::NoUsableKey {
                url: url.to_string(),
                skipped: keys.skipped().len(),
            });
        }
        Ok(keys)
    }

    fn publish(&self, keys: KeySet) {
        let mut state = self.state();
        let now = self.provider.clock.now();
        if state.failures > 0 {
            tracing::info!(
                name: "keycloak.key_set_recovered",
                target: "keycloak_auth",
                { keycloak.failures = state.failures },
                "Keycloak answers again after {} failed attempts", state.failures
            );
        }
        let previous = self.current.load();
        let keys = match previous.as_ref() {
            Some(previous) => keys.keeping_unchanged(&previous.keys),
            None => keys,
        };
        tracing::debug!(
            name: "keycloak.key_set_loaded",
            target: "keycloak_auth",
            { keycloak.keys = keys.len() },
            "key set loaded"
        );
        let published = Arc::new(Published { keys, fetched_at: now });
        self.current.store(Some(Arc::clone(&published)));
        if let Some(previous) = previous.as_ref() {
            previous.keys.retire_keys_missing_in(&published.keys);
        }
        self.usable_until
            .store(milliseconds(now + self.timing.outage_window), Ordering::Release);
        let good_for = self
            .timing
            .lifetime
            .saturating_sub(self.timing.reload_ahead)
            .max(self.timing.lifetime / 2);
        self.schedule_reload(now, jittered(good_for));
        state.failures = 0;
        state.last_error = None;
        state.is_window_over = false;
    }

    fn note_failure(&self, error: ProviderError) {
        self.provider.metadata.forget();
        let mut state = self.state();
        let error = Arc::new(error);
        // Once for each change of state, not for each attempt: an outage must not flood the log.
        if state.failures == 0 {
            let in_use = if self.current.load().is_some() {
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
        state.failures = state.failures.saturating_add(1);
        state.last_error = Some(error);
        let wait = self.timing.cooldown.max(state.asked_for_pause());
        self.schedule_reload(state.last_attempt.unwrap_or_else(|| self.provider.clock.now()), wait);
    }

    fn unavailable(&self, now: Duration) -> Unavailable {
        let mut state = self.state();
        let cause = match (&state.last_error, self.current.load().is_some()) {
            (_, false) if self.provider.http.is_closed() => Arc::new(ProviderError::Closed),
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
        let waited = elapsed(state.last_attempt, now).unwrap_or_default();
        let remaining = self.pause(&state).saturating_sub(waited);
        Unavailable::new(cause, remaining)
    }
}

/// The time since `then`. `None` without one, or when the clock was set back behind it: then nothing is known.
fn elapsed(then: Option<Duration>, now: Duration) -> Option<Duration> {
    now.checked_sub(then?)
}

/// Up to a tenth earlier, so that the instances of a service do not all come at once.
fn jittered(span: Duration) -> Duration {
    let mut byte = [0];
    // Without randomness the instances come together, which is a pity and no fault.
    let _ = aws_lc_rs::rand::fill(&mut byte);
    span - span.mul_f32(f32::from(byte[0]) / 2550.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Algorithm, Clock, Keycloak};

    /// A request that finds no key in a snapshot must not take the cooldown that another one's fetch began for its own.
    #[test]
    fn a_snapshot_is_outdated_once_other_keys_are_published() {
        let keys = || {
            let keys = KeySet::parse(
                br#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "k1",
                    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#,
            );
            keys.expect("a key set")
        };
        let keycloak = Keycloak::builder()
            .server_url("https://id.example.com")
            .realm("acme")
            .client_id("orders-api")
            .audience("orders-api")
            .algorithms([Algorithm::EdDSA])
            .clock(Clock::manual(Duration::from_secs(1000)))
            .key_set(keys())
            .build()
            .expect("valid");
        let now = Duration::from_secs(1000);
        let key_set = keycloak.authenticator().key_set();
        let before = key_set.snapshot(now).expect("keys are given");
        assert!(key_set.is_current(&before));
        key_set.shared.publish(keys());
        assert!(!key_set.is_current(&before));
        let after = key_set.snapshot(now).expect("keys are there");
        assert!(key_set.is_current(&after));
    }
}
