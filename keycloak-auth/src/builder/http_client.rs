//! The HTTP client towards Keycloak: ours by the settings, or the service's own.

use std::{fmt, sync::Arc};

use super::{KeycloakBuilder, problems::Problems};

/// An HTTP client of the service's own.
#[derive(Clone)]
pub(super) struct OwnHttpClient(Result<reqwest::Client, Arc<reqwest::Error>>);

impl OwnHttpClient {
    pub(super) fn new(builder: reqwest::ClientBuilder) -> Self {
        Self(as_needed(builder).build().map_err(Arc::new))
    }
}

/// Shows nothing: its default headers may hold keys.
impl fmt::Debug for OwnHttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnHttpClient")
    }
}

/// What holds for every client: a redirect would take the client's secret, or the choice of the keys, to another address.
fn as_needed(builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
    let builder = builder.redirect(reqwest::redirect::Policy::none()).referer(false);
    #[cfg(feature = "tls-diagnostics")]
    let builder = builder.tls_info(true);
    builder
}

impl KeycloakBuilder {
    /// The HTTP client, as far as its settings fit together.
    pub(super) fn checked_http_client(&self, problems: &mut Problems) -> Option<reqwest::Client> {
        if let Some(own) = &self.http_client {
            let conflicts = [
                ("root_certificates", !self.root_certificates.is_empty()),
                ("client_certificate", self.client_certificate.is_some()),
                ("proxy", self.proxy.is_some()),
                ("danger_accept_invalid_certs", self.accept_invalid_certificates),
            ];
            for (setting, _) in conflicts.into_iter().filter(|(_, is_set)| *is_set) {
                problems.add(setting, "has no effect on your own `http_client`: set it there");
            }
            return match &own.0 {
                Ok(client) => Some(client.clone()),
                Err(error) => {
                    problems.add_caused("http_client", "cannot be set up", Arc::clone(error));
                    None
                }
            };
        }
        let mut builder = as_needed(reqwest::Client::builder())
            .connect_timeout(self.connect_timeout)
            // What is read is what was sent, and no more: other crates of the service may have switched decoding on.
            .no_brotli()
            .no_deflate()
            .no_gzip()
            .no_zstd()
            .user_agent(concat!("keycloak-auth/", env!("CARGO_PKG_VERSION")));
        for pem in &self.root_certificates {
            match reqwest::Certificate::from_pem_bundle(pem) {
                Ok(certificates) if certificates.is_empty() => {
                    problems.add("root_certificates", "holds no PEM certificate")
                }
                Ok(certificates) => {
                    builder = certificates
                        .into_iter()
                        .fold(builder, reqwest::ClientBuilder::add_root_certificate)
                }
                Err(error) => problems.add_caused("root_certificates", "is not PEM certificates", Arc::new(error)),
            }
        }
        if let Some(pem) = &self.client_certificate {
            match reqwest::Identity::from_pem(pem.expose()) {
                Ok(identity) => builder = builder.identity(identity),
                Err(_) => problems.add(
                    "client_certificate",
                    "must be a PEM text with a certificate and its private key",
                ),
            }
        }
        if let Some(proxy) = &self.proxy {
            match reqwest::Proxy::all(proxy.expose()) {
                Ok(proxy) => builder = builder.proxy(proxy),
                Err(_) => problems.add("proxy", "is not a URL, such as `http://proxy.example.com:3128`"),
            }
        }
        if self.accept_invalid_certificates {
            builder = builder.tls_danger_accept_invalid_certs(true);
        }
        #[cfg(feature = "native-tls")]
        if self.use_native_tls {
            builder = builder.use_native_tls();
        }
        match builder.build() {
            Ok(client) => Some(client),
            Err(error) => {
                problems.add_caused("http_client", "cannot be set up", Arc::new(error));
                None
            }
        }
    }
}
