//! What stands in a claim that is not accepted, and what should: for the log and for developers, never for a response.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use super::Validator;
use crate::{InvalidToken, claims::Claims, text::code_list, trouble::Trouble};

/// Whether the settings have proved right: some token was accepted by them.
#[derive(Debug, Default)]
pub(super) struct Settled {
    has_accepted: AtomicBool,
    refusing: Trouble,
}

impl Settled {
    #[inline]
    pub(super) fn note_accepted(&self) {
        if !self.has_accepted.load(Ordering::Relaxed) {
            self.has_accepted.store(true, Ordering::Relaxed);
        }
    }
}

impl Validator {
    /// What stands in the claim that made the token unacceptable, and what is expected there: "it is `a`, expected is `b`".
    ///
    /// `None` where that is not a matter of values, or they are in no JWT.
    pub(crate) fn mismatch(&self, token: &str, invalid: InvalidToken) -> Option<String> {
        let (_, expected) = self.expected(invalid)?;
        if matches!(invalid, InvalidToken::MissingClaim(_)) {
            return Some(expected_is(expected));
        }
        self.found_and_expected(invalid, &self.inspect(token).ok()?.claims().ok()?)
    }

    /// The claim that an error is about, and what is expected there.
    fn expected(&self, invalid: InvalidToken) -> Option<(&'static str, &[String])> {
        let (InvalidToken::Claim(claim) | InvalidToken::MissingClaim(claim)) = invalid else {
            return None;
        };
        let expectations = &self.expectations;
        let expected = match claim {
            "iss" => &expectations.issuers,
            "aud" => expectations.audiences.as_ref()?,
            "azp" => &expectations.authorized_parties,
            _ => return None,
        };
        Some((claim, expected))
    }

    fn found_and_expected(&self, invalid: InvalidToken, claims: &Claims) -> Option<String> {
        let (claim, expected) = self.expected(invalid)?;
        let expected = expected_is(expected);
        let found = match (invalid, claim) {
            (InvalidToken::MissingClaim(_), _) => return Some(format!("it is missing, {expected}")),
            (_, "iss") => code_list(claims.issuer()),
            (_, "aud") => code_list(claims.audience()),
            _ => code_list(claims.authorized_party()),
        };
        Some(format!("it is {found}, {expected}"))
    }

    /// Warns of a genuine token that is refused for whom it is from or for, as long as none was accepted: then it is rather the
    /// settings that are wrong than the token.
    #[cold]
    pub(super) fn note_refused_claim(&self, invalid: InvalidToken, claims: &Claims, now: Duration) {
        let Settled { has_accepted, refusing } = &self.settled;
        if has_accepted.load(Ordering::Relaxed) {
            return;
        }
        let Some((claim, _)) = self.expected(invalid) else {
            return;
        };
        if refusing.happens(now) {
            tracing::warn!(
                name: "keycloak.nobody_accepted",
                target: "keycloak_auth",
                { keycloak.claim = claim },
                "no access token was accepted so far, and one of this realm is refused for its claim `{claim}`: {}; check the settings, \
                 or the mappers of the client that logs in",
                self.found_and_expected(invalid, claims).unwrap_or_default()
            );
        }
    }
}

fn expected_is(expected: &[String]) -> String {
    format!("expected is {}", listed(expected))
}

/// Says for the log what stands in a claim of a genuine token, and what should.
#[cold]
pub(super) fn log_mismatch<'t>(claim: &'static str, found: impl IntoIterator<Item = &'t str>, expected: &[String]) {
    if tracing::enabled!(target: "keycloak_auth", tracing::Level::DEBUG) {
        tracing::debug!(
            name: "keycloak.claim_refused",
            target: "keycloak_auth",
            { keycloak.claim = claim },
            "claim `{claim}` is {}, expected is {}", code_list(found), listed(expected)
        );
    }
}

/// Says for the log what should stand in a claim that a genuine token does not have.
#[cold]
pub(super) fn log_missing(claim: &'static str, expected: &[String]) {
    if tracing::enabled!(target: "keycloak_auth", tracing::Level::DEBUG) {
        tracing::debug!(
            name: "keycloak.claim_refused",
            target: "keycloak_auth",
            { keycloak.claim = claim },
            "claim `{claim}` is missing, expected is {}", listed(expected)
        );
    }
}

fn listed(expected: &[String]) -> String {
    code_list(expected.iter().map(String::as_str))
}
