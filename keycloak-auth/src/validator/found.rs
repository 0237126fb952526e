//! Tokens that were verified before: whether they are still good.

use std::{sync::Arc, time::Duration};

use super::{TimeFault, Validator};
use crate::{
    cache::Place,
    invalid_token::InvalidToken,
    verified_token::{Verified, VerifiedToken},
};

/// A token that was verified before.
pub(crate) struct Found<'v> {
    pub(crate) verified: Arc<VerifiedToken>,
    pub(crate) place: Place<'v>,
    /// What the checks say that depend on the time.
    times: Result<(), TimeFault>,
}

impl Found<'_> {
    /// Whether it has all claims, and passes every check. If not, it is for [`judge_found`](Validator::judge_found) to say what
    /// it is.
    pub(crate) fn is_good(&self) -> bool {
        self.times.is_ok() && self.verified.is_complete()
    }
}

impl Validator {
    /// Takes back what [`find`](Self::find) or [`verify`](Self::verify) gave, so that it is found sooner.
    #[inline]
    pub(crate) fn hand_back(&self, verified: Arc<VerifiedToken>, place: Place<'_>) {
        self.cache.hand_back(verified, place);
    }

    /// The token as it was verified before, unless its key or what is expected has changed.
    #[inline(always)] // what it gives would lie in memory, and keep the processor waiting that reads it at once
    pub(crate) fn find(&self, token: &[u8], now: Duration) -> Option<Found<'_>> {
        let (verified, place) = self.cache.find(token)?;
        if verified.key().is_none_or(|key| key.is_retired()) || !verified.is_for(&self.expectations) {
            self.cache.remove(&verified);
            return None;
        }
        let times = self.check_times(verified.claims(), now);
        Some(Found { verified, place, times })
    }

    /// What else there is to say of a token that was found.
    #[cold]
    pub(crate) fn judge_found(&self, found: Found<'_>) -> Result<Verified, InvalidToken> {
        if found.times == Err(TimeFault::Expired) {
            self.cache.remove(&found.verified);
        }
        let Found { verified, place, times } = found;
        times?;
        self.cache.hand_back(Arc::clone(&verified), place);
        Ok(verified.into_verified())
    }
}
