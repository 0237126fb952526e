//! What a service client is made of.

use std::{fmt, sync::Arc, time::Duration};

use url::Url;

use super::{
    ServiceClient, ServiceClientError,
    client::HttpClients,
    origins::{Origins, named},
    redirects::{TIMEOUT, within_the_origin},
    token_source::Wanted,
};
use crate::{HttpClientError, Keycloak, text::without_credentials, token_endpoint::TokenEndpoint};

/// The time to establish a connection, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Configures a [`ServiceClient`]; made by [`Keycloak::service_client`].
#[must_use = "a builder does nothing until `build` is called"]
pub struct ServiceClientBuilder {
    token_endpoint: Arc<TokenEndpoint>,
    origins: Vec<String>,
    base_url: Option<String>,
    wanted: Wanted,
    http_client: Option<reqwest::ClientBuilder>,
    foreign_client: Option<reqwest::ClientBuilder>,
}

impl Keycloak {
    /// A client for calls to other services: it adds a current access token of this service
    /// ([`client_credentials`](Self::client_credentials)) to each, or one of the caller's.
    ///
    /// Make one for each service that is called, and keep it: it holds the connections, and cloning is cheap. It works on when
    /// this handle is dropped, and no longer obtains tokens after [`close`](Self::close).
    ///
    /// ```no_run
    /// # async fn demo(keycloak: keycloak_auth::Keycloak) -> Result<(), Box<dyn std::error::Error>> {
    /// let stock = keycloak.service_client().for_origin("https://stock.example.com").scope("stock:read").build()?;
    /// let level = stock.get("/items/7").send().await?.error_for_status()?.text().await?;
    /// # let _ = level;
    /// # Ok(())
    /// # }
    /// ```
    pub fn service_client(&self) -> ServiceClientBuilder {
        ServiceClientBuilder {
            token_endpoint: Arc::clone(self.token_endpoint()),
            origins: Vec::new(),
            base_url: None,
            wanted: Wanted::default(),
            http_client: None,
            foreign_client: None,
        }
    }
}

impl ServiceClientBuilder {
    /// Sends tokens to this origin, which is scheme, host and port, such as `https://stock.example.com`; each call adds one.
    ///
    /// Required, unless [`base_url`](Self::base_url) is set. Paths without an origin of their own go to the first one.
    /// `http` sends the token in the clear: it is for networks that encrypt by themselves.
    pub fn for_origin(mut self, origin: impl Into<String>) -> Self {
        self.origins.push(origin.into());
        self
    }

