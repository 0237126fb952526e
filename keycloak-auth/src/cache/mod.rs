//! The cache of verified tokens: a memo of a pure function.
//!
//! Remembered is what follows from a token's bytes and a key alone: that the signature verifies, and the parsed claims.
//! An entry is found by the whole token, of which the end is compared in constant time. It names the key that verified it and
//! the expectations (issuer, audience, authorized party) that its claims met. Whatever depends on the time or on state
//! (expiry, not-before, the key still being in the set, the expectations still being these) is checked again on every request,
//! so an entry can never be staler than a fresh verification. Failures are not remembered.
//!
//! The hash takes the end of the token, which is the end of its signature, with random numbers of the process. Only tokens
//! that verified get in, so nobody without the private key chooses where entries land.
//!
//! In front of it each thread has a few places for the tokens that come again and again, see [`recent`].
//!
//! `quick_cache` holds the entries: its readers take a shard's lock only for the look-up itself, and its eviction
//! (S3-FIFO) keeps the regulars when a flood of one-time tokens passes through. `moka` takes more than twice as long for a
//! look-up; `papaya` and plain maps evict nothing of use. BENCHMARKS.md has the numbers. The bound is in entries
//! and in bytes; a thread's places hold 64 tokens of usual size at most.

mod recent;

use std::{
    fmt,
    hash::{Hash, Hasher},
    hint::black_box,
    sync::Arc,
};

use foldhash::fast::RandomState;
use quick_cache::{Equivalent, Weighter, sync::Cache};
use thread_local::ThreadLocal;

use self::recent::Recent;
use crate::verified_token::VerifiedToken;

/// The share of the cache's bytes that one entry of usual size counts for; larger tokens count for what they take.
const USUAL_ENTRY: u64 = 4096;

/// How many bytes at the end of two tokens are compared in constant time: more than the tag has.
const END: usize = 32;

/// Verified tokens by their text.
#[derive(Debug)]
pub(crate) struct TokenCache(Option<Tokens>);

#[derive(Debug)]
struct Tokens {
    all: Cache<Key, Arc<VerifiedToken>, ByWeight, RandomState>,
    recent: ThreadLocal<Recent>,
}

/// Where a token was found, for it to be put back there.
#[derive(Clone, Copy)]
pub(crate) struct Place<'c>(Option<&'c recent::Place>);

impl Place<'_> {
    /// That of a token which has none of its own yet.
    pub(crate) const NONE: Self = Self(None);
}

impl TokenCache {
    /// A cache of at most `capacity` tokens and 4 KiB times that; without any at zero.
    pub(crate) fn new(capacity: usize) -> Self {
        Self((capacity > 0).then(|| Tokens {
            all: Cache::with(
                capacity,
                capacity as u64 * USUAL_ENTRY,
                ByWeight,
                RandomState::default(),
                Default::default(),
            ),
            recent: ThreadLocal::new(),
        }))
    }

    pub(crate) fn is_enabled(&self) -> bool {
        self.0.is_some()
    }

    /// Finds a token, which is to be [`hand_back`](Self::hand_back)ed when it is still good, so that it is found sooner.
    pub(crate) fn find(&self, token: &[u8]) -> Option<(Arc<VerifiedToken>, Place<'_>)> {
        let tokens = self.0.as_ref()?;
        let recent = tokens.recent.get_or_default();
        if let Some((verified, place)) = recent.take(token) {
            if recent.is_to_show() {
                tokens.find_in_all(token);
            }
            return Some((verified, Place(Some(place))));
        }
        Some((tokens.find_in_all(token)?, Place::NONE))
    }

    #[inline]
    pub(crate) fn hand_back(&self, verified: Arc<VerifiedToken>, place: Place<'_>) {
        match (place.0, &self.0) {
            (Some(place), _) => place.put_back(verified),
            (None, Some(tokens)) => tokens.recent.get_or_default().meet(verified),
            (None, None) => {}
        }
    }

    pub(crate) fn insert(&self, verified: &Arc<VerifiedToken>) {
        if let (Some(tokens), Some(key)) = (&self.0, Key::of(verified)) {
            tokens.all.insert(key, Arc::clone(verified));
        }
    }

    /// Drops an entry that will never be good again.
    pub(crate) fn remove(&self, verified: &VerifiedToken) {
        if let (Some(tokens), Some(sought)) = (&self.0, Sought::of(verified.token().as_bytes())) {
            tokens.all.remove(&sought);
        }
    }
}

impl Tokens {
    fn find_in_all(&self, token: &[u8]) -> Option<Arc<VerifiedToken>> {
        self.all.get(&Sought::of(token)?)
    }
}

/// The token of an entry, sharing the entry's memory but for its tag: looking for others, and moving entries, needs no look at it.
#[derive(Clone)]
struct Key {
    tag: u64,
    /// Begins with the token. That it is known from here lets a processor fetch it together with what it is the token of,
    /// not afterwards.
    text: Arc<str>,
    verified: Arc<VerifiedToken>,
}

impl Key {
    fn of(verified: &Arc<VerifiedToken>) -> Option<Self> {
        Some(Self {
            tag: tag(verified.token().as_bytes())?,
            text: Arc::clone(verified.text()),
            verified: Arc::clone(verified),
        })
    }
}

