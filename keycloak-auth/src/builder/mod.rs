//! The configuration: every setting, validated once, all problems reported at once.

mod address;
mod build;
mod caches;
mod client;
mod connection;
mod http_client;
mod problems;
mod reporting;
mod tokens;

use std::{env, fmt, sync::Arc, time::Duration};

pub use problems::{BuildError, Problem};

use self::{address::Address, http_client::OwnHttpClient};
use crate::{
    Algorithm, ClientAuthentication, Clock, Introspection, OpenApiScheme,
    challenge::ErrorFormat,
    clock::DEFAULT_LEEWAY,
    jose::KeySet,
    metrics::{self, MetricsCollector},
    secret::Secret,
};

/// Configures a [`Keycloak`](crate::Keycloak); made by [`Keycloak::builder`](crate::Keycloak::builder).
///
/// Four settings have no default: [`server_url`](Self::server_url), [`realm`](Self::realm),
/// [`client_id`](Self::client_id) and [`audience`](Self::audience).
///
/// ```
/// use keycloak_auth::Keycloak;
///
/// let keycloak = Keycloak::builder()
///     .server_url("https://id.example.com")
///     .realm("acme")
///     .client_id("orders-api")
///     .audience("orders-api")
///     .build()?;
/// # Ok::<(), keycloak_auth::BuildError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct KeycloakBuilder {
    server_url: Option<Address>,
    realm: Option<String>,
    client_id: Option<String>,
    client_secret: Option<Secret>,
    client_authentication: Option<ClientAuthentication>,
    audiences: Vec<String>,
    audience_check: bool,
    issuers: Vec<Address>,
    algorithms: Vec<Algorithm>,
    authorized_parties: Vec<String>,
    jwks_uri: Option<Address>,
    key_set: Option<KeySet>,
    introspection_endpoint: Option<Address>,
    token_endpoint: Option<Address>,
    introspection: Introspection,
    leeway: Duration,
    max_token_bytes: usize,
    token_cache_capacity: usize,
    key_set_lifetime: Duration,
    key_set_cooldown: Duration,
    metadata_lifetime: Duration,
    outage_window: Duration,
    connect_timeout: Duration,
    request_timeout: Duration,
    http_client: Option<OwnHttpClient>,
    root_certificates: Vec<Vec<u8>>,
    client_certificate: Option<Secret<Vec<u8>>>,
    proxy: Option<Secret>,
    accept_invalid_certificates: bool,
    #[cfg(feature = "native-tls")]
    use_native_tls: bool,
    error_format: ErrorFormat,
    openapi_scheme_name: String,
    openapi_scopes: Vec<(String, String)>,
    openapi_schemes: Vec<OpenApiScheme>,
    metrics_collector: Option<Collector>,
    metrics_prefix: String,
    record_enduser_id: bool,
    clock: Clock,
    unreadable_variables: Vec<&'static str>,
    is_from_environment: bool,
}

#[derive(Clone)]
struct Collector(Arc<dyn MetricsCollector>);

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MetricsCollector")
    }
}

impl Default for KeycloakBuilder {
    fn default() -> Self {
        Self {
            server_url: None,
            realm: None,
            client_id: None,
            client_secret: None,
            client_authentication: None,
            audiences: Vec::new(),
            audience_check: true,
            issuers: Vec::new(),
            algorithms: vec![Algorithm::RS256],
            authorized_parties: Vec::new(),
            jwks_uri: None,
            key_set: None,
            introspection_endpoint: None,
            token_endpoint: None,
            introspection: Introspection::Never,
            leeway: DEFAULT_LEEWAY,
            max_token_bytes: 16 * 1024,
            token_cache_capacity: 10_000,
            key_set_lifetime: Duration::from_secs(300),
            key_set_cooldown: Duration::from_secs(30),
            metadata_lifetime: Duration::from_secs(7200),
            outage_window: Duration::from_secs(24 * 3600),
            connect_timeout: Duration::from_secs(2),
            request_timeout: Duration::from_secs(5),
            http_client: None,
            root_certificates: Vec::new(),
            client_certificate: None,
            proxy: None,
            accept_invalid_certificates: false,
            #[cfg(feature = "native-tls")]
            use_native_tls: false,
            error_format: ErrorFormat::Envelope,
            openapi_scheme_name: "keycloak".to_owned(),
            openapi_scopes: Vec::new(),
            openapi_schemes: OpenApiScheme::ALL.to_vec(),
            metrics_collector: None,
            metrics_prefix: metrics::DEFAULT_PREFIX.to_owned(),
            record_enduser_id: false,
            clock: Clock::system(),
            unreadable_variables: Vec::new(),
            is_from_environment: false,
        }
    }
}

