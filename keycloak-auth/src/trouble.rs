//! Trouble that the log tells when it begins and when it ends: not for each request that meets it, and not each time that something
//! fails which works for every other request.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

use crate::clock::milliseconds;

/// The same is told no more often than this.
const PAUSE: Duration = Duration::from_secs(60);

/// Whether trouble was told of, and when.
#[derive(Debug, Default)]
pub(crate) struct Trouble {
    /// Whether its end is not told yet.
    is_told: AtomicBool,
    /// In milliseconds since the Unix epoch; 0 for never.
    told_at: AtomicU64,
}

impl Trouble {
    /// Whether to tell now that there is trouble: it was not told of since it last ended, and not in the last minute.
    pub(crate) fn begins(&self, now: Duration) -> bool {
        !self.is_told.load(Ordering::Relaxed) && self.happens(now) && !self.is_told.swap(true, Ordering::Relaxed)
    }

    /// Whether to tell that there is none any more.
    pub(crate) fn ends(&self) -> bool {
        self.is_told.load(Ordering::Relaxed) && self.is_told.swap(false, Ordering::Relaxed)
    }

    /// Whether to tell now of trouble that has no end to be told of: it was not told of in the last minute.
    pub(crate) fn happens(&self, now: Duration) -> bool {
        let now = milliseconds(now);
        let told_at = self.told_at.load(Ordering::Relaxed);
        let is_due = told_at == 0 || now.abs_diff(told_at) >= milliseconds(PAUSE);
        is_due && {
            let told = self
                .told_at
                .compare_exchange(told_at, now, Ordering::Relaxed, Ordering::Relaxed);
            told.is_ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_and_goes_is_told_once_a_minute() {
        let trouble = Trouble::default();
        let at = Duration::from_secs;
        assert!(!trouble.ends(), "there was none");
        assert!(trouble.begins(at(100)) && !trouble.begins(at(101)));
        assert!(trouble.ends() && !trouble.ends());
        assert!(!trouble.begins(at(159)) && !trouble.ends());
        assert!(trouble.begins(at(160)) && trouble.ends());
        // A clock that was set back silences nothing for long.
        assert!(trouble.begins(at(50)));
    }

    #[test]
    fn what_has_no_end_is_told_once_a_minute() {
        let trouble = Trouble::default();
        let at = Duration::from_secs;
        assert!(trouble.happens(at(100)) && !trouble.happens(at(159)));
        assert!(trouble.happens(at(160)) && !trouble.ends());
    }
}
