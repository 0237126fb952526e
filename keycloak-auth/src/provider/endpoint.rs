//! An endpoint of the realm, and a request to it as traces and metrics see it: a span by OpenTelemetry's conventions for HTTP
//! clients, and how long it took.

use std::{borrow::Cow, time::Instant};

use tracing::{Instrument as _, Span, field::Empty, info_span};
use url::Url;

use super::HttpAnswer;
use crate::{error::ProviderError, metrics::Recorder};

/// What Keycloak is asked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Discovery,
    Jwks,
    Introspection,
    Token,
}

impl Endpoint {
    /// Runs the exchange with `url` within a span, and records how it ended.
    pub(super) async fn observe(
        self,
        url: &Url,
        metrics: &Recorder,
        exchange: impl Future<Output = Result<HttpAnswer, ProviderError>>,
    ) -> Result<HttpAnswer, ProviderError> {
        let span = self.span(url);
        let running = Running {
            endpoint: self,
            span: span.clone(),
            metrics,
            began: Instant::now(),
            is_over: false,
        };
        let answer = exchange.instrument(span).await;
        match &answer {
            Ok(answer) => {
                running.span.record("http.response.status_code", answer.status.as_u16());
                let is_error = answer.status.is_client_error() || answer.status.is_server_error();
                running.end(is_error.then(|| answer.status.as_str()));
            }
            Err(error) => running.end(Some(&error.kind())),
        }
        answer
    }

    fn span(self, url: &Url) -> Span {
        info_span!(
            target: "keycloak_auth",
            "keycloak.request",
            otel.name = self.title(),
            otel.kind = "client",
            otel.status_code = Empty,
            keycloak.endpoint = self.name(),
            http.request.method = self.method(),
            http.response.status_code = Empty,
            server.address = url.host_str(),
            server.port = url.port_or_known_default(),
            url.full = without_secrets(url).as_str(),
            "error.type" = Empty,
        )
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Discovery => "discovery",
            Self::Jwks => "jwks",
            Self::Introspection => "introspection",
            Self::Token => "token",
        }
    }

    const fn method(self) -> &'static str {
        match self {
            Self::Discovery | Self::Jwks => "GET",
            Self::Introspection | Self::Token => "POST",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Discovery => "GET discovery",
            Self::Jwks => "GET jwks",
            Self::Introspection => "POST introspection",
            Self::Token => "POST token",
        }
    }
}

/// A call that has begun. One that is dropped before its end was given up by whoever waited for it: by the deadline, or
/// because nobody needs the answer any more.
struct Running<'m> {
    endpoint: Endpoint,
    span: Span,
    metrics: &'m Recorder,
    began: Instant,
    is_over: bool,
}

impl Running<'_> {
    fn end(mut self, error_type: Option<&str>) {
        self.note(error_type);
        self.is_over = true;
    }

    fn note(&self, error_type: Option<&str>) {
        if let Some(error_type) = error_type {
            self.span.record("error.type", error_type);
            self.span.record("otel.status_code", "ERROR");
        }
        self.metrics
            .provider_asked(self.endpoint.name(), self.began.elapsed(), error_type);
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.note(Some("interrupted"));
        }
    }
}

/// The address without a user, a password, a query and a fragment: each may hold a secret.
fn without_secrets(url: &Url) -> Cow<'_, Url> {
    if url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none() {
        return Cow::Borrowed(url);
    }
    let mut url = url.clone();
    // An address with a host, which this one has, can be without them.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    Cow::Owned(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_without_secrets() {
        for (url, told) in [
            ("https://id.example.com/certs", "https://id.example.com/certs"),
            (
                "https://admin:canary@id.example.com/certs?key=canary#canary",
                "https://id.example.com/certs",
            ),
            ("http://:canary@[::1]:8080/certs", "http://[::1]:8080/certs"),
        ] {
            let url = Url::parse(url).expect("an address");
            assert_eq!(without_secrets(&url).as_str(), told);
        }
    }
}
