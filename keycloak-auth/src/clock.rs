//! The clock, which everything that depends on time is given.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// How far clocks may differ, unless configured.
pub(crate) const DEFAULT_LEEWAY: Duration = Duration::from_secs(60);

/// Tells the time to a [`Keycloak`](crate::Keycloak): the system's, or one that a test moves.
///
/// ```
/// use std::time::Duration;
/// use keycloak_auth::Clock;
///
/// let clock = Clock::manual(Duration::from_secs(1_700_000_000));
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now(), Duration::from_secs(1_700_000_060));
/// ```
#[derive(Clone, Default)]
pub struct Clock {
    manual: Option<Arc<AtomicU64>>,
}

impl Clock {
    /// The system's wall clock.
    #[must_use]
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that stands at `now` (time since the Unix epoch, kept in milliseconds) until it is moved; for tests.
    #[must_use]
    pub fn manual(now: Duration) -> Self {
        Self {
            manual: Some(Arc::new(AtomicU64::new(milliseconds(now)))),
        }
    }

    /// The time since the Unix epoch; zero when the system's clock stands before it.
    #[must_use]
    pub fn now(&self) -> Duration {
        match &self.manual {
            Some(milliseconds) => Duration::from_millis(milliseconds.load(Ordering::SeqCst)),
            None => wall_clock(),
        }
    }

    /// Sets a manual clock, and all its clones, to a time that may also be earlier, as an administrator would.
    ///
    /// # Panics
    ///
    /// When this is the system's clock, which nobody here can set.
    pub fn set(&self, now: Duration) {
        self.movable().store(milliseconds(now), Ordering::SeqCst);
    }

    /// Moves a manual clock, and all its clones, forward.
    ///
    /// # Panics
    ///
    /// When this is the system's clock, which nobody here can move.
    pub fn advance(&self, by: Duration) {
        let by = milliseconds(by);
        let forward = |now: u64| Some(now.saturating_add(by));
        // Never declines.
        let _ = self.movable().fetch_update(Ordering::SeqCst, Ordering::SeqCst, forward);
    }
}

impl Clock {
    fn movable(&self) -> &AtomicU64 {
        let manual = self.manual.as_ref();
        manual.expect("only a clock made by `Clock::manual` can be moved")
    }
}

/// The time of the kernel's last tick, some milliseconds ago at most: tokens tell time in seconds, and every request asks.
#[cfg(target_os = "linux")]
fn wall_clock() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse);
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(now.tv_nsec).unwrap_or_default())
}

#[cfg(not(target_os = "linux"))]
fn wall_clock() -> Duration {
    use std::time::{SystemTime, UNIX_EPOCH};

    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.manual.is_some() {
            "Clock::manual"
        } else {
            "Clock::system"
        };
        write!(f, "{kind}({:?})", self.now())
    }
}

/// What is left until then of a span that was `whole` when it began; `None` when it is over. When more than that is left, the
/// clock was set back, and the span counts for nothing.
pub(crate) fn left(until: Duration, whole: Duration, now: Duration) -> Option<Duration> {
    let left = until.checked_sub(now)?;
    (!left.is_zero() && left <= whole).then_some(left)
}

/// In nanoseconds, for times that are compared on every request: one number is compared sooner than two. Later than in the year
/// 2554 there is no difference any more.
#[inline]
pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    nanoseconds_of(duration.as_secs()).saturating_add(u64::from(duration.subsec_nanos()))
}

/// Seconds in nanoseconds, likewise.
#[inline]
pub(crate) const fn nanoseconds_of(seconds: u64) -> u64 {
    seconds.saturating_mul(1_000_000_000)
}

/// In milliseconds, as an atomic holds them.
#[inline]
pub(crate) fn milliseconds(duration: Duration) -> u64 {
    duration
        .as_secs()
        .saturating_mul(1000)
        .saturating_add(u64::from(duration.subsec_millis()))
}
