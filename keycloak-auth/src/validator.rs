//! From a token's bytes to a verified token, or the reason why not (RFC 7519 §7.2, RFC 8725, RFC 9068 §4).
//!
//! In this order, so that the cheap checks shield the dear ones:
//!
//! 1. size and form; the header: algorithm, `crit` and other parameters that are never accepted, `typ`;
//! 2. the key, by `kid` and algorithm; an unknown one may cause a fetch of the key set, within its cooldown;
//! 3. the signature;
//! 4. the claims: strict JSON, then issuer, type, audience, authorized party, times.
//!
//! A token that was verified before skips 1 to 3 and the parsing. Of its claims only the times can have become unacceptable:
//! the others were checked against these very expectations, which never change, and against others it does not count.

mod found;
mod mismatch;
#[cfg(test)]
mod tests;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use self::mismatch::{log_mismatch, log_missing};
use crate::{
    bearer::Word,
    cache::TokenCache,
    claims::{Claims, InvalidPayload, is_lightweight},
    clock::{nanoseconds, nanoseconds_of},
    error::FutureNotBefore,
    expectations::Expectations,
    invalid_token::InvalidToken,
    jose::{
        self, Compact, HeaderMemo, KeySet, KnownHeader, MalformedToken, TokenTypeHeader, VerificationKey, VerifyError,
    },
    verified_token::{Completeness, Verified, VerifiedToken},
};

pub(crate) use found::Found;

/// A decoded payload up to this size needs no allocation; Keycloak's take about a kilobyte.
const USUAL_PAYLOAD: usize = 3072;

/// Checks tokens against keys that it is handed; knows nothing of where they come from.
#[derive(Debug)]
pub(crate) struct Validator {
    expectations: Arc<Expectations>,
    cache: TokenCache,
    /// Tokens that were issued before this time are void, in seconds since the Unix epoch. It only ever grows.
    not_before: AtomicU64,
    usual_header: HeaderMemo,
}

/// A token that has passed the checks that need no key.
pub(crate) struct Unverified<'t> {
    token: &'t [u8],
    compact: Compact<'t>,
    header: KnownHeader,
}

impl Unverified<'_> {
    /// Whether an unknown key is worth a look for new ones: only a token that names its key can be helped by that.
    pub(crate) fn names_its_key(&self) -> bool {
        self.header.key_id.is_some()
    }

    pub(crate) fn key_id(&self) -> &str {
        self.header.key_id.as_deref().unwrap_or_default()
    }

    /// The key that it says it is signed by.
    pub(crate) fn select_key<'k>(&self, keys: &'k KeySet) -> Result<&'k Arc<VerificationKey>, InvalidToken> {
        Ok(keys.select(self.header.key_id.as_deref(), self.header.algorithm)?)
    }

    /// Whether `key` signed it; all other checks are still to be made.
    pub(crate) fn verify_signature(&self, key: &VerificationKey) -> Result<(), InvalidToken> {
        Ok(jose::verify_signature(key, self.header.algorithm, &self.compact)?)
    }

    /// Whether the key that it names signed it.
    pub(crate) fn is_signed_by_one_of(&self, keys: &KeySet) -> bool {
        let key = self.select_key(keys);
        key.is_ok_and(|key| self.verify_signature(key).is_ok())
    }

    /// Whether this is the one way to write the token. Header and payload are signed as they are written; whoever decodes the
    /// signature less strictly, as Keycloak does, accepts many spellings of it (RFC 4648 §3.5).
    pub(crate) fn check_spelling(&self) -> Result<(), InvalidToken> {
        if jose::is_canonical(self.compact.signature) {
            return Ok(());
        }
        Err(InvalidToken::Malformed(MalformedToken::Encoding))
    }

    /// What the token says of itself: nobody vouches for it.
    pub(crate) fn claims(&self) -> Result<Claims, InvalidToken> {
        read_claims(self.token, &self.compact)
    }
}

impl Validator {
    pub(crate) fn new(expectations: Expectations, cache_capacity: usize) -> Self {
        Self {
            expectations: Arc::new(expectations),
            cache: TokenCache::new(cache_capacity),
            not_before: AtomicU64::new(0),
            usual_header: HeaderMemo::default(),
        }
    }

    /// The realm's not-before, as far as it was told.
    pub(crate) fn not_before(&self) -> u64 {
        self.not_before.load(Ordering::Acquire)
    }

