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

mod fetch;
mod in_use;
mod skipped_keys;
mod timing;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::watch;

use self::{
    fetch::Flight,
    in_use::KeysInUse,
    skipped_keys::SkippedKeys,
    timing::{Attempts, ReloadTime},
};
use super::Provider;
use crate::{
    clock::milliseconds,
    error::{ProviderError, Unavailable},
    jose::KeySet,
};

pub(crate) use in_use::Snapshot;
pub(crate) use timing::Timing;

/// The owner of the key set and of the task that fetches it.
#[derive(Debug)]
pub(crate) struct RemoteKeySet {
    shared: Arc<Shared>,
}

/// What the task has to do with.
#[derive(Debug)]
struct Shared {
    provider: Arc<Provider>,
    timing: Timing,
    /// Whether the keys were given, so that there is nothing to fetch.
    is_fixed: bool,
    in_use: KeysInUse,
    reload: ReloadTime,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    flight: Option<Flight>,
    attempts: Attempts,
    skipped: SkippedKeys,
    /// Whether it was said that the outage window is over.
    is_window_over: bool,
}

impl RemoteKeySet {
    /// A key set that is fetched, unless `fixed` keys are given.
    pub(crate) fn new(provider: Arc<Provider>, timing: Timing, fixed: Option<KeySet>) -> Self {
        let is_fixed = fixed.is_some();
        Self {
            shared: Arc::new(Shared {
                provider,
                timing,
                is_fixed,
                in_use: KeysInUse::new(fixed),
                reload: if is_fixed {
                    ReloadTime::never()
                } else {
                    ReloadTime::now()
                },
                state: Mutex::default(),
            }),
        }
    }

    /// Whether there are keys that may still be used. Starts a reload in the background when one is due.
    #[inline]
    pub(crate) fn is_usable(&self, now: Duration) -> bool {
        let now_in_milliseconds = milliseconds(now);
        let usable_until = self.shared.in_use.usable_until();
        if usable_until != 0 && self.shared.reload.is_due(now_in_milliseconds) {
            self.reload_in_background(now);
        }
        now_in_milliseconds < usable_until
    }

    /// The current keys, if there are any that may still be used. Starts a reload in the background when one is due.
    pub(crate) fn snapshot(&self, now: Duration) -> Option<Snapshot> {
        self.is_usable(now).then(|| self.usable_snapshot())
    }

    /// The keys that were found to be [usable](Self::is_usable).
    pub(crate) fn usable_snapshot(&self) -> Snapshot {
        self.shared.in_use.snapshot()
    }

    /// Whether there are keys that may be used; begins to fetch them where there are none.
    pub(crate) fn is_loaded(&self, now: Duration) -> bool {
        if self.is_usable(now) {
            return true;
        }
        let mut state = self.shared.state();
        if state.attempts.may_follow(&self.shared.timing, now) {
            self.shared.join_or_start(&mut state, now);
        }
        false
    }

    /// The current keys; waits for the first ones.
    pub(crate) async fn keys(&self, now: Duration) -> Result<Snapshot, Unavailable> {
        if let Some(snapshot) = self.snapshot(now) {
            return Ok(snapshot);
        }
        self.fetch_where(Attempts::may_follow, now).await;
        let now = self.shared.provider.now();
        self.snapshot(now).ok_or_else(|| self.shared.unavailable(now))
    }

    /// Whether [`look_for_unknown_key`](Self::look_for_unknown_key) would neither fetch nor wait.
    pub(crate) fn is_cooling_down(&self, now: Duration) -> bool {
        let state = self.shared.state();
        state.under_way().is_none() && !state.attempts.have_cooled_down(&self.shared.timing, now)
    }

    /// Whether no other keys were published since the snapshot was taken.
    pub(crate) fn is_current(&self, snapshot: &Snapshot) -> bool {
        self.shared.in_use.are_in(snapshot)
    }

    /// Fetches the keys once more for the unknown `kid` of a request that began at `began`, where the cooldown allows it.
    /// Afterwards the snapshot may have it.
    pub(crate) async fn look_for_unknown_key(&self, began: Duration) {
        // Keys that came since then are new enough, and the request has waited for them already.
        if self.shared.is_fixed || self.shared.in_use.came_after(began) {
            return;
        }
        let now = self.shared.provider.now();
        self.fetch_where(Attempts::have_cooled_down, now).await;
    }

