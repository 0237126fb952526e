//! Redirects (RFC 9110 §15.4): followed with the token within an origin, and without it to another one.
//!
//! The HTTP client follows the first kind only. Left alone, it would leave the token out at the first address of another
//! origin and send it again to the second.

use http::{
    HeaderMap, HeaderName, Method, StatusCode,
    header::{ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, LOCATION, RANGE},
};
use reqwest::redirect::Policy;
use url::Url;

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
    timeout: Option<std::time::Duration>,
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
            timeout: request.timeout().copied(),
        })
    }

    /// The same for another address, without a token.
    pub(super) fn to(&self, url: Url) -> reqwest::Request {
        let mut request = reqwest::Request::new(self.method.clone(), url);
        *request.headers_mut() = self.headers.clone();
        *request.timeout_mut() = self.timeout;
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
