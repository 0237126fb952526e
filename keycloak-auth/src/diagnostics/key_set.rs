//! The keys of the realm, beside the algorithms that are accepted.

use super::Finding;
use crate::{
    Keycloak,
    jose::KeySet,
    provider::{Endpoint, HttpAnswer, Request},
    text::{chain, code_list},
};

/// Fetches the keys and compares them with the algorithms that are accepted.
pub(super) async fn check(keycloak: &Keycloak) -> Finding {
    let parts = keycloak.parts();
    let answer = parts.provider.probe(Request::get(Endpoint::Jwks)).await;
    let json = answer.and_then(HttpAnswer::only_ok).map_err(|error| chain(&error));
    let keys = match json.and_then(|json| KeySet::parse(&json).map_err(|error| chain(&error))) {
        Ok(keys) => keys,
        Err(fault) => return Finding::failed(fault, "check `.jwks_uri(…)`, or leave it out"),
    };
    let skipped = keys
        .skipped()
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ");
    let skipped = if skipped.is_empty() {
        skipped
    } else {
        format!(" (left out: {skipped})")
    };
    let accepted = &parts.authenticator.validator().expectations().algorithms;
    if !keys.algorithms().any(|algorithm| accepted.contains(&algorithm)) {
        let accepted = accepted.iter().map(|algorithm| algorithm.name());
        let mut found: Vec<&str> = keys.algorithms().map(|algorithm| algorithm.name()).collect();
        found.sort_unstable();
        found.dedup();
        return Finding::failed(
            format!(
                "no key is for {}, the keys are for {}{skipped}",
                code_list(accepted),
                code_list(found.iter().copied())
            ),
            match found.as_slice() {
                // There are keys, so they are of algorithms that this crate does not know.
                [] => "set the realm's default signature algorithm to `RS256`, or another asymmetric one".to_owned(),
                _ => format!("set `.algorithms(…)` to what the keys are for: {}", code_list(found)),
            },
        );
    }
    let usable = if keys.len() == 1 { "usable key" } else { "usable keys" };
    Finding::ok(format!("{} {usable}{skipped}", keys.len()))
}
