//! How Keycloak is reached.

use std::time::Duration;

use super::{KeycloakBuilder, http_client::OwnHttpClient};
use crate::secret::Secret;

/// The HTTP client towards Keycloak.
impl KeycloakBuilder {
    /// The time to establish a connection, TLS included. Default: 2 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// The time for everything that one request needs of Keycloak, discovery included. Default: 5 s.
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = timeout;
        self
    }

    /// An HTTP client of the service's own, with its certificates, proxy, name resolution and time to connect, in place of the
    /// settings here for these.
    ///
    /// It comes as its builder, because some things hold for every client: redirects are not followed, whatever is set on it, so
    /// that no secret goes to another address and nobody else chooses the keys; [`request_timeout`](Self::request_timeout) holds
    /// beside its own; and no more than 256 KiB of an answer are read, after decoding, where it is one that decodes.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use keycloak_auth::Keycloak;
    ///
    /// let http = reqwest::Client::builder().tcp_keepalive(Duration::from_secs(30));
    /// let keycloak = Keycloak::builder()
    ///     .server_url("https://id.example.com")
    ///     .realm("acme")
    ///     .client_id("orders-api")
    ///     .audience("orders-api")
    ///     .http_client(http)
    ///     .build()?;
    /// # Ok::<(), keycloak_auth::BuildError>(())
    /// ```
    pub fn http_client(mut self, client: reqwest::ClientBuilder) -> Self {
        self.http_client = Some(OwnHttpClient::new(client));
        self
    }

    /// Trusts the certificate authorities in this PEM text, beside those of the system; each call adds some.
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificates.push(pem.into());
        self
    }

    /// Shows Keycloak, or the proxy in front of it, this certificate where it asks for one: a PEM text with the certificate
    /// chain and its private key. With [`ClientAuthentication::tls_client_auth`](crate::ClientAuthentication::tls_client_auth) it is what the client authenticates by.
    pub fn client_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.client_certificate = Some(Secret::new(pem.into()));
        self
    }

    /// Reaches Keycloak through this proxy; the address may hold a user name and a password. Default: as `HTTPS_PROXY`,
    /// `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` of the environment say.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = Some(Secret::new(url));
        self
    }

    /// Accepts any TLS certificate: whoever stands between this service and Keycloak can then hand it keys of their own,
    /// and so let anybody in. For a test against a self-signed server; [`root_certificates`](Self::root_certificates) is
    /// the safe way.
    pub fn danger_accept_invalid_certs(mut self, accept: bool) -> Self {
        self.accept_invalid_certificates = accept;
        self
    }

    /// Uses the platform's TLS library instead of rustls.
    #[cfg(feature = "native-tls")]
    pub fn use_native_tls(mut self) -> Self {
        self.use_native_tls = true;
        self
    }
}
