//! When Keycloak, or a proxy in front of it, wants to be asked again (RFC 9110 §10.2.3).

use std::time::{Duration, SystemTime};

use http::{
    HeaderMap, HeaderName, StatusCode,
    header::{DATE, RETRY_AFTER},
};

/// The longest wait that is granted: a mistaken or hostile value must not put the service out of action for longer.
pub(crate) const LONGEST: Duration = Duration::from_secs(60);

/// How long to wait as a 429 or 503 says; `None` where it does not say so, or says that there is nothing to wait for.
pub(super) fn retry_after(status: StatusCode, headers: &HeaderMap) -> Option<Duration> {
    if !matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        return None;
    }
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    let wait = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // What has too many digits is longer than the longest.
        text.parse().map_or(LONGEST, Duration::from_secs)
    } else {
        let then = date(headers, RETRY_AFTER)?;
        // The other side counted by its own clock.
        let now = date(headers, DATE).unwrap_or_else(SystemTime::now);
        then.duration_since(now).ok()?
    };
    Some(wait.min(LONGEST)).filter(|wait| !wait.is_zero())
}

fn date(headers: &HeaderMap, name: HeaderName) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn seconds_and_dates_count_within_bounds() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        let wait = |status: u16, text: &'static str, date: &'static str| {
            let headers = [(RETRY_AFTER, text), (DATE, date)];
            let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
            let status = StatusCode::from_u16(status).expect("a status");
            retry_after(status, &headers.into_iter().collect())
        };
        const NOON: &str = "Fri, 31 Dec 1999 12:00:00 GMT";
        for (text, expected) in [
            ("7", seconds(7)),
            ("007", seconds(7)),
            ("60", seconds(60)),
            ("61", seconds(60)),
            ("99999999999999999999999999", seconds(60)),
            ("Fri, 31 Dec 1999 12:00:09 GMT", seconds(9)),
            ("Friday, 31-Dec-99 12:00:09 GMT", seconds(9)),
            ("Fri, 31 Dec 9999 12:00:00 GMT", seconds(60)),
            ("0", None),
            ("", None),
            ("-1", None),
            ("+1", None),
            ("1.5", None),
            ("soon", None),
            (NOON, None),
            ("Fri, 31 Dec 1999 11:59:59 GMT", None),
        ] {
            assert_eq!(wait(429, text, NOON), expected, "{text}");
            assert_eq!(wait(503, text, NOON), expected, "{text}");
            assert_eq!(wait(500, text, NOON), None, "{text}");
        }
        // Without a clock of its own, ours counts.
        assert_eq!(wait(503, NOON, "none"), None);
        assert_eq!(wait(503, "Fri, 31 Dec 9999 12:00:00 GMT", "none"), seconds(60));
    }
}