    /// Sends paths to below this address, such as `https://example.com/stock/v1`, whose origin is named by that as well.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// The scopes to ask for, separated by spaces. Default: those that Keycloak gives this service's client by default.
    ///
    /// In Keycloak it is an optional client scope with an *audience* mapper that makes a token for one service and no other.
    /// A token that is [passed on](super::OnBehalfOf::pass_on) is as it is.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.wanted.scope = Some(scope.into().into());
        self
    }

    /// The client that is to accept [exchanged](super::OnBehalfOf::exchange) tokens (RFC 8693 §2.1); each call adds one.
    ///
    /// Tokens of the service itself have their audience by Keycloak's mappers and by [`scope`](Self::scope), since the grant
    /// `client_credentials` has no such parameter.
    pub fn audience(mut self, client_id: impl Into<String>) -> Self {
        self.wanted.audiences.push(client_id.into());
        self
    }

    /// An HTTP client of the service's own, with its certificates, proxy and timeouts. Default: one with 5 s to connect, and
    /// 30 s for a call.
    ///
    /// It comes as its builder, because its redirects are not its own: neither the token nor what is set on the client (default
    /// headers, cookies, a client certificate) must go along to another origin. `Debug` of this builder shows none of it.
    ///
    /// ```no_run
    /// # fn demo(keycloak: keycloak_auth::Keycloak) -> Result<(), Box<dyn std::error::Error>> {
    /// use keycloak_auth::reqwest;
    ///
    /// let http = reqwest::Client::builder().timeout(std::time::Duration::from_secs(3));
    /// let stock = keycloak.service_client().for_origin("https://stock.example.com").http_client(http).build()?;
    /// # let _ = stock;
    /// # Ok(())
    /// # }
    /// ```
    pub fn http_client(mut self, client: reqwest::ClientBuilder) -> Self {
        self.http_client = Some(client);
        self
    }

    /// Follows redirects to other origins as well, by this HTTP client and without the token. Default: such a redirect is the
    /// answer, so that the other service cannot choose where this one sends requests to, such as to an address that only this
    /// one reaches.
    ///
    /// Only a `GET` or `HEAD` without a body is followed, with no headers but `Accept`, `Accept-Encoding`, `Accept-Language`
    /// and `Range`, and never from `https` to `http`; all in the time of the one call, or in 30 s where
    /// [`http_client`](Self::http_client) has a timeout of its own. The HTTP client is another one, because all that is set on it
    /// goes to whatever server a redirect names.
    ///
    /// ```no_run
    /// # fn demo(keycloak: keycloak_auth::Keycloak) -> Result<(), Box<dyn std::error::Error>> {
    /// let downloads = reqwest::Client::builder();
    /// let stock = keycloak
    ///     .service_client()
    ///     .for_origin("https://stock.example.com")
    ///     .follow_foreign_redirects_without_token(downloads)
    ///     .build()?;
    /// # let _ = stock;
    /// # Ok(())
    /// # }
    /// ```
    pub fn follow_foreign_redirects_without_token(mut self, client: reqwest::ClientBuilder) -> Self {
        self.foreign_client = Some(client);
        self
    }

    /// Checks the addresses and makes a client of them. No I/O takes place.
    ///
    /// # Errors
    ///
    /// [`ServiceClientError::NoOrigin`] when no origin is named, [`ServiceClientError::Origin`] for one that is none, and
    /// [`ServiceClientError::HttpClient`] when no HTTP client can be made.
    pub fn build(self) -> Result<ServiceClient, ServiceClientError> {
        let base_url = self.base_url.as_deref().map(|url| named("base_url", url)).transpose()?;
        let origins = self.origins.iter().map(|origin| origin_of(origin));
        let origins = origins.collect::<Result<Vec<Url>, _>>()?;
        let base_url = base_url
            .or_else(|| origins.first().cloned())
            .ok_or(ServiceClientError::NoOrigin)?;
        let build = |client: reqwest::ClientBuilder| {
            let client = client.redirect(within_the_origin()).referer(false);
            client
                .build()
                .map_err(|error| ServiceClientError::HttpClient(HttpClientError::new(error)))
        };
        let http = HttpClients {
            timeout: self.http_client.is_none().then_some(TIMEOUT),
            named: build(self.http_client.unwrap_or_else(default_client))?,
            foreign: self.foreign_client.map(build).transpose()?,
        };
        Ok(ServiceClient::new(
            self.token_endpoint,
            Origins::new(base_url, &origins),
            self.wanted,
            http,
        ))
    }
}

/// Shows where tokens go and which, and nothing of the HTTP clients: they may hold keys, cookies and passwords.
impl fmt::Debug for ServiceClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceClientBuilder")
            .field(
                "origins",
                &self
                    .origins
                    .iter()
                    .map(|url| without_credentials(url))
                    .collect::<Vec<_>>(),
            )
            .field("base_url", &self.base_url.as_deref().map(without_credentials))
            .field("scope", &self.wanted.scope)
            .field("audiences", &self.wanted.audiences)
            .field("has_own_http_client", &self.http_client.is_some())
            .field("follows_foreign_redirects", &self.foreign_client.is_some())
            .finish_non_exhaustive()
    }
}

fn origin_of(text: &str) -> Result<Url, ServiceClientError> {
    let url = named("for_origin", text)?;
    if url.path() != "/" {
        return Err(ServiceClientError::Origin {
            setting: "for_origin",
            message: "has a path: set it as `.base_url(…)`",
        });
    }
    Ok(url)
}

fn default_client() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .user_agent(concat!("keycloak-auth/", env!("CARGO_PKG_VERSION")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_an_address_shows_nowhere() {
        let keycloak = Keycloak::builder().server_url("https://id.example.com").realm("acme");
        let keycloak = keycloak
            .client_id("orders-api")
            .audience("orders-api")
            .build()
            .expect("valid");
        for url in [
            "https://admin:hunter2@stock.example.com",
            "admin:hunter2@stock.example.com",
        ] {
            for builder in [
                keycloak.service_client().for_origin(url),
                keycloak.service_client().base_url(url),
            ] {
                let shown = format!("{builder:?}");
                assert!(
                    !shown.contains("hunter2") && shown.contains("stock.example.com"),
                    "{shown}"
                );
                let error = builder.build().map(|_| ()).expect_err(url);
                assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
            }
        }
    }
}
