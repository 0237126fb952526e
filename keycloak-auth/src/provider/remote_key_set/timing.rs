//! When to fetch the keys: lifetime, cooldown, growing pauses, and what Keycloak says by `Retry-After`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::{clock::milliseconds, error::ProviderError};

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

impl Timing {
    /// When a set that was just fetched is reloaded: up to a tenth earlier than it could be, so that the instances of a service do
    /// not all come at once.
    pub(super) fn reload_after(&self) -> Duration {
        let good_for = self.lifetime.saturating_sub(self.reload_ahead).max(self.lifetime / 2);
        let mut byte = [0];
        // Without randomness the instances come together, which is a pity and no fault.
        let _ = aws_lc_rs::rand::fill(&mut byte);
        good_for - good_for.mul_f32(f32::from(byte[0]) / 2550.0)
    }
}

/// From when on a reader should ask for a reload.
#[derive(Debug)]
pub(super) struct ReloadTime {
    /// In milliseconds since the Unix epoch.
    at: AtomicU64,
    /// When that was decided: a clock that has been set back behind it makes a reload due at once.
    decided_at: AtomicU64,
}

impl ReloadTime {
    pub(super) const fn now() -> Self {
        Self::at(0)
    }

    pub(super) const fn never() -> Self {
        Self::at(u64::MAX)
    }

    const fn at(at: u64) -> Self {
        Self {
            at: AtomicU64::new(at),
            decided_at: AtomicU64::new(0),
        }
    }

    pub(super) fn is_due(&self, now_in_milliseconds: u64) -> bool {
        now_in_milliseconds >= self.at.load(Ordering::Relaxed)
            || now_in_milliseconds < self.decided_at.load(Ordering::Relaxed)
    }

    pub(super) fn set(&self, now: Duration, wait: Duration) {
        self.decided_at.store(milliseconds(now), Ordering::Relaxed);
        self.at.store(milliseconds(now + wait), Ordering::Relaxed);
    }
}

/// The attempts to fetch, as far as the next one depends on them.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    /// When the last one began.
    pub(super) last: Option<Duration>,
    /// How many failed since the last success.
    pub(super) failures: u32,
    /// Why the last one failed; `None` after a success.
    pub(super) last_error: Option<Arc<ProviderError>>,
}

impl Attempts {
    /// Whether the pause after the last failure is over.
    pub(super) fn may_follow(&self, timing: &Timing, now: Duration) -> bool {
        self.has_passed(self.pause(timing), now)
    }

    /// Whether an unknown key may cause an attempt.
    pub(super) fn have_cooled_down(&self, timing: &Timing, now: Duration) -> bool {
        self.has_passed(self.cooldown(timing), now)
    }

    /// The pause for unknown keys, and after a failure while there are keys.
    pub(super) fn cooldown(&self, timing: &Timing) -> Duration {
        timing.cooldown.max(self.asked_for_pause())
    }

    /// What is left of the pause after the last failure.
    pub(super) fn remaining_pause(&self, timing: &Timing, now: Duration) -> Duration {
        let waited = self.elapsed(now).unwrap_or_default();
        self.pause(timing).saturating_sub(waited)
    }

    /// How long to wait after the last attempt while there are no keys.
    fn pause(&self, timing: &Timing) -> Duration {
        match self.failures {
            0 => Duration::ZERO,
            failures => FIRST_PAUSE
                .saturating_mul(1 << (failures - 1).min(16))
                .min(timing.cooldown)
                .max(self.asked_for_pause()),
        }
    }

    /// How long Keycloak wants to be left alone after the last attempt.
    fn asked_for_pause(&self) -> Duration {
        let error = self.last_error.as_ref();
        error.and_then(|error| error.retry_after()).unwrap_or_default()
    }

    fn has_passed(&self, span: Duration, now: Duration) -> bool {
        self.elapsed(now).is_none_or(|elapsed| elapsed >= span)
    }

    /// The time since the last one. `None` without one, or when the clock was set back behind it: then nothing is known.
    fn elapsed(&self, now: Duration) -> Option<Duration> {
        now.checked_sub(self.last?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Else a clock that went ahead for a moment would keep the keys from being fetched until that time comes.
    #[test]
    fn a_clock_that_was_set_back_ends_every_pause() {
        let timing = Timing {
            lifetime: Duration::from_secs(300),
            reload_ahead: Duration::from_secs(30),
            cooldown: Duration::from_secs(30),
            outage_window: Duration::from_secs(24 * 3600),
        };
        let began = Duration::from_secs(1_000);
        let attempts = Attempts {
            last: Some(began),
            failures: 3,
            last_error: None,
        };
        let may = |now| {
            (
                attempts.may_follow(&timing, now),
                attempts.have_cooled_down(&timing, now),
            )
        };
        assert_eq!(may(began), (false, false));
        assert_eq!(may(began + Duration::from_secs(4)), (true, false), "1 s, 2 s, 4 s");
        assert_eq!(may(began + Duration::from_secs(30)), (true, true));
        assert_eq!(may(began - Duration::from_millis(1)), (true, true));
    }
}
