//! The keys in use, as readers see them: without a lock.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::{ArcSwapOption, Guard};

use crate::{clock::milliseconds, jose::KeySet};

/// The last good key set, and for how long it may be used.
#[derive(Debug)]
pub(super) struct KeysInUse {
    current: ArcSwapOption<Published>,
    /// How many sets took the place of another; counted once a set is there.
    successions: AtomicU64,
    /// In milliseconds since the Unix epoch; 0 without keys.
    usable_until: AtomicU64,
}

/// A key set, and when it was fetched.
#[derive(Debug)]
struct Published {
    keys: KeySet,
    fetched_at: Duration,
}

/// The keys at one moment: cheap to take, and unaffected by a reload.
pub(crate) struct Snapshot {
    published: Guard<Option<Arc<Published>>>,
    /// How many successions there were before it was taken.
    successions: u64,
}

impl Snapshot {
    pub(crate) fn keys(&self) -> &KeySet {
        static NONE: KeySet = KeySet::empty();
        self.published.as_ref().map_or(&NONE, |published| &published.keys)
    }
}

impl KeysInUse {
    /// None yet, or given ones that are good for ever.
    pub(super) fn new(fixed: Option<KeySet>) -> Self {
        let usable_until = AtomicU64::new(if fixed.is_some() { u64::MAX } else { 0 });
        let published = fixed.map(|keys| Published {
            keys,
            fetched_at: Duration::ZERO,
        });
        Self {
            current: ArcSwapOption::from_pointee(published),
            successions: AtomicU64::new(0),
            usable_until,
        }
    }

    /// Until when they may be used, in milliseconds since the Unix epoch; 0 without keys.
    pub(super) fn usable_until(&self) -> u64 {
        self.usable_until.load(Ordering::Acquire)
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot {
            successions: self.successions.load(Ordering::Acquire),
            published: self.current.load(),
        }
    }

    /// Whether there are keys, be they too old or not.
    pub(super) fn are_there(&self) -> bool {
        self.current.load().is_some()
    }

    /// Whether no others came since the snapshot was taken. For whoever holds the lock under which they are replaced, or held it
    /// after that.
    pub(super) fn are_in(&self, snapshot: &Snapshot) -> bool {
        self.successions.load(Ordering::Acquire) == snapshot.successions
    }

    /// Whether they were fetched after that time.
    pub(super) fn came_after(&self, then: Duration) -> bool {
        let current = self.current.load();
        current.as_ref().is_some_and(|published| published.fetched_at > then)
    }

    pub(super) fn age(&self, now: Duration) -> Option<Duration> {
        let current = self.current.load();
        current
            .as_ref()
            .map(|published| now.saturating_sub(published.fetched_at))
    }

    /// Puts keys that were fetched just now in the place of the others.
    pub(super) fn replace(&self, keys: KeySet, now: Duration, outage_window: Duration) {
        let previous = self.current.load();
        let keys = match previous.as_ref() {
            Some(previous) => keys.keeping_unchanged(&previous.keys),
            None => keys,
        };
        let published = Arc::new(Published { keys, fetched_at: now });
        self.current.store(Some(Arc::clone(&published)));
        self.successions.fetch_add(1, Ordering::Release);
        if let Some(previous) = previous.as_ref() {
            previous.keys.retire_keys_missing_in(&published.keys);
        }
        self.usable_until
            .store(milliseconds(now + outage_window), Ordering::Release);
    }
}
