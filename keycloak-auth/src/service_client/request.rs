//! A call being built.

use std::{fmt, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::Serialize;

use super::{ServiceClient, ServiceClientError};
use crate::HttpClientError;

/// A call to another service, to be sent; made by [`ServiceClient::get`] and its like.
#[must_use = "nothing is sent until `send` is called"]
pub struct ServiceRequest {
    client: ServiceClient,
    request: Result<Parts, ServiceClientError>,
}

struct Parts {
    origin: String,
    builder: reqwest::RequestBuilder,
}

impl ServiceRequest {
    pub(super) fn new(client: &ServiceClient, method: Method, path_or_url: &str) -> Self {
        let request = client.origins().resolve(path_or_url).map(|url| Parts {
            origin: url.origin().ascii_serialization(),
            builder: client.http().request(method, url),
        });
        Self {
            client: client.clone(),
            request,
        }
    }

    /// Adds a header. `Authorization` is not for it to set: it is replaced.
    pub fn header<N, V>(self, name: N, value: V) -> Self
    where
        HeaderName: TryFrom<N>,
        <HeaderName as TryFrom<N>>::Error: Into<http::Error>,
        HeaderValue: TryFrom<V>,
        <HeaderValue as TryFrom<V>>::Error: Into<http::Error>,
    {
        self.map(|request| request.header(name, value))
    }

    /// Sets these headers; those that are there already under one of the names are replaced.
    pub fn headers(self, headers: HeaderMap) -> Self {
        self.map(|request| request.headers(headers))
    }

    /// Adds parameters to the query: pairs, or a struct with fields.
    pub fn query<T: Serialize + ?Sized>(self, parameters: &T) -> Self {
        self.map(|request| request.query(parameters))
    }

    /// Sends this as JSON.
    pub fn json<T: Serialize + ?Sized>(self, body: &T) -> Self {
        self.map(|request| request.json(body))
    }

    /// Sends these pairs, or a struct with fields, as `application/x-www-form-urlencoded`.
    pub fn form<T: Serialize + ?Sized>(self, form: &T) -> Self {
        self.map(|request| request.form(form))
    }

    /// Sends this body. Bytes can be sent again after a 401; a stream cannot.
    pub fn body(self, body: impl Into<reqwest::Body>) -> Self {
        self.map(|request| request.body(body))
    }

    /// The time for this call, from getting a token to the body of the answer, instead of the HTTP client's.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.map(|request| request.timeout(timeout))
    }

    /// Changes the request by all that [`reqwest::RequestBuilder`] has.
    ///
    /// ```no_run
    /// # fn demo(stock: keycloak_auth::ServiceClient) {
    /// let request = stock.get("/items").map(|request| request.version(reqwest::Version::HTTP_11));
    /// # let _ = request;
    /// # }
    /// ```
    pub fn map(self, change: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder) -> Self {
        let request = self.request.map(|Parts { origin, builder }| Parts {
            origin,
            builder: change(builder),
        });
        Self { request, ..self }
    }

    /// Sends it, with a token. The answer is a response of [`keycloak_auth::reqwest`](crate::reqwest).
    ///
    /// # Errors
    ///
    /// As [`ServiceClient::execute`], and for what is wrong with the request itself.
    pub async fn send(self) -> Result<reqwest::Response, ServiceClientError> {
        let Parts { origin, builder } = self.request?;
        let request = builder.build().map_err(|error| ServiceClientError::Request {
            origin,
            source: HttpClientError::new(error),
        })?;
        self.client.execute(request).await
    }
}

/// Shows where it goes, and neither headers nor body.
impl fmt::Debug for ServiceRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("ServiceRequest");
        match &self.request {
            Ok(Parts { origin, .. }) => debug.field("origin", origin),
            Err(error) => debug.field("error", error),
        };
        debug.finish_non_exhaustive()
    }
}