    /// Takes note of a not-before; an earlier one than is known changes nothing.
    ///
    /// One beyond the leeway would refuse every token until then.
    pub(crate) fn raise_not_before(&self, seconds: u64, now: Duration) -> Result<(), FutureNotBefore> {
        let latest = (now + self.expectations.leeway).as_secs();
        if seconds > latest {
            return Err(FutureNotBefore { seconds, latest });
        }
        self.not_before.fetch_max(seconds, Ordering::AcqRel);
        Ok(())
    }

    pub(crate) fn expectations(&self) -> &Arc<Expectations> {
        &self.expectations
    }

    pub(crate) fn has_cache(&self) -> bool {
        self.cache.is_enabled()
    }

    /// The checks that need no key.
    pub(crate) fn inspect<'t>(&self, token: &'t (impl AsRef<[u8]> + ?Sized)) -> Result<Unverified<'t>, InvalidToken> {
        let token = token.as_ref();
        self.check_size(token)?;
        self.inspect_parts(token, Compact::parse(token))
    }

    /// The checks that need no key, of a token whose dots are counted.
    #[inline(always)]
    pub(crate) fn inspect_word<'t>(&self, word: Word<'t>) -> Result<Unverified<'t>, InvalidToken> {
        let Word { bytes: token, dots } = word;
        self.check_size(token)?;
        self.inspect_parts(token, Compact::split(token, dots))
    }

    // Where it is called, so that what it makes is not moved from one place to another.
    #[inline(always)]
    fn inspect_parts<'t>(
        &self,
        token: &'t [u8],
        compact: Result<Compact<'t>, MalformedToken>,
    ) -> Result<Unverified<'t>, InvalidToken> {
        let compact = compact.map_err(InvalidToken::Malformed)?;
        let header = self.usual_header.read(compact.header);
        let header = header.map_err(|error| InvalidToken::from(VerifyError::from(error)))?;
        if !self.expectations.algorithms.contains(&header.algorithm) {
            return Err(InvalidToken::Algorithm);
        }
        // RFC 9068 §4, RFC 8725 §3.11: explicit typing.
        if header.token_type == TokenTypeHeader::Other {
            return Err(InvalidToken::TokenType);
        }
        Ok(Unverified { token, compact, header })
    }

    /// Signature and claims.
    pub(crate) fn verify(
        &self,
        unverified: &Unverified<'_>,
        key: &Arc<VerificationKey>,
        now: Duration,
    ) -> Result<Verified, InvalidToken> {
        let Unverified { token, compact, header } = unverified;
        unverified.verify_signature(key)?;
        self.usual_header.remember(compact.header, header);
        let claims = read_claims(token, compact)?;
        let completeness = self.check_genuine(&claims, now)?;
        let expectations = Arc::clone(&self.expectations);
        let verified = VerifiedToken::signed(claims, Arc::clone(key), expectations, completeness);
        let verified = Arc::new(verified);
        self.cache.insert(&verified);
        Ok(verified.into_verified())
    }

    /// The checks of a token that its key vouches for, as far as they are made here.
    fn check_genuine(&self, claims: &Claims, now: Duration) -> Result<Completeness, InvalidToken> {
        if self.expectations.completes_lightweight && is_lightweight(claims) {
            self.check_origin_and_times(claims, now)?;
            return Ok(Completeness::Lightweight);
        }
        self.check_claims(claims, now)?;
        Ok(Completeness::Complete)
    }

    /// Keeps huge tokens away from everything that looks at them.
    pub(crate) fn check_size(&self, token: impl AsRef<[u8]>) -> Result<(), InvalidToken> {
        if token.as_ref().len() > self.expectations.max_token_bytes {
            return Err(InvalidToken::Malformed(MalformedToken::TooLarge));
        }
        Ok(())
    }

    /// Everything about a genuine token that can still make it unacceptable.
    pub(crate) fn check_claims(&self, claims: &Claims, now: Duration) -> Result<(), InvalidToken> {
        self.check_origin(claims)?;
        self.check_recipient(claims)?;
        Ok(self.check_times(claims, now)?)
    }

    /// The checks that hold for every token, also for one that Keycloak is to tell more about.
    pub(crate) fn check_origin_and_times(&self, claims: &Claims, now: Duration) -> Result<(), InvalidToken> {
        self.check_origin(claims)?;
        Ok(self.check_times(claims, now)?)
    }

    /// Who issued it, and as what.
    fn check_origin(&self, claims: &Claims) -> Result<(), InvalidToken> {
        let expectations = &self.expectations;
        // RFC 9068 §4: the issuer must match exactly.
        let issuer = claims.issuer().ok_or(InvalidToken::MissingClaim("iss"))?;
        if !expectations.issuers.iter().any(|expected| expected == issuer) {
            log_mismatch("iss", [issuer], &expectations.issuers);
            return Err(InvalidToken::Claim("iss"));
        }
        // Keycloak: `Bearer` in access tokens; `ID`, `Refresh`, `Offline`, `Logout` in others; `DPoP` in bound ones.
        match claims.token_type() {
            Some("Bearer") => {}
            Some("DPoP") => return Err(InvalidToken::SenderConstrained),
            Some(_) => return Err(InvalidToken::TokenType),
            None => return Err(InvalidToken::MissingClaim("typ")),
        }
        // RFC 9449 §7.2, RFC 8705 §3: whoever holds a bound token must prove the key, and nobody here asks for the proof.
        if claims.is_bound() {
            return Err(InvalidToken::SenderConstrained);
        }
        Ok(())
    }

    /// For whom it is, and who got it.
    fn check_recipient(&self, claims: &Claims) -> Result<(), InvalidToken> {
        let expectations = &self.expectations;
        if let Some(audiences) = &expectations.audiences {
            if !claims.has_audience() {
                log_missing("aud", audiences);
                return Err(InvalidToken::MissingClaim("aud"));
            }
            if !claims
                .audience()
                .any(|audience| audiences.iter().any(|expected| expected == audience))
            {
                log_mismatch("aud", claims.audience(), audiences);
                return Err(InvalidToken::Claim("aud"));
            }
        }
        if !expectations.authorized_parties.is_empty() {
            let party = claims.authorized_party().ok_or_else(|| {
                log_missing("azp", &expectations.authorized_parties);
                InvalidToken::MissingClaim("azp")
            })?;
            if !expectations.authorized_parties.iter().any(|expected| expected == party) {
                log_mismatch("azp", [party], &expectations.authorized_parties);
                return Err(InvalidToken::Claim("azp"));
            }
        }
        Ok(())
    }

    /// When it is good.
    #[inline]
    fn check_times(&self, claims: &Claims, now: Duration) -> Result<(), TimeFault> {
        let expires_at = claims.expires_at().ok_or(TimeFault::NoExpiry)?;
        let leeway = nanoseconds(self.expectations.leeway);
        let now = nanoseconds(now);
        // RFC 7519 §4.1.4: on or after `exp` the token must not be accepted.
        if now >= nanoseconds_of(expires_at).saturating_add(leeway) {
            return Err(TimeFault::Expired);
        }
        let issued_at = claims.issued_at().unwrap_or(0);
        let begins = claims
            .not_before()
            .map_or(issued_at, |not_before| not_before.max(issued_at));
        if nanoseconds_of(begins) > now.saturating_add(leeway) {
            return Err(TimeFault::NotYetValid);
        }
        // As Keycloak does it: without leeway, since both times are by its own clock.
        if issued_at < self.not_before() {
            return Err(TimeFault::IssuedBeforeNotBefore);
        }
        Ok(())
    }
}

