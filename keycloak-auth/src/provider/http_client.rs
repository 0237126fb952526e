//! The HTTP client towards Keycloak: no redirects, a cap on every body.

use std::{fmt, pin::pin, time::Duration};

use arc_swap::ArcSwapOption;
use bytes::{Bytes, BytesMut};
use futures_util::future::{Either, select};
use http::{
    HeaderValue, StatusCode,
    header::{ACCEPT, DATE},
};
use tokio::sync::watch;
use url::Url;

use super::retry_after::retry_after;
use crate::{
    client_authentication::ClientProof,
    error::{HttpClientError, ProviderError},
};

/// The largest body that is read, in bytes; Keycloak's discovery document takes 7 kB, a key set 3 kB.
const MAX_BODY: usize = 256 * 1024;

/// A client that can be closed, after which no connection of its pool is left.
pub(super) struct HttpClient {
    client: ArcSwapOption<reqwest::Client>,
    is_closed: watch::Sender<bool>,
}

/// What was answered.
pub(crate) struct HttpAnswer {
    url: Url,
    pub(crate) status: StatusCode,
    /// The time by the other side's clock (RFC 9110 §6.6.1).
    pub(crate) date: Option<HeaderValue>,
    /// How long the other side wants to be left alone.
    pub(crate) retry_after: Option<Duration>,
    /// The other side's certificate and the version of the protocol, as far as the TLS library gives them.
    #[cfg(feature = "tls-diagnostics")]
    pub(crate) tls: Option<reqwest::tls::TlsInfo>,
    pub(crate) body: Bytes,
}

impl HttpClient {
    pub(super) fn new(client: reqwest::Client) -> Self {
        Self {
            client: ArcSwapOption::from_pointee(client),
            is_closed: watch::Sender::new(false),
        }
    }

    /// Asks for a document.
    pub(super) async fn get(&self, url: &Url) -> Result<HttpAnswer, ProviderError> {
        self.exchange(url, |client| client.get(url.clone())).await
    }

    /// Posts a form as a client (RFC 6749 §2.3).
    pub(super) async fn post(
        &self,
        url: &Url,
        client: &ClientProof<'_>,
        form: &[(&str, &str)],
    ) -> Result<HttpAnswer, ProviderError> {
        const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        self.exchange(url, |http| {
            let request = http.post(url.clone());
            match client {
                // RFC 6749 §2.3.1: both are form-encoded before they become user name and password.
                ClientProof::Basic { id, secret } => request.basic_auth(encoded(id), Some(encoded(secret))).form(form),
                ClientProof::Post { id, secret } => {
                    request.form(&joined(form, &[("client_id", id), ("client_secret", secret)]))
                }
                ClientProof::Assertion { id, jwt } => request.form(&joined(
                    form,
                    &[
                        ("client_id", id),
                        ("client_assertion_type", JWT_BEARER),
                        ("client_assertion", jwt),
                    ],
                )),
                ClientProof::Id { id } => request.form(&joined(form, &[("client_id", id)])),
            }
        })
        .await
    }

    /// Runs an exchange to its end, or to that of the client, and says what was answered, whatever it is.
    async fn exchange(
        &self,
        url: &Url,
        request: impl FnOnce(&reqwest::Client) -> reqwest::RequestBuilder,
    ) -> Result<HttpAnswer, ProviderError> {
        let mut closing = self.is_closed.subscribe();
        let closed = pin!(closing.wait_for(|is_closed| *is_closed));
        match select(closed, pin!(self.send(url, request))).await {
            Either::Left(_) => Err(ProviderError::Closed),
            Either::Right((answer, _)) => answer,
        }
    }

    async fn send(
        &self,
        url: &Url,
        request: impl FnOnce(&reqwest::Client) -> reqwest::RequestBuilder,
    ) -> Result<HttpAnswer, ProviderError> {
        let client = self.client.load_full().ok_or(ProviderError::Closed)?;
        let connection = |source: reqwest::Error| ProviderError::Connection {
            url: url.to_string(),
            source: HttpClientError::new(source),
        };
        let request = request(&client).header(ACCEPT, "application/json");
        let mut response = request.send().await.map_err(connection)?;
        let too_large = || ProviderError::TooLarge {
            url: url.to_string(),
            limit: MAX_BODY,
        };
        if response.content_length().is_some_and(|length| length > MAX_BODY as u64) {
            return Err(too_large());
        }
        let status = response.status();
        let date = response.headers().get(DATE).cloned();
        let retry_after = retry_after(status, response.headers());
        #[cfg(feature = "tls-diagnostics")]
        let tls = response.extensions().get().cloned();
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(connection)? {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(HttpAnswer {
            url: url.clone(),
            status,
            date,
            retry_after,
            #[cfg(feature = "tls-diagnostics")]
            tls,
            body: body.freeze(),
        })
    }

    /// Drops the client and with it the connections of its pool; requests that are under way fail, and so do later ones.
    pub(super) fn close(&self) {
        self.client.store(None);
        self.is_closed.send_replace(true);
    }

    pub(super) fn is_closed(&self) -> bool {
        *self.is_closed.borrow()
    }
}

fn joined<'a>(form: &[(&'a str, &'a str)], more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [form, more].concat()
}

impl HttpAnswer {
    /// The body of a good answer.
    pub(crate) fn only_ok(self) -> Result<Bytes, ProviderError> {
        if self.status == StatusCode::OK {
            return Ok(self.body);
        }
        Err(self.wrong_status())
    }

    /// The address that answered, to be shown.
    pub(crate) fn url(&self) -> String {
        self.url.to_string()
    }

    /// The error of an answer with a status that is not expected.
    pub(crate) fn wrong_status(&self) -> ProviderError {
        ProviderError::Status {
            url: self.url(),
            status: self.status.as_u16(),
            retry_after: self.retry_after,
        }
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").finish_non_exhaustive()
    }
}
