//! The HTTP client towards Keycloak: no redirects, a cap on every body.

use std::fmt;

use arc_swap::ArcSwapOption;
use bytes::{Bytes, BytesMut};
use http::{StatusCode, header::ACCEPT};
use url::Url;

use super::ProviderError;

/// The largest body that is read, in bytes; Keycloak's discovery document takes 7 kB, a key set 3 kB.
const MAX_BODY: usize = 256 * 1024;

/// A client that can be closed, after which no connection of its pool is left.
pub(crate) struct HttpClient {
    client: ArcSwapOption<reqwest::Client>,
}

impl HttpClient {
    pub(crate) fn new(client: reqwest::Client) -> Self {
        Self {
            client: ArcSwapOption::from_pointee(client),
        }
    }

    /// Fetches a document of at most [`MAX_BODY`] bytes.
    pub(crate) async fn get(&self, url: &Url) -> Result<Bytes, ProviderError> {
        self.send(url, |client| client.get(url.clone())).await
    }

    /// Posts a form, authenticated by a client's id and secret (RFC 6749 §2.3.1).
    pub(crate) async fn post_form(
        &self,
        url: &Url,
        (client_id, client_secret): (&str, &str),
        form: &[(&str, &str)],
    ) -> Result<Bytes, ProviderError> {
        let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let request = |client: &reqwest::Client| {
            let request = client.post(url.clone());
            request
                .basic_auth(encoded(client_id), Some(encoded(client_secret)))
                .form(form)
        };
        self.send(url, request).await
    }

    async fn send(
        &self,
        url: &Url,
        request: impl FnOnce(&reqwest::Client) -> reqwest::RequestBuilder,
    ) -> Result<Bytes, ProviderError> {
        let client = self.client.load_full().ok_or(ProviderError::Closed)?;
        let connection = |source: reqwest::Error| ProviderError::Connection {
            url: url.to_string(),
            source: source.without_url(),
        };
        let request = request(&client).header(ACCEPT, "application/json");
        let mut response = request.send().await.map_err(connection)?;
        if response.url() != url {
            return Err(ProviderError::Redirected { url: url.to_string() });
        }
        if response.status() != StatusCode::OK {
            return Err(ProviderError::Status {
                url: url.to_string(),
                status: response.status().as_u16(),
            });
        }
        let too_large = || ProviderError::TooLarge {
            url: url.to_string(),
            limit: MAX_BODY,
        };
        if response.content_length().is_some_and(|length| length > MAX_BODY as u64) {
            return Err(too_large());
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(connection)? {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }

    /// Drops the client and with it the idle connections of its pool; later requests fail.
    pub(crate) fn close(&self) {
        self.client.store(None);
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").finish_non_exhaustive()
    }
}
