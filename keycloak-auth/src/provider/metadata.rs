//! Provider metadata: the discovery document, and the endpoints that may be used of it (OpenID Connect Discovery 1.0 §3).

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::Deserialize;
use url::Url;

use super::{Endpoint, RealmUrl};
use crate::error::ProviderError;

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
}

/// Endpoints that the configuration names itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct ConfiguredEndpoints {
    pub(crate) jwks_uri: Option<Url>,
    pub(crate) introspection_endpoint: Option<Url>,
    pub(crate) token_endpoint: Option<Url>,
    /// Whether this client authenticates by a certificate, so that the document's aliases are for it (RFC 8705 §5).
    pub(crate) uses_mtls_aliases: bool,
}

/// The discovery document of one realm, kept for a while, and what of it may be used.
#[derive(Debug)]
pub(crate) struct MetadataSource {
    realm_url: RealmUrl,
    issuers: Vec<String>,
    configured: ConfiguredEndpoints,
    lifetime: Duration,
    /// With the time when it was asked for.
    cached: Mutex<Option<(Arc<ProviderMetadata>, Duration)>>,
}

impl MetadataSource {
    pub(crate) fn new(
        realm_url: RealmUrl,
        issuers: Vec<String>,
        configured: ConfiguredEndpoints,
        lifetime: Duration,
    ) -> Self {
        Self {
            realm_url,
            issuers,
            configured,
            lifetime,
            cached: Mutex::new(None),
        }
    }

    /// Where an endpoint is, as far as that takes no discovery document.
    pub(super) fn known_url(&self, endpoint: Endpoint) -> Option<Url> {
        match endpoint {
            Endpoint::Discovery => Some(self.discovery_url()),
            Endpoint::Jwks => self.configured.jwks_uri.clone(),
            Endpoint::Introspection => self.configured.introspection_endpoint.clone(),
            Endpoint::Token => self.configured.token_endpoint.clone(),
        }
    }

    /// Where an endpoint is, as the discovery document says. One that does not say it rightly is forgotten.
    pub(super) fn url_in(&self, metadata: &ProviderMetadata, endpoint: Endpoint) -> Result<Url, ProviderError> {
        let found = match self.member(metadata, endpoint) {
            None => Ok(self.discovery_url()),
            Some((member, None)) => Err(ProviderError::MissingEndpoint { member }),
            Some((member, Some(text))) => self.usable(member, text, &metadata.issuer),
        };
        found.inspect_err(|_| self.forget())
    }

    /// The member of the document that names an endpoint, and what it says.
    fn member<'m>(
        &self,
        metadata: &'m ProviderMetadata,
        endpoint: Endpoint,
    ) -> Option<(&'static str, Option<&'m str>)> {
        let aliases = &metadata.mtls_endpoint_aliases;
        match endpoint {
            Endpoint::Discovery => None,
            Endpoint::Jwks => Some(("jwks_uri", Some(&metadata.jwks_uri))),
            Endpoint::Introspection => Some((
                "introspection_endpoint",
                self.alias_or(&aliases.introspection_endpoint, &metadata.introspection_endpoint),
            )),
            Endpoint::Token => Some((
                "token_endpoint",
                self.alias_or(&aliases.token_endpoint, &metadata.token_endpoint),
            )),
        }
    }

    fn alias_or<'m>(&self, alias: &'m Option<String>, usual: &'m Option<String>) -> Option<&'m str> {
        let alias = alias.as_deref().filter(|_| self.configured.uses_mtls_aliases);
        alias.or(usual.as_deref())
    }

    /// What Keycloak calls itself: as the discovery document says, where it was needed so far, else as configured.
    pub(super) fn issuer(&self, now: Duration) -> String {
        match self.cached(now) {
            Some(metadata) => metadata.issuer.clone(),
            None => self.issuers.first().cloned().unwrap_or_default(),
        }
    }

    /// Forgets the discovery document: what it said did not work.
    pub(super) fn forget(&self) {
        *self.lock() = None;
    }

    /// Forgets the discovery document if it is not quite new: an endpoint that does not answer may have moved.
    pub(super) fn forget_unless_new(&self, now: Duration) {
        let is_old = |asked_at: Duration| now.checked_sub(asked_at).is_none_or(|age| age >= WHILE_FAILING);
        self.lock().take_if(|(_, asked_at)| is_old(*asked_at));
    }

    /// Keeps the discovery document that was asked for at `asked_at`.
    pub(super) fn keep(&self, metadata: ProviderMetadata, asked_at: Duration) -> Arc<ProviderMetadata> {
        let metadata = Arc::new(metadata);
        *self.lock() = Some((Arc::clone(&metadata), asked_at));
        metadata
    }

    /// The discovery document, where it is at hand and not too old.
    pub(super) fn cached(&self, now: Duration) -> Option<Arc<ProviderMetadata>> {
        let cached = self.lock();
        let (metadata, asked_at) = cached.as_ref()?;
        let age = now.checked_sub(*asked_at)?;
        (age < self.lifetime).then(|| Arc::clone(metadata))
    }

    fn lock(&self) -> MutexGuard<'_, Option<(Arc<ProviderMetadata>, Duration)>> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the discovery document is.
    pub(crate) fn discovery_url(&self) -> Url {
        self.realm_url.discovery_url()
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

    /// Whether the endpoints that the document has may be used.
    pub(crate) fn check_endpoints(&self, metadata: &ProviderMetadata) -> Result<(), ProviderError> {
        for endpoint in [Endpoint::Jwks, Endpoint::Introspection, Endpoint::Token] {
            if let Some((member, Some(text))) = self.member(metadata, endpoint) {
                self.usable(member, text, &metadata.issuer)?;
            }
        }
        Ok(())
    }

    /// The address to use for an endpoint of the document.
    ///
    /// An endpoint below the issuer is reached through the configured server address, which is what one wants in a
    /// container network, where the public address of Keycloak leads nowhere.
    fn usable(&self, member: &'static str, text: &str, issuer: &str) -> Result<Url, ProviderError> {
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
        MetadataSource::new(realm_url, Vec::new(), ConfiguredEndpoints::default(), Duration::ZERO)
    }

    #[test]
    fn the_issuer_of_the_document_is_compared_exactly() {
        let realm = "https://id.example.com/realms/acme";
        let document = |issuer: &str| serde_json::json!({ "issuer": issuer, "jwks_uri": format!("{realm}/certs") });
        let read = |issuer: &str| source("https://id.example.com").read(document(issuer).to_string().as_bytes());
        assert_eq!(read(realm).expect("that of the realm").issuer(), realm);
        for other in [
            "https://id.example.com/realms/acme2",
            "https://id.example.com/realms/acme/",
            "https://id.example.com/realms/acm",
            "https://id.example.com/realms/ACME",
            "https://id.example.com:443/realms/acme",
            "http://id.example.com/realms/acme",
            "",
        ] {
            let error = read(other).expect_err("another issuer");
            assert!(
                matches!(error, ProviderError::Issuer { found, .. } if found == other),
                "{other}"
            );
        }
    }

    #[test]
    fn endpoints_of_the_server_and_below_the_issuer_are_used() {
        let issuer = "https://id.example.com/realms/acme";
        let certs = "https://id.example.com/realms/acme/certs";
        let endpoint = |server_url: &str, text: &str| {
            source(server_url)
                .usable("jwks_uri", text, issuer)
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
