//! The tokens that come to one thread again and again.
//!
//! Finding a token among all takes a lock for reading and a reference to it, both counted in memory that all threads write to. Few
//! tokens make most requests of some services, such as those of other services, so each thread has a few places for them, which
//! nobody else looks at. Who finds a token there takes it out and puts it back: nothing is counted.
//!
//! The places belong to one cache and end with it, as those of a `std::thread_local!` would not: that is what the crate of that
//! name is for.
//!
//! Nothing is here that was not in the cache of all, and it is judged by the same checks on every request. A token gets a place when
//! it is met there twice in a row, so that neither one-time tokens nor many in turn get one.

use std::{array, cell::Cell, fmt, sync::Arc};

use super::{USUAL_ENTRY, same_token, tag};
use crate::verified_token::VerifiedToken;

/// How many tokens a thread remembers: a power of two.
const PLACES: usize = 64;

/// Of so many finds one is shown to the cache of all, for which a token that is only found here would look unused.
const SHOWN: u8 = 64;

/// The places of one thread, in memory that those of no other thread are next to: processors would wait for each other's writes.
#[repr(align(128))]
pub(super) struct Recent {
    places: [Place; PLACES],
    /// How many finds there were.
    finds: Cell<u8>,
}

#[derive(Default)]
pub(super) struct Place {
    /// The tag of the token that has the place, 0 for none.
    owner: Cell<u64>,
    /// The token, unless somebody has taken it out.
    token: Cell<Option<Arc<VerifiedToken>>>,
    /// The tag of the token that was met here last and does not have the place.
    candidate: Cell<u64>,
}

impl Recent {
    /// Takes the token out, if it is here, to be put back there.
    #[inline]
    pub(super) fn take(&self, token: &[u8]) -> Option<(Arc<VerifiedToken>, &Place)> {
        let tag = tag(token)?;
        let place = self.place(tag);
        if place.owner.get() != tag {
            return None;
        }
        let verified = place.token.take()?;
        if same_token(token, verified.token().as_bytes()) {
            return Some((verified, place));
        }
        place.token.set(Some(verified));
        None
    }

    /// Whether a find is to be shown to the cache of all.
    #[inline]
    pub(super) fn is_to_show(&self) -> bool {
        let finds = self.finds.get();
        self.finds.set(finds.wrapping_add(1));
        finds.is_multiple_of(SHOWN)
    }

    /// Gives a place to a token that was found elsewhere, when that happens again.
    pub(super) fn meet(&self, verified: Arc<VerifiedToken>) {
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
        &self.places[(mixed >> (u64::BITS - PLACES.ilog2())) as usize]
    }
}

impl Place {
    /// Puts back what was taken out.
    #[inline]
    pub(super) fn put_back(&self, verified: Arc<VerifiedToken>) {
        self.token.set(Some(verified));
    }
}

impl Default for Recent {
    fn default() -> Self {
        Self {
            places: array::from_fn(|_| Place::default()),
            finds: Cell::default(),
        }
    }
}

impl fmt::Debug for Recent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recent").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::verified, *};

    fn token(number: usize) -> String {
        format!("{number:064}")
    }

    fn has(recent: &Recent, token: &str) -> bool {
        let Some((verified, place)) = recent.take(token.as_bytes()) else {
            return false;
        };
        assert_eq!(verified.token(), token);
        place.put_back(verified);
        true
    }

    #[test]
    fn a_token_gets_a_place_when_it_is_met_twice() {
        let recent = Recent::default();
        let token = token(1);
        recent.meet(verified(&token));
        assert!(!has(&recent, &token));
        recent.meet(verified(&token));
        for _ in 0..3 {
            assert!(has(&recent, &token));
        }
    }

    #[test]
    fn what_was_taken_out_is_gone_until_it_is_put_back() {
        let recent = Recent::default();
        let token = token(1);
        recent.meet(verified(&token));
        recent.meet(verified(&token));
        let (taken, place) = recent.take(token.as_bytes()).expect("it has a place");
        assert_eq!(Arc::strong_count(&taken), 1);
        assert!(recent.take(token.as_bytes()).is_none());
        place.put_back(taken);
        assert!(has(&recent, &token));
    }

    #[test]
    fn nothing_but_the_whole_token_finds_it() {
        let recent = Recent::default();
        let token = token(1);
        recent.meet(verified(&token));
        recent.meet(verified(&token));
        for index in 0..token.len() {
            let mut other = token.clone().into_bytes();
            other[index] ^= 1;
            assert!(recent.take(&other).is_none(), "byte {index}");
        }
        for other in ["", "1", &token[1..], &format!("0{token}")] {
            assert!(recent.take(other.as_bytes()).is_none(), "{other}");
        }
        assert!(has(&recent, &token), "nobody has taken it out");
    }

    #[test]
    fn tokens_that_come_once_take_nobodys_place() {
        let recent = Recent::default();
        let regular = token(0);
        recent.meet(verified(&regular));
        recent.meet(verified(&regular));
        for number in 1..10 * PLACES {
            recent.meet(verified(&token(number)));
        }
        assert!(has(&recent, &regular));
        // Whoever comes again does.
        for number in 1..10 * PLACES {
            recent.meet(verified(&token(number)));
            recent.meet(verified(&token(number)));
            assert!(has(&recent, &token(number)));
        }
        assert!(!has(&recent, &regular));
    }

    #[test]
    fn large_tokens_get_no_place() {
        let recent = Recent::default();
        let large = "x".repeat(USUAL_ENTRY as usize);
        recent.meet(verified(&large));
        recent.meet(verified(&large));
        assert!(!has(&recent, &large));
    }
}
