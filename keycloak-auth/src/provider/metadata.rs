//! Provider metadata: the discovery document, and the endpoints that may be used of it (OpenID Connect Discovery 1.0 §3).

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use serde::Deserialize;
use url::Url;

use super::{Call, HttpClient, ProviderError, RealmUrl};
use crate::metrics::Recorder;

/// How old the discovery document may be while what it names does not work.
const WHILE_FAILING: Duration = Duration::from_secs(30);

/// What the realm says about itself, as far as it is used.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct ProviderMetadata {
    /// The name under which the realm issues tokens.
    issuer: String,
    /// Where the keys are.
    jwks_uri: String,
    /// Where tokens are introspected (RFC 7662).
    introspection_endpoint: Option<String>,
    /// Where grants are exchanged for tokens (RFC 6749 §3.2).
    token_endpoint: Option<String>,
    /// The endpoints for clients that authenticate by a certificate (RFC 8705 §5).
    #[serde(default)]
    mtls_endpoint_aliases: Aliases,
    /// The algorithms of ID tokens, which are those of access tokens as well.
    #[serde(default)]
    id_token_signing_alg_values_supported: Vec<String>,
}

/// Endpoints that stand in for those of the same name.
#[derive(Clone, Debug, Default, Deserialize)]
struct Aliases {
    introspection_endpoint: Option<String>,
    token_endpoint: Option<String>,
}

impl ProviderMetadata {
    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(crate) fn signing_algorithms(&self) -> &[String] {
        &self.id_token_signing_alg_values_supported
    }
}

/// Endpoints that the configuration names itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Endpoints {
    pub(crate) jwks_uri: Option<Url>,
    pub(crate) introspection_endpoint: Option<Url>,
    pub(crate) token_endpoint: Option<Url>,
    /// Whether this client authenticates by a certificate, so that the document's aliases are for it (RFC 8705 §5).
    pub(crate) uses_mtls_aliases: bool,
}

/// The discovery document of one realm, fetched when it is needed and kept for a while.
#[derive(Debug)]
pub(crate) struct MetadataSource {
    realm_url: RealmUrl,
    issuers: Vec<String>,
    /// The endpoints that the configuration names itself.
    endpoints: Endpoints,
    lifetime: Duration,
    metrics: Recorder,
    cached: Mutex<Option<(Arc<ProviderMetadata>, Duration)>>,
}

impl MetadataSource {
    pub(crate) fn new(
        realm_url: RealmUrl,
        issuers: Vec<String>,
        endpoints: Endpoints,
        lifetime: Duration,
        metrics: Recorder,
    ) -> Self {
        Self {
            realm_url,
            issuers,
            endpoints,
            lifetime,
            metrics,
            cached: Mutex::new(None),
        }
    }

    /// Where the keys are: as configured, or as the discovery document says.
    pub(crate) async fn jwks_uri(&self, http: &HttpClient, now: Duration) -> Result<Url, ProviderError> {
        match &self.endpoints.jwks_uri {
            Some(url) => Ok(url.clone()),
            None => {
                let metadata = self.metadata(http, now).await?;
                self.endpoint("jwks_uri", &metadata.jwks_uri, &metadata.issuer)
                    .inspect_err(|_| self.forget())
            }
        }
    }

    /// Where tokens are introspected: as configured, or as the discovery document says.
    pub(crate) async fn introspection_endpoint(&self, http: &HttpClient, now: Duration) -> Result<Url, ProviderError> {
        if let Some(url) = &self.endpoints.introspection_endpoint {
            return Ok(url.clone());
        }
        let metadata = self.metadata(http, now).await?;
        let alias = metadata.mtls_endpoint_aliases.introspection_endpoint.as_deref();
        let usual = metadata.introspection_endpoint.as_deref();
        self.optional_endpoint("introspection_endpoint", self.alias_or(alias, usual), &metadata)
    }

    /// Where grants are exchanged for tokens: as configured, or as the discovery document says.
    pub(crate) async fn token_endpoint(&self, http: &HttpClient, now: Duration) -> Result<Url, ProviderError> {
        if let Some(url) = &self.endpoints.token_endpoint {
            return Ok(url.clone());
        }
        let metadata = self.metadata(http, now).await?;
        let alias = metadata.mtls_endpoint_aliases.token_endpoint.as_deref();
        let usual = metadata.token_endpoint.as_deref();
        self.optional_endpoint("token_endpoint", self.alias_or(alias, usual), &metadata)
    }

    fn alias_or<'m>(&self, alias: Option<&'m str>, usual: Option<&'m str>) -> Option<&'m str> {
        alias.filter(|_| self.endpoints.uses_mtls_aliases).or(usual)
    }

    /// What Keycloak calls itself: as the discovery document says, where it was needed so far, else as configured.
    pub(crate) fn issuer(&self, now: Duration) -> String {
        match self.cached(now) {
            Some(metadata) => metadata.issuer.clone(),
            None => self.issuers.first().cloned().unwrap_or_default(),
        }
    }

