//! Redirects (RFC 9110 §15.4): followed with the token within an origin; to another one only where the service asks for that, and
//! then without the token and by another HTTP client.
//!
//! An HTTP client adds what was set on it (default headers, cookies, a client certificate) to each request, wherever it goes, so
//! the one that may hold secrets follows no redirect to another origin. Left alone, it would also leave the token out at the first
//! address of another origin and send it again to the second.

use std::time::Duration;

use http::{
    HeaderMap, HeaderName, Method, StatusCode,
    header::{ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, LOCATION, RANGE},
};
use reqwest::redirect::Policy;
use tokio::time::Instant;
use url::Url;

use crate::error::ProviderError;

/// The time for a whole call, redirects and body included, unless the service says otherwise.
pub(super) const TIMEOUT: Duration = Duration::from_secs(30);

/// As many as browsers follow, about.
pub(super) const MAX_REDIRECTS: usize = 10;

/// What a request to another origin keeps of its headers: the others may be secrets as well.
const KEPT: [HeaderName; 4] = [ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, RANGE];

/// Follows redirects as long as they stay within the origin of the request.
pub(super) fn within_the_origin() -> Policy {
    Policy::custom(|attempt| {
        let is_foreign = attempt
            .previous()
            .first()
            .is_none_or(|first| first.origin() != attempt.url().origin());
        if is_foreign {
            attempt.stop()
        } else if attempt.previous().len() > MAX_REDIRECTS {
            attempt.error("too many redirects")
        } else {
            attempt.follow()
        }
    })
}

/// A request that only reads, as far as it may be sent on to another origin.
pub(super) struct Reading {
    method: Method,
    headers: HeaderMap,
}

/// The time for a whole call, with all its redirects and attempts.
#[derive(Clone, Copy)]
pub(super) struct Budget {
    began: Instant,
    /// `None` where the service's own HTTP client has a timeout of its own, or none.
    total: Option<Duration>,
}

impl Budget {
    /// Of a call that begins now.
    pub(super) fn of(request: &reqwest::Request, usual: Option<Duration>) -> Self {
        Self {
            began: Instant::now(),
            total: request.timeout().copied().or(usual),
        }
    }

    /// For the origin that the call is for.
    pub(super) fn limit(&self, request: &mut reqwest::Request) {
        if let Some(total) = self.total {
            *request.timeout_mut() = Some(self.left_of(total));
        }
    }

    /// Waits for what a call needs before it is sent; an error where there is no time left for it.
    pub(super) async fn within<T>(&self, waiting: impl Future<Output = T>) -> Result<T, ProviderError> {
        let Some(total) = self.total else {
            return Ok(waiting.await);
        };
        let in_time = tokio::time::timeout(self.left_of(total), waiting).await;
        in_time.map_err(|_| ProviderError::Timeout {
            seconds: total.as_secs_f32(),
        })
    }

    /// For an origin that a redirect leads to, which nobody knows: never without an end.
    fn left(&self) -> Duration {
        self.left_of(self.total.unwrap_or(TIMEOUT))
    }

    fn left_of(&self, total: Duration) -> Duration {
        total.saturating_sub(self.began.elapsed())
    }
}

impl Reading {
    /// `None` for a request that changes something, or has a body: that is meant for the service that it was sent to.
    pub(super) fn of(request: &reqwest::Request) -> Option<Self> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) || request.body().is_some() {
            return None;
        }
        let headers = KEPT.iter().filter_map(|name| {
            let value = request.headers().get(name)?;
            Some((name.clone(), value.clone()))
        });
        Some(Self {
            method: request.method().clone(),
            headers: headers.collect(),
        })
    }

    /// The same for another address, without a token, within what is left of the time.
    pub(super) fn to(&self, url: Url, budget: &Budget) -> reqwest::Request {
        let mut request = reqwest::Request::new(self.method.clone(), url);
        *request.headers_mut() = self.headers.clone();
        *request.timeout_mut() = Some(budget.left());
        request
    }
}

/// Where the answer leads to, if that is another origin that may be asked: never from `https` to `http`.
pub(super) fn foreign_location(response: &reqwest::Response) -> Option<Url> {
    let is_redirect = matches!(
        response.status(),
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    );
    let location = response.headers().get(LOCATION).filter(|_| is_redirect)?;
    foreign(response.url(), location.to_str().ok()?)
}

fn foreign(from: &Url, location: &str) -> Option<Url> {
    let to = from.join(location).ok()?;
    let may_follow = match to.scheme() {
        "https" => true,
        "http" => from.scheme() == "http",
        _ => false,
    };
    (may_follow && to.origin() != from.origin()).then_some(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leads_to_other_origins_and_never_from_https_to_http() {
        let foreign = |from: &str, location: &str| {
            let from = Url::parse(from).expect("an address");
            foreign(&from, location).map(String::from)
        };
        let stock = "https://stock.example.com/items";
        for (location, expected) in [
            ("https://files.example.com/7", Some("https://files.example.com/7")),
            ("//files.example.com/7", Some("https://files.example.com/7")),
            (
                "https://stock.example.com:8443/",
                Some("https://stock.example.com:8443/"),
            ),
            ("/items/7", None),
            ("http://files.example.com/7", None),
            ("http://stock.example.com/items", None),
            ("file:///etc/passwd", None),
            ("https://", None),
        ] {
            assert_eq!(foreign(stock, location).as_deref(), expected, "{location}");
        }
        assert_eq!(
            foreign("http://stock:8080/", "http://files:8080/").as_deref(),
            Some("http://files:8080/")
        );
    }
}
