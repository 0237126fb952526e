//! Keycloak as the provider of metadata and keys: the one part that does I/O (OpenID Connect Discovery 1.0, RFC 8414).

mod call;
mod error;
mod http_client;
mod metadata;
mod realm_url;
mod remote_key_set;
mod tls_fault;
mod unavailable;

use std::time::Duration;

pub use error::ProviderError;
pub use tls_fault::TlsFault;
pub use unavailable::Unavailable;

pub(crate) use call::Call;
pub(crate) use http_client::{ClientCredentials, HttpAnswer, HttpClient};
pub(crate) use metadata::{Endpoints, MetadataSource, ProviderMetadata};
pub(crate) use realm_url::RealmUrl;
pub(crate) use remote_key_set::{RemoteKeySet, Timing};

use crate::metrics::Recorder;

/// Where Keycloak is and how it is reached: what all that ask it something have in common.
#[derive(Debug)]
pub(crate) struct Provider {
    pub(crate) metadata: MetadataSource,
    pub(crate) http: HttpClient,
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
        match tokio::time::timeout(self.deadline, exchange).await {
            Ok(result) => result,
            Err(_) => Err(ProviderError::Timeout {
                seconds: self.deadline.as_secs_f32(),
            }),
        }
    }
}