    /// Forgets the discovery document: what it said did not work.
    pub(crate) fn forget(&self) {
        *self.cached.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Forgets the discovery document if it is not quite new: an endpoint that does not answer may have moved.
    pub(crate) fn forget_unless_new(&self, now: Duration) {
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        cached.take_if(|(_, fetched_at)| now.checked_sub(*fetched_at).is_none_or(|age| age >= WHILE_FAILING));
    }

    async fn metadata(&self, http: &HttpClient, now: Duration) -> Result<Arc<ProviderMetadata>, ProviderError> {
        if let Some(metadata) = self.cached(now) {
            return Ok(metadata);
        }
        let began = Instant::now();
        let url = self.discovery_url();
        let answer = Call::Discovery.observe(&url, &self.metrics, http.ask(&url)).await;
        let fetched = answer
            .and_then(|answer| answer.only_ok(&url))
            .and_then(|json| self.read(&json));
        self.metrics.metadata_fetched(began.elapsed(), fetched.is_ok());
        let metadata = fetched?;
        let metadata = Arc::new(metadata);
        *self.cached.lock().unwrap_or_else(PoisonError::into_inner) = Some((Arc::clone(&metadata), now));
        Ok(metadata)
    }

    /// Where the discovery document is (OpenID Connect Discovery 1.0 §4).
    pub(crate) fn discovery_url(&self) -> Url {
        self.realm_url.join(".well-known/openid-configuration")
    }

    /// Reads the discovery document, and accepts it only where it names the realm's address or an issuer of the configuration.
    ///
    /// Which issuers tokens may name does not depend on it.
    pub(crate) fn read(&self, document: &[u8]) -> Result<ProviderMetadata, ProviderError> {
        let url = self.discovery_url();
        let metadata: ProviderMetadata =
            serde_json::from_slice(document).map_err(|source| ProviderError::Metadata {
                url: url.to_string(),
                source,
            })?;
        // OpenID Connect Discovery 1.0 §4.3: the issuer must be exactly the one that was asked. A Keycloak without a host name
        // of its own (`KC_HOSTNAME`) goes by the address of each request, so that this need not be what tokens name.
        if metadata.issuer != self.realm_url.as_str() && !self.issuers.contains(&metadata.issuer) {
            return Err(ProviderError::Issuer {
                url: url.to_string(),
                found: metadata.issuer,
                configured: self.issuers.clone(),
            });
        }
        Ok(metadata)
    }

    fn cached(&self, now: Duration) -> Option<Arc<ProviderMetadata>> {
        let cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        let (metadata, fetched_at) = cached.as_ref()?;
        let age = now.checked_sub(*fetched_at)?;
        (age < self.lifetime).then(|| Arc::clone(metadata))
    }

    /// Whether the endpoints that the document has may be used.
    pub(crate) fn check_endpoints(&self, metadata: &ProviderMetadata) -> Result<(), ProviderError> {
        self.endpoint("jwks_uri", &metadata.jwks_uri, &metadata.issuer)?;
        let aliases = &metadata.mtls_endpoint_aliases;
        let optional = [
            (
                "introspection_endpoint",
                &aliases.introspection_endpoint,
                &metadata.introspection_endpoint,
            ),
            ("token_endpoint", &aliases.token_endpoint, &metadata.token_endpoint),
        ];
        for (member, alias, usual) in optional {
            if let Some(text) = self.alias_or(alias.as_deref(), usual.as_deref()) {
                self.endpoint(member, text, &metadata.issuer)?;
            }
        }
        Ok(())
    }

    fn optional_endpoint(
        &self,
        member: &'static str,
        text: Option<&str>,
        metadata: &ProviderMetadata,
    ) -> Result<Url, ProviderError> {
        text.ok_or(ProviderError::MissingEndpoint { member })
            .and_then(|text| self.endpoint(member, text, &metadata.issuer))
            .inspect_err(|_| self.forget())
    }

    /// The address to use for an endpoint of the document.
    ///
    /// An endpoint below the issuer is reached through the configured server address, which is what one wants in a
    /// container network, where the public address of Keycloak leads nowhere.
    fn endpoint(&self, member: &'static str, text: &str, issuer: &str) -> Result<Url, ProviderError> {
        let foreign = || ProviderError::ForeignEndpoint { member };
        let url = Url::parse(text).map_err(|_| foreign())?;
        match url.scheme() {
            "https" => {}
            "http" if !self.realm_url.is_https() => {}
            "http" => return Err(ProviderError::InsecureEndpoint { member }),
            _ => return Err(foreign()),
        }
        if self.realm_url.is_same_origin(&url) {
            return Ok(url);
        }
        let below_issuer = text
            .strip_prefix(issuer)
            .and_then(|rest| rest.strip_prefix('/'))
            .ok_or_else(foreign)?;
        Ok(self.realm_url.join(below_issuer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(server_url: &str) -> MetadataSource {
        let realm_url = RealmUrl::new(server_url, Some("acme"))
            .expect("valid")
            .expect("a realm");
        MetadataSource::new(
            realm_url,
            Vec::new(),
            Endpoints::default(),
            Duration::ZERO,
            Recorder::default(),
        )
    }

    #[test]
    fn endpoints_of_the_server_and_below_the_issuer_are_used() {
        let issuer = "https://id.example.com/realms/acme";
        let certs = "https://id.example.com/realms/acme/certs";
        let endpoint = |server_url: &str, text: &str| {
            source(server_url)
                .endpoint("jwks_uri", text, issuer)
                .map(|url| url.to_string())
        };
        assert_eq!(endpoint("https://id.example.com", certs).expect("same origin"), certs);
        assert_eq!(
            endpoint("http://keycloak:8080/auth", certs).expect("rebased"),
            "http://keycloak:8080/auth/realms/acme/certs"
        );
        assert!(matches!(
            endpoint("https://id.example.com", "http://id.example.com/realms/acme/certs"),
            Err(ProviderError::InsecureEndpoint { member: "jwks_uri" })
        ));
        for foreign in [
            "https://evil.example.com/certs",
            "https://id.example.com/realms/acmeevil",
            "file:///etc/passwd",
            "certs",
            "",
        ] {
            assert!(
                matches!(
                    endpoint("http://keycloak:8080", foreign),
                    Err(ProviderError::ForeignEndpoint { .. })
                ),
                "{foreign}"
            );
        }
    }
}