/// Who and where Keycloak is.
impl KeycloakBuilder {
    /// The address under which this service reaches Keycloak, with the base path if it has one (`/auth` in old versions).
    ///
    /// A trailing slash, or the realm's own path behind it, does no harm. Required.
    pub fn server_url(mut self, url: impl Into<String>) -> Self {
        self.server_url = Some(Address::new(url));
        self
    }

    /// The realm's name. Required, unless the server URL ends with `/realms/{realm}`.
    pub fn realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = Some(realm.into());
        self
    }

    /// This service's client in Keycloak, whose roles `role("…")` means beside realm roles. Required.
    pub fn client_id(mut self, client_id: impl Into<String>) -> Self {
        self.client_id = Some(client_id.into());
        self
    }

    /// The secret of a confidential client. Validating tokens needs none.
    ///
    /// Short for [`client_authentication`](Self::client_authentication) by
    /// [`client_secret_basic`](ClientAuthentication::client_secret_basic).
    pub fn client_secret(mut self, secret: impl Into<String>) -> Self {
        self.client_secret = Some(Secret::new(secret.into()));
        self
    }

    /// How a confidential client proves to Keycloak who it is: by a secret, a signed JWT or a certificate. Default: not at
    /// all, which validating tokens by keys does not need.
    ///
    /// For [`introspection`](Self::introspection) and at the token endpoint. It excludes
    /// [`client_secret`](Self::client_secret).
    pub fn client_authentication(mut self, authentication: impl Into<ClientAuthentication>) -> Self {
        self.client_authentication = Some(authentication.into());
        self
    }

    /// Where the keys are, instead of where the discovery document says; then no discovery takes place for them.
    pub fn jwks_uri(mut self, url: impl Into<String>) -> Self {
        self.jwks_uri = Some(Address::new(url));
        self
    }

    /// The keys themselves, which are never fetched then: for a service that cannot reach Keycloak, and for tests.
    ///
    /// Keycloak rotates its keys; whoever gives them has to keep up with that.
    pub fn key_set(mut self, keys: KeySet) -> Self {
        self.key_set = Some(keys);
        self
    }

    /// Where tokens are introspected, instead of where the discovery document says.
    pub fn introspection_endpoint(mut self, url: impl Into<String>) -> Self {
        self.introspection_endpoint = Some(Address::new(url));
        self
    }

    /// Where tokens are issued, instead of where the discovery document says. Validating tokens does not need it.
    pub fn token_endpoint(mut self, url: impl Into<String>) -> Self {
        self.token_endpoint = Some(Address::new(url));
        self
    }
}

impl KeycloakBuilder {
    /// Takes what the environment says, leaving alone what it does not: `KEYCLOAK_SERVER_URL`, `KEYCLOAK_REALM`,
    /// `KEYCLOAK_CLIENT_ID`, `KEYCLOAK_CLIENT_SECRET`, `KEYCLOAK_AUDIENCE` and `KEYCLOAK_ISSUER`; the last two may list
    /// several, separated by commas. An empty variable counts as absent.
    pub fn environment(mut self) -> Self {
        self.is_from_environment = true;
        let unreadable = &mut self.unreadable_variables;
        let mut read = |name: &'static str| match env::var(name) {
            Ok(value) => Some(value.trim().to_owned()).filter(|value| !value.is_empty()),
            Err(env::VarError::NotPresent) => None,
            Err(env::VarError::NotUnicode(_)) => {
                unreadable.push(name);
                None
            }
        };
        let list = |value: String| {
            value
                .split(',')
                .map(|part| part.trim().to_owned())
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
        };
        self.server_url = read("KEYCLOAK_SERVER_URL").map(Address::new).or(self.server_url);
        self.realm = read("KEYCLOAK_REALM").or(self.realm);
        self.client_id = read("KEYCLOAK_CLIENT_ID").or(self.client_id);
        self.client_secret = read("KEYCLOAK_CLIENT_SECRET").map(Secret::new).or(self.client_secret);
        self.audiences = read("KEYCLOAK_AUDIENCE").map(list).unwrap_or(self.audiences);
        if let Some(issuers) = read("KEYCLOAK_ISSUER").map(list) {
            self.issuers = issuers.into_iter().map(Address::new).collect();
        }
        self
    }
}

#[cfg(test)]
mod tests;
