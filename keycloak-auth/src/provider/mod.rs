//! Keycloak as the provider of metadata and keys: the one part that does I/O (OpenID Connect Discovery 1.0, RFC 8414).

mod call;
mod error;
mod http_client;
mod metadata;
mod reachability;
mod realm_url;
mod remote_key_set;
mod retry_after;
mod skipped_keys;
mod tls_fault;
mod unavailable;

use std::time::Duration;

use url::Url;

use crate::{Clock, client_authentication::ClientCredentials, metrics::Recorder};

pub use error::ProviderError;
pub use tls_fault::TlsFault;
pub use unavailable::Unavailable;

pub(crate) use call::Call;
pub(crate) use http_client::{HttpAnswer, HttpClient};
pub(crate) use metadata::{Endpoints, MetadataSource, ProviderMetadata};
pub(crate) use reachability::{Change, Reachability};
pub(crate) use realm_url::RealmUrl;
pub(crate) use remote_key_set::{RemoteKeySet, Timing};

/// Where Keycloak is and how it is reached: what all that ask it something have in common.
#[derive(Debug)]
pub(crate) struct Provider {
    pub(crate) metadata: MetadataSource,
    pub(crate) http: HttpClient,
    pub(crate) clock: Clock,
    /// The time for everything that one request of a client needs of Keycloak.
    pub(crate) deadline: Duration,
    /// Told of each request.
    pub(crate) metrics: Recorder,
}

impl Provider {
    /// Runs `exchange` within the deadline.
    pub(crate) async fn within_deadline<T>(
        &self,
        exchange: impl Future<Output = Result<T, ProviderError>>,
    ) -> Result<T, ProviderError> {
        self.within(self.deadline, exchange).await
    }

    /// Runs `exchange` within what is left of the deadline.
    pub(crate) async fn within<T>(
        &self,
        left: Duration,
        exchange: impl Future<Output = Result<T, ProviderError>>,
    ) -> Result<T, ProviderError> {
        let in_time = tokio::time::timeout(left, exchange).await;
        let result = in_time.unwrap_or_else(|_| Err(self.timeout()));
        if result.is_err() {
            self.metadata.forget_unless_new(self.clock.now());
        }
        result
    }

    /// The error of an exchange that takes longer than the deadline.
    fn timeout(&self) -> ProviderError {
        ProviderError::Timeout {
            seconds: self.deadline.as_secs_f32(),
        }
    }

    pub(crate) async fn jwks_uri(&self) -> Result<Url, ProviderError> {
        self.metadata.jwks_uri(&self.http, self.clock.now()).await
    }

    pub(crate) async fn introspection_endpoint(&self) -> Result<Url, ProviderError> {
        self.metadata.introspection_endpoint(&self.http, self.clock.now()).await
    }

    pub(crate) async fn token_endpoint(&self) -> Result<Url, ProviderError> {
        self.metadata.token_endpoint(&self.http, self.clock.now()).await
    }

    /// Posts a form as a client, and says what was answered, whatever it is.
    pub(crate) async fn post_form(
        &self,
        url: &Url,
        client: ClientCredentials<'_>,
        form: &[(&str, &str)],
    ) -> Result<HttpAnswer, ProviderError> {
        let now = self.clock.now();
        let proof = client.proof(&self.metadata.issuer(now), now)?;
        self.http.post_form(url, &proof, form).await
    }
}