/// Does not show the token.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").finish_non_exhaustive()
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.tag == other.tag && same_token(self.verified.token().as_bytes(), other.verified.token().as_bytes())
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.tag);
    }
}

/// A token that is looked for.
struct Sought<'t> {
    tag: u64,
    token: &'t [u8],
}

impl<'t> Sought<'t> {
    fn of(token: &'t [u8]) -> Option<Self> {
        tag(token).map(|tag| Self { tag, token })
    }
}

impl Hash for Sought<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.tag);
    }
}

impl Equivalent<Key> for Sought<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        let is_start_of = |text: &[u8]| {
            text.get(..self.token.len())
                .is_some_and(|start| same_token(self.token, start))
        };
        self.tag == key.tag
            && is_start_of(key.text.as_bytes())
            // What stands behind the token is none of it.
            && key.verified.token().len() == self.token.len()
    }
}

/// What tokens are told apart by at first: their end, which is the end of the signature. None for what is too short to have one.
fn tag(token: &[u8]) -> Option<u64> {
    token.last_chunk().copied().map(u64::from_ne_bytes)
}

/// Compares whole tokens, in a time that tells nobody anything of a token that is not theirs.
///
/// The end, 192 bits of the signature, is compared in constant time. Whoever gets beyond that has the token, so the rest may take
/// the processor's shortest way: constant time costs a third of all that a known token costs.
fn same_token(one: &[u8], other: &[u8]) -> bool {
    match (one.split_last_chunk::<END>(), other.split_last_chunk::<END>()) {
        (Some((start, end)), Some((other_start, other_end))) => same_end(end, other_end) && start == other_start,
        // Nothing so short has a signature.
        _ => false,
    }
}

/// Compares in constant time.
fn same_end(one: &[u8; END], other: &[u8; END]) -> bool {
    const WORD: usize = size_of::<u64>();
    let (words, other_words) = (one.as_chunks::<WORD>().0, other.as_chunks::<WORD>().0);
    let difference = (0..END / WORD).fold(0, |sum, index| {
        sum | (u64::from_ne_bytes(words[index]) ^ u64::from_ne_bytes(other_words[index]))
    });
    black_box(difference) == 0
}

#[derive(Clone, Debug)]
struct ByWeight;

impl Weighter<Key, Arc<VerifiedToken>> for ByWeight {
    fn weight(&self, _: &Key, verified: &Arc<VerifiedToken>) -> u64 {
        verified.size().max(USUAL_ENTRY as usize) as u64
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::{claims::Claims, expectations::Expectations};

    #[test]
    fn tokens_are_the_same_only_in_all_bytes() {
        for length in [32, 33, 63, 127, 128, 129, 256, 1479] {
            let token: Vec<u8> = (0..length).map(|index| b'a' + (index % 23) as u8).collect();
            assert!(same_token(&token, &token.clone()));
            for index in 0..length {
                for bit in 0..8 {
                    let mut other = token.clone();
                    other[index] ^= 1 << bit;
                    assert!(!same_token(&token, &other), "bit {bit} of byte {index} of {length}");
                }
            }
            assert!(!same_token(&token, &[&token[..], b"a"].concat()));
        }
    }

    #[test]
    fn what_stands_behind_a_token_in_memory_is_none_of_it() {
        let token = format!("{:064}", 1);
        let key = Key::of(&verified(&token)).expect("it is long enough");
        let key = Key {
            text: Arc::from(format!("{token}{:064}", 2)),
            ..key
        };
        let is_found = |sought: &str| {
            // As if their ends were alike.
            let token = sought.as_bytes();
            Sought { tag: key.tag, token }.equivalent(&key)
        };
        assert!(is_found(&token));
        for sought in [&key.text[..63], &key.text[..65], &key.text, &format!("{}0", key.text)] {
            assert!(!is_found(sought), "{sought}");
        }
    }

    #[test]
    fn what_a_thread_finds_in_its_places_stays_in_the_cache_of_all() {
        let cache = TokenCache::new(1000);
        let find = |token: &VerifiedToken| {
            let found = cache.find(token.token().as_bytes());
            found.is_some_and(|(verified, place)| {
                cache.hand_back(verified, place);
                true
            })
        };
        let usual = verified(&format!("{:064}", 0));
        cache.insert(&usual);
        assert!(find(&usual) && find(&usual), "it has a place");
        for number in 1..20_000 {
            assert!(find(&usual), "before {number}");
            let other = verified(&format!("{number:064}"));
            cache.insert(&other);
            // Once, so that it takes nobody's place, and is no stranger to the cache of all.
            assert!(find(&other));
        }
        thread::scope(|scope| {
            let elsewhere = scope.spawn(|| cache.find(usual.token().as_bytes()).is_some());
            assert!(elsewhere.join().expect("it does not panic"));
        });
    }

    pub(super) fn verified(token: &str) -> Arc<VerifiedToken> {
        let claims = Claims::parse("{}").expect("a JSON object");
        let expectations = Arc::new(Expectations::of_audience("orders-api"));
        Arc::new(VerifiedToken::introspected(token, claims, expectations))
    }

    #[test]
    fn tokens_are_told_apart_by_their_end() {
        let token = *b"0123456789abcdef";
        for index in 0..token.len() {
            let mut other = token;
            other[index] = b'x';
            assert_eq!(tag(&token) == tag(&other), index < 8, "byte {index}");
        }
        assert_eq!(tag(b"short"), None);
    }
}
