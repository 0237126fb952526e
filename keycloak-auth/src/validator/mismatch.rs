//! What stands in a claim or header that is not accepted, and what should: for the log and for developers, never for a
//! response.

use super::Validator;
use crate::{
    InvalidToken,
    jose::{Compact, named_algorithm},
    text::code_list,
};

/// By which Keycloak signs what it alone reads, refresh tokens above all, with keys that it shows nobody.
const HMAC: [&str; 3] = ["HS256", "HS384", "HS512"];

impl Validator {
    /// What stands in the claim or header that made the token unacceptable, and what is expected there: "it is `a`,
    /// expected is `b`".
    ///
    /// `None` where that is not a matter of values, or they are in no JWT.
    pub(crate) fn mismatch(&self, token: &str, invalid: InvalidToken) -> Option<String> {
        let expectations = &self.expectations;
        let (claim, is_missing) = match invalid {
            InvalidToken::Claim(claim) => (claim, false),
            InvalidToken::MissingClaim(claim) => (claim, true),
            InvalidToken::Algorithm => return self.algorithm_mismatch(token.as_bytes()),
            InvalidToken::UnknownKey | InvalidToken::Signature => return self.other_issuer(token),
            _ => return None,
        };
        let expected = match claim {
            "iss" => &expectations.issuers,
            "aud" => expectations.audiences.as_ref()?,
            "azp" => &expectations.authorized_parties,
            _ => return None,
        };
        let expected = format!("expected is {}", listed(expected));
        if is_missing {
            return Some(expected);
        }
        let claims = self.inspect(token).ok()?.claims().ok()?;
        let found = match claim {
            "iss" => code_list(claims.issuer()),
            "aud" => code_list(claims.audience()),
            _ => code_list(claims.authorized_party()),
        };
        Some(format!("it is {found}, {expected}"))
    }

    /// Whose it says it is, where that is another issuer: by which keys it is signed is no wonder then.
    fn other_issuer(&self, token: &str) -> Option<String> {
        let claims = self.inspect(token).ok()?.claims().ok()?;
        let (issuer, expected) = (claims.issuer()?, &self.expectations.issuers);
        let is_other = !expected.iter().any(|expected| expected == issuer);
        is_other.then(|| {
            format!(
                "its issuer is {}, expected is {}",
                code_list([issuer]),
                listed(expected)
            )
        })
    }

    /// The same of the algorithm, which stands in the header.
    pub(crate) fn algorithm_mismatch(&self, token: &[u8]) -> Option<String> {
        let name = named_algorithm(Compact::parse(token).ok()?.header)?;
        let found = code_list([&*name]);
        let accepted = self.expectations.algorithms.iter().map(|algorithm| algorithm.name());
        Some(if HMAC.contains(&&*name) {
            format!("it is {found}, by which Keycloak signs refresh tokens: send the access token")
        } else if accepted.clone().any(|accepted| accepted == name) {
            format!("it is {found}, and its key is for another")
        } else {
            format!("it is {found}, expected is {}", code_list(accepted))
        })
    }
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
