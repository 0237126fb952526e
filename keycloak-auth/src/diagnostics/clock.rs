//! The clock of this machine beside Keycloak's.

use std::time::Duration;

use super::Finding;
use crate::{Keycloak, provider::HttpAnswer};

/// A difference between clocks that nobody notices.
const CLOSE: Duration = Duration::from_secs(5);

/// The time by Keycloak's clock, as a proxy says it or servers other than Keycloak: that sends no `Date` itself.
pub(super) fn date(answer: &HttpAnswer) -> Option<Duration> {
    let date = httpdate::parse_http_date(answer.date.as_ref()?.to_str().ok()?).ok()?;
    Some(date.duration_since(std::time::UNIX_EPOCH).unwrap_or_default())
}

/// Compares the clocks: by the `Date` of an answer, or by when a token of this service's own was issued.
pub(super) fn check(keycloak: &Keycloak, theirs: Option<Duration>) -> Finding {
    let Some(theirs) = theirs else {
        return Finding::skipped(
            "Keycloak sends no `Date`; with the `client_secret` of a client with a service account, a token shows its clock",
        );
    };
    let ours = keycloak.now();
    let difference = ours.abs_diff(theirs);
    let direction = if ours > theirs { "ahead of" } else { "behind" };
    let text = format!("this clock is {} s {direction} Keycloak's", difference.as_secs());
    let leeway = keycloak.authenticator().validator().expectations().leeway;
    if difference > leeway + CLOSE {
        return Finding::failed(
            format!("{text}, more than the leeway of {} s", leeway.as_secs()),
            "set both clocks by NTP: good tokens are refused, or expired ones accepted",
        );
    }
    if difference > CLOSE {
        return Finding::warning(text, "set both clocks by NTP");
    }
    Finding::ok("both clocks agree")
}