    /// Whether the keys were given, so that there is nothing to fetch.
    pub(crate) fn is_fixed(&self) -> bool {
        self.shared.is_fixed
    }

    /// Why the last attempt failed; `None` after a success.
    pub(crate) fn last_error(&self) -> Option<Arc<ProviderError>> {
        self.shared.state().attempts.last_error.clone()
    }

    /// Ends the task. The keys stay in use until the outage window ends.
    pub(crate) async fn end(&self) {
        let flight = self.shared.state().flight.take();
        if let Some(flight) = flight {
            // An abort shows as an error here, and is what was wanted.
            let _ = flight.abort().await;
        }
    }

    /// Waits for the fetch under way, or for one of its own where the attempts so far allow it.
    ///
    /// Waits a little less long than it may take, so that the answer leaves within the deadline.
    async fn fetch_where(&self, is_allowed: impl Fn(&Attempts, &Timing, Duration) -> bool, now: Duration) {
        let flight = {
            let mut state = self.shared.state();
            if is_allowed(&state.attempts, &self.shared.timing, now) {
                Some(self.shared.join_or_start(&mut state, now))
            } else {
                state.under_way()
            }
        };
        if let Some(mut done) = flight {
            let patience = self.shared.provider.deadline().mul_f32(0.95);
            let _ = tokio::time::timeout(patience, done.wait_for(|done| *done)).await;
        }
    }

    fn reload_in_background(&self, now: Duration) {
        let mut state = self.shared.state();
        // Another reader may have been faster.
        if self.shared.reload.is_due(milliseconds(now)) {
            self.shared.join_or_start(&mut state, now);
        }
    }
}

impl Drop for RemoteKeySet {
    fn drop(&mut self) {
        if let Some(flight) = self.shared.state().flight.take() {
            flight.abort();
        }
    }
}

impl State {
    fn under_way(&self) -> Option<watch::Receiver<bool>> {
        let flight = self.flight.as_ref().filter(|flight| flight.is_under_way());
        flight.map(Flight::done)
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::{Algorithm, Clock, Keycloak, bearer::BearerToken, jose};

    fn keys() -> KeySet {
        let keys = KeySet::parse(
            br#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "k1",
                "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#,
        );
        keys.expect("a key set")
    }

    fn keycloak(now: Duration) -> Keycloak {
        Keycloak::builder()
            .server_url("https://id.example.com")
            .realm("acme")
            .client_id("orders-api")
            .audience("orders-api")
            .algorithms([Algorithm::EdDSA])
            .clock(Clock::manual(now))
            .key_set(keys())
            .build()
            .expect("valid")
    }

    /// Row 41: keys that are published while a request looks for its own may have it, whatever the cooldown says.
    #[test]
    fn a_request_does_not_take_an_outdated_snapshot_for_all_there_is() {
        let now = Duration::from_secs(1000);
        let keycloak = keycloak(now);
        let authenticator = keycloak.authenticator();
        let shared = &authenticator.key_set().shared;
        let token = format!("{}.e30.c2ln", jose::encode(br#"{"alg":"EdDSA","kid":"k2"}"#));
        let is_judged = || authenticator.judge(BearerToken::new(&token), now).is_some();
        shared.state().attempts.last = Some(now);
        assert!(is_judged(), "within the cooldown there is nothing to ask");
        // It takes its snapshot, and then waits for the lock, so that keys come in between. On a slow machine it may come too
        // late for that.
        let asks = (0..8).any(|attempt| {
            thread::scope(|scope| {
                let state = shared.state();
                let judging = scope.spawn(is_judged);
                thread::sleep(Duration::from_millis(10 << attempt));
                shared.in_use.replace(keys(), now, shared.timing.outage_window);
                drop(state);
                !judging.join().expect("it does not panic")
            })
        });
        assert!(asks);
    }

    /// A request that finds no key in a snapshot must not take the cooldown that another one's fetch began for its own.
    #[test]
    fn a_snapshot_is_outdated_once_other_keys_are_published() {
        let now = Duration::from_secs(1000);
        let keycloak = keycloak(now);
        let key_set = keycloak.authenticator().key_set();
        let before = key_set.snapshot(now).expect("keys are given");
        assert!(key_set.is_current(&before));
        key_set.shared.publish(keys());
        assert!(!key_set.is_current(&before));
        let after = key_set.snapshot(now).expect("keys are there");
        assert!(key_set.is_current(&after));
    }
}
