//! Keycloak as the provider of metadata and keys: the one part that does I/O (OpenID Connect Discovery 1.0, RFC 8414).
//!
//! Every request goes through [`Provider::ask`], which finds the endpoint, keeps to the deadline and the largest body, and tells
//! traces and metrics of it. A diagnosis [`probes`](Provider::probe) instead: what it provokes is no trouble of the service.

mod endpoint;
mod http_client;
mod metadata;
mod reachability;
mod realm_url;
mod remote_key_set;
mod request;
mod retry_after;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use url::Url;

use self::{http_client::HttpClient, request::Form};
use crate::{Clock, error::ProviderError, metrics::Recorder};

pub(crate) use endpoint::Endpoint;
pub(crate) use http_client::HttpAnswer;
pub(crate) use metadata::{ConfiguredEndpoints, MetadataSource, ProviderMetadata};
pub(crate) use reachability::{Change, Reachability};
pub(crate) use realm_url::RealmUrl;
pub(crate) use remote_key_set::{RemoteKeySet, Timing};
pub(crate) use request::Request;

/// Where Keycloak is and how it is reached: what all that ask it something have in common.
#[derive(Debug)]
pub(crate) struct Provider {
    metadata: MetadataSource,
    http: HttpClient,
    clock: Clock,
    /// The time for everything that one request of a client needs of Keycloak.
    deadline: Duration,
    /// Told of each request.
    metrics: Recorder,
}

impl Provider {
    pub(crate) fn new(
        metadata: MetadataSource,
        http_client: reqwest::Client,
        clock: Clock,
        deadline: Duration,
        metrics: Recorder,
    ) -> Self {
        Self {
            metadata,
            http: HttpClient::new(http_client),
            clock,
            deadline,
            metrics,
        }
    }

    pub(crate) const fn metadata(&self) -> &MetadataSource {
        &self.metadata
    }

    pub(crate) const fn clock(&self) -> &Clock {
        &self.clock
    }

    #[inline]
    pub(crate) fn now(&self) -> Duration {
        self.clock.now()
    }

    pub(crate) const fn deadline(&self) -> Duration {
        self.deadline
    }

    #[inline]
    pub(crate) const fn metrics(&self) -> &Recorder {
        &self.metrics
    }

    /// Asks an endpoint within the deadline, and reads what it answers.
    pub(crate) async fn ask<T>(
        &self,
        request: Request<'_>,
        read: impl FnOnce(HttpAnswer) -> Result<T, ProviderError>,
    ) -> Result<T, ProviderError> {
        self.ask_within(self.deadline, request, read).await
    }

    /// The same within what is left of the deadline.
    pub(crate) async fn ask_within<T>(
        &self,
        left: Duration,
        request: Request<'_>,
        read: impl FnOnce(HttpAnswer) -> Result<T, ProviderError>,
    ) -> Result<T, ProviderError> {
        let exchange = async {
            let url = self.url_of(request.endpoint).await?;
            let sending = self.send(&url, request.form);
            read(request.endpoint.observe(&url, &self.metrics, sending).await?)
        };
        self.within(left, exchange).await
    }

    /// Finds out where an endpoint is, which takes the discovery document unless that is configured.
    pub(crate) async fn find(&self, endpoint: Endpoint) -> Result<(), ProviderError> {
        let finding = async { self.url_of(endpoint).await.map(drop) };
        self.within(self.deadline, finding).await
    }

    /// Asks an endpoint for a diagnosis, which reports the request itself, and says what is answered, whatever it is.
    pub(crate) async fn probe(&self, request: Request<'_>) -> Result<HttpAnswer, ProviderError> {
        let exchange = async { self.send(&self.url_of(request.endpoint).await?, request.form).await };
        self.within(self.deadline, exchange).await
    }

    /// The same at an address that Keycloak might have.
    pub(crate) async fn probe_address(&self, url: &Url) -> Result<HttpAnswer, ProviderError> {
        self.within(self.deadline, self.send(url, None)).await
    }

    /// Ends the connections. Requests that are under way fail, and so do later ones.
    pub(crate) fn close(&self) {
        self.http.close();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.http.is_closed()
    }

    /// The error of an exchange that takes longer than the deadline.
    pub(crate) fn timeout(&self) -> ProviderError {
        ProviderError::Timeout {
            seconds: self.deadline.as_secs_f32(),
        }
    }

    async fn within<T>(
        &self,
        left: Duration,
        exchange: impl Future<Output = Result<T, ProviderError>>,
    ) -> Result<T, ProviderError> {
        let in_time = tokio::time::timeout(left, exchange).await;
        let result = in_time.unwrap_or_else(|_| Err(self.timeout()));
        if result.is_err() {
            self.metadata.forget_unless_new(self.now());
        }
        result
    }

    /// Where an endpoint is: as configured, or as the discovery document says.
    async fn url_of(&self, endpoint: Endpoint) -> Result<Url, ProviderError> {
        match self.metadata.known_url(endpoint) {
            Some(url) => Ok(url),
            None => self.metadata.url_in(&*self.discovered().await?, endpoint),
        }
    }

    /// The discovery document, fetched where it is not at hand.
    async fn discovered(&self) -> Result<Arc<ProviderMetadata>, ProviderError> {
        let asked_at = self.now();
        if let Some(metadata) = self.metadata.cached(asked_at) {
            return Ok(metadata);
        }
        let began = Instant::now();
        let url = self.metadata.discovery_url();
        let sending = self.send(&url, None);
        let answer = Endpoint::Discovery.observe(&url, &self.metrics, sending).await;
        let fetched = answer
            .and_then(HttpAnswer::only_ok)
            .and_then(|document| self.metadata.read(&document));
        self.metrics.metadata_fetched(began.elapsed(), fetched.is_ok());
        Ok(self.metadata.keep(fetched?, asked_at))
    }

    async fn send(&self, url: &Url, form: Option<Form<'_>>) -> Result<HttpAnswer, ProviderError> {
        let Some(Form { client, parameters }) = form else {
            return self.http.get(url).await;
        };
        let now = self.now();
        let proof = client.proof(&self.metadata.issuer(now), now)?;
        self.http.post(url, &proof, parameters).await
    }
}