/// Why a token is not good at a time. Of one byte, so that it is handed on in a register.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TimeFault {
    /// It has no `exp`.
    NoExpiry,
    Expired,
    NotYetValid,
    IssuedBeforeNotBefore,
}

impl From<TimeFault> for InvalidToken {
    fn from(fault: TimeFault) -> Self {
        match fault {
            TimeFault::NoExpiry => Self::MissingClaim("exp"),
            TimeFault::Expired => Self::Expired,
            TimeFault::NotYetValid => Self::NotYetValid,
            TimeFault::IssuedBeforeNotBefore => Self::IssuedBeforeNotBefore,
        }
    }
}

/// Reads the claims of a genuine token.
fn read_claims(token: &[u8], compact: &Compact<'_>) -> Result<Claims, InvalidToken> {
    let mut buffer = jose::buffer::<USUAL_PAYLOAD>();
    let long;
    let json = match jose::decode_into(compact.payload, &mut buffer) {
        Ok(json) => json,
        Err(_) => {
            long = jose::decode(compact.payload).map_err(|_| InvalidToken::Malformed(MalformedToken::Encoding))?;
            &long
        }
    };
    let text = |bytes| str::from_utf8(bytes).map_err(|_| InvalidToken::Malformed(MalformedToken::Encoding));
    let (token, json) = (text(token)?, text(json)?);
    let start = compact.header.len() + 1;
    Ok(Claims::of_token(token, start..start + compact.payload.len(), json)?)
}

impl From<InvalidPayload> for InvalidToken {
    fn from(invalid: InvalidPayload) -> Self {
        match invalid {
            InvalidPayload::Malformed => Self::Malformed(MalformedToken::Payload),
            InvalidPayload::Claim(claim) => Self::Claim(claim),
        }
    }
}
