//! The tokens that come to one thread again and again.
//!
//! Finding a token among all takes a lock for reading and a reference to it, both counted in memory that all threads write to. Few
//! tokens make most requests of some services, such as those of other services, so each thread has a few places for them, which
//! nobody else looks at. Who finds a token there takes it out and puts it back: nothing is counted.
//!
//! Nothing is here that was not in the cache of all, and it is judged by the same checks on every request. A token gets a place when
//! it is met there twice in a row, so that neither one-time tokens nor many in turn get one.

use std::{array, cell::Cell, fmt, sync::Arc};

use super::{USUAL_ENTRY, same_token};
use crate::verified_token::VerifiedToken;

/// How many tokens a thread remembers: a power of two.
const PLACES: usize = 64;

/// The places of one thread.
pub(super) struct Recent([Place; PLACES]);

#[derive(Default)]
struct Place {
    /// The tag of the token that has the place, 0 for none.
    owner: Cell<u64>,
    /// The token, unless somebody has taken it out.
    token: Cell<Option<Arc<VerifiedToken>>>,
    /// The tag of the token that was met here last and does not have the place.
    candidate: Cell<u64>,
}

impl Recent {
    /// Takes the token out, if it is here.
    pub(super) fn take(&self, token: &[u8]) -> Option<Arc<VerifiedToken>> {
        let tag = tag(token)?;
        let place = self.place(tag);
        if place.owner.get() != tag {
            return None;
        }
        let verified = place.token.take()?;
        if same_token(token, verified.token().as_bytes()) {
            return Some(verified);
        }
        place.token.set(Some(verified));
        None
    }

    /// Puts back what was taken out, or gives a place to a token that was found elsewhere again.
    pub(super) fn put(&self, verified: Arc<VerifiedToken>) {
        let Some(tag) = tag(verified.token().as_bytes()) else {
            return;
        };
        let place = self.place(tag);
        if place.owner.get() != tag {
            if place.candidate.replace(tag) != tag || verified.size() > USUAL_ENTRY as usize {
                return;
            }
            place.owner.set(tag);
        }
        place.token.set(Some(verified));
    }

    fn place(&self, tag: u64) -> &Place {
        // Characters of base64url have no bits of their own: all of them have a say in the highest bits of a product.
        let mixed = tag.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        &self.0[(mixed >> (u64::BITS - PLACES.ilog2())) as usize]
    }
}

impl Default for Recent {
    fn default() -> Self {
        Self(array::from_fn(|_| Place::default()))
    }
}

impl fmt::Debug for Recent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recent").finish_non_exhaustive()
    }
}

/// The end of the token, which is the end of its signature.
fn tag(token: &[u8]) -> Option<u64> {
    token.last_chunk().copied().map(u64::from_ne_bytes)
}
