//! From a token's bytes to a verified token, or the reason why not (RFC 7519 §7.2, RFC 8725, RFC 9068 §4).
//!
//! In this order, so that the cheap checks shield the dear ones:
//!
//! 1. size and form; the header: algorithm, `crit` and other parameters that are never accepted, `typ`;
//! 2. the key, by `kid` and algorithm; an unknown one may cause a fetch of the key set, within its cooldown;
//! 3. the signature;
//! 4. the claims: strict JSON, then issuer, type, audience, authorized party, times.
//!
//! A token that was verified before skips 1 to 3 and the parsing, and nothing else.

use std::{sync::Arc, time::Duration};

use crate::{
    cache::TokenCache,
    claims::{Claims, InvalidPayload},
    invalid_token::InvalidToken,
    jose::{self, Algorithm, Compact, Header, KeySet, MalformedToken, TokenTypeHeader, VerificationKey, VerifyError},
    text::code_list,
    verified_token::VerifiedToken,
};

/// A decoded payload up to this size needs no allocation; Keycloak's take about a kilobyte.
const USUAL_PAYLOAD: usize = 3072;

/// What is expected of a token; fixed at build time.
#[derive(Clone, Debug)]
pub(crate) struct Expectations {
    pub(crate) issuers: Vec<String>,
    /// `None`: switched off by name.
    pub(crate) audiences: Option<Vec<String>>,
    pub(crate) algorithms: Vec<Algorithm>,
    /// Empty: any.
    pub(crate) authorized_parties: Vec<String>,
    pub(crate) leeway: Duration,
    pub(crate) max_token_bytes: usize,
}

/// Checks tokens against keys that it is handed; knows nothing of where they come from.
#[derive(Debug)]
pub(crate) struct Validator {
    expectations: Expectations,
    cache: TokenCache,
}

/// A token that has passed the checks that need no key.
pub(crate) struct Unverified<'t> {
    token: &'t str,
    compact: Compact<'t>,
    header: Header,
}

impl Unverified<'_> {
    /// Whether an unknown key is worth a look for new ones: only a token that names its key can be helped by that.
    pub(crate) fn names_its_key(&self) -> bool {
        self.header.key_id.is_some()
    }

    pub(crate) fn key_id(&self) -> &str {
        self.header.key_id.as_deref().unwrap_or_default()
    }
}

impl Validator {
    pub(crate) fn new(expectations: Expectations, cache_capacity: usize) -> Self {
        Self {
            expectations,
            cache: TokenCache::new(cache_capacity),
        }
    }

    pub(crate) fn expectations(&self) -> &Expectations {
        &self.expectations
    }

    pub(crate) fn has_cache(&self) -> bool {
        self.cache.is_enabled()
    }

    /// The token as it was verified before, if it still passes every check that depends on time or state.
    pub(crate) fn find(&self, token: &[u8], now: Duration) -> Option<Result<Arc<VerifiedToken>, InvalidToken>> {
        let verified = self.cache.find(token)?;
        if verified.key().is_none_or(|key| key.is_retired()) {
            self.cache.remove(&verified);
            return None;
        }
        match self.check_claims(verified.claims(), now) {
            Ok(()) => Some(Ok(verified)),
            Err(InvalidToken::Expired) => {
                self.cache.remove(&verified);
                Some(Err(InvalidToken::Expired))
            }
            Err(invalid) => Some(Err(invalid)),
        }
    }

    /// The checks that need no key.
    pub(crate) fn inspect<'t>(&self, token: &'t str) -> Result<Unverified<'t>, InvalidToken> {
        self.check_size(token)?;
        let compact = Compact::parse(token).map_err(InvalidToken::Malformed)?;
        let header = Header::parse(compact.header).map_err(|error| InvalidToken::from(VerifyError::from(error)))?;
        if !self.expectations.algorithms.contains(&header.algorithm) {
            return Err(InvalidToken::Algorithm);
        }
        // RFC 9068 §4, RFC 8725 §3.11: explicit typing.
        if header.token_type == TokenTypeHeader::Other {
            return Err(InvalidToken::TokenType);
        }
        Ok(Unverified { token, compact, header })
    }

    /// Key, signature and claims.
    pub(crate) fn verify(
        &self,
        unverified: &Unverified<'_>,
        keys: &KeySet,
        now: Duration,
        client_id: &Arc<str>,
    ) -> Result<Arc<VerifiedToken>, InvalidToken> {
        let Unverified { token, compact, header } = unverified;
        let key: &Arc<VerificationKey> = keys.select(header.key_id.as_deref(), header.algorithm)?;
        jose::verify_signature(key, header.algorithm, compact)?;
        let claims = read_claims(token, compact)?;
        self.check_claims(&claims, now)?;
        let verified = Arc::new(VerifiedToken::signed(claims, Arc::clone(key), Arc::clone(client_id)));
        self.cache.insert(&verified);
        Ok(verified)
    }

    /// Keeps huge tokens away from everything that looks at them.
    pub(crate) fn check_size(&self, token: &str) -> Result<(), InvalidToken> {
        if token.len() > self.expectations.max_token_bytes {
            return Err(InvalidToken::Malformed(MalformedToken::TooLarge));
        }
        Ok(())
    }

    /// Everything about a genuine token that can still make it unacceptable.
    pub(crate) fn check_claims(&self, claims: &Claims, now: Duration) -> Result<(), InvalidToken> {
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
        if let Some(audiences) = &expectations.audiences {
            if !claims.has_audience() {
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
            let party = claims.authorized_party().ok_or(InvalidToken::MissingClaim("azp"))?;
            if !expectations.authorized_parties.iter().any(|expected| expected == party) {
                log_mismatch("azp", [party], &expectations.authorized_parties);
                return Err(InvalidToken::Claim("azp"));
            }
        }
        let expires_at = claims.expires_at().ok_or(InvalidToken::MissingClaim("exp"))?;
        let leeway = expectations.leeway;
        // RFC 7519 §4.1.4: on or after `exp` the token must not be accepted.
        if now >= Duration::from_secs(expires_at) + leeway {
            return Err(InvalidToken::Expired);
        }
        let begins = claims.not_before().max(claims.issued_at()).unwrap_or(0);
        if Duration::from_secs(begins) > now + leeway {
            return Err(InvalidToken::NotYetValid);
        }
        Ok(())
    }
}

/// Says for the log what stands in a claim of a genuine token, and what should.
#[cold]
fn log_mismatch<'t>(claim: &'static str, found: impl IntoIterator<Item = &'t str>, expected: &[String]) {
    if tracing::enabled!(target: "keycloak_auth", tracing::Level::DEBUG) {
        let expected = code_list(expected.iter().map(String::as_str));
        tracing::debug!(
            name: "keycloak.claim_refused",
            target: "keycloak_auth",
            { keycloak.claim = claim },
            "claim `{claim}` is {}, expected is {expected}", code_list(found)
        );
    }
}

/// Reads the claims of a genuine token.
fn read_claims(token: &str, compact: &Compact<'_>) -> Result<Claims, InvalidToken> {
    let mut buffer = jose::buffer::<USUAL_PAYLOAD>();
    let long;
    let json = match jose::decode_into(compact.payload, &mut buffer) {
        Ok(json) => json,
        Err(_) => {
            long = jose::decode(compact.payload).map_err(|_| InvalidToken::Malformed(MalformedToken::Encoding))?;
            &long
        }
    };
    let json = str::from_utf8(json).map_err(|_| InvalidToken::Malformed(MalformedToken::Encoding))?;
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
