//! The configuration: every setting, validated once, all problems reported at once.

mod address;
mod build;
mod client;
mod http_client;
mod problems;

use std::{env, fmt, sync::Arc, time::Duration};

pub use problems::{BuildError, Problem};

use self::{address::Address, http_client::OwnHttpClient};
use crate::{
    Algorithm, ClientAuthentication, Clock, Introspection, OpenApiScheme,
    answer::ErrorFormat,
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

/// What is expected of a token.
impl KeycloakBuilder {
    /// Accepts tokens for this audience (`aud`); each call adds one, and a token needs to have one of them.
    ///
    /// Required, since any service of the realm could otherwise pass on the tokens it gets (RFC 8725 §3.9), unless
    /// [`without_audience_check`](Self::without_audience_check) is called. Keycloak puts an audience into a token by an
    /// "audience" mapper.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Accepts tokens for any audience, even for none: every client of the realm can then call this service with the
    /// tokens that its users gave it.
    pub fn without_audience_check(mut self) -> Self {
        self.audience_check = false;
        self
    }

    /// Accepts tokens of this issuer (`iss`), compared exactly. Default: `{server_url}/realms/{realm}`.
    ///
    /// The first call takes the place of the default, each further one adds an issuer. Needed where Keycloak is reached by
    /// another address than its tokens name: behind a proxy, in a container network, or as `localhost` where clients go to
    /// `127.0.0.1`, since a Keycloak without `KC_HOSTNAME` calls itself by whatever address it is asked at.
    ///
    /// The discovery document may name the realm's address at [`server_url`](Self::server_url) or one of these (OpenID Connect
    /// Discovery 1.0 §4.3).
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuers.push(Address::new(issuer));
        self
    }

    /// The signature algorithms that are accepted, of those that the realm's keys are for. Default: RS256.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// Accepts only tokens that were issued to this client (`azp`); each call adds one. Default: any client.
    pub fn authorized_party(mut self, client_id: impl Into<String>) -> Self {
        self.authorized_parties.push(client_id.into());
        self
    }

    /// How far the clocks of Keycloak and this service may differ. Default: 60 s; at most 10 min.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// The largest token that is looked at, in bytes. Default: 16 KiB.
    pub fn max_token_bytes(mut self, bytes: usize) -> Self {
        self.max_token_bytes = bytes;
        self
    }

    /// About which tokens Keycloak is asked (RFC 7662). Default: [`Introspection::Never`].
    ///
    /// Needs a [`client_secret`](Self::client_secret) or another [`client_authentication`](Self::client_authentication). What
    /// Keycloak says is checked like a token's claims. When it does not answer, requests with such tokens are answered with
    /// 503. [`Introspection`] has the table of what happens to which token.
    ///
    /// ```
    /// use keycloak_auth::{Introspection, Keycloak};
    ///
    /// let keycloak = Keycloak::builder()
    ///     .server_url("https://id.example.com")
    ///     .realm("acme")
    ///     .client_id("orders-api")
    ///     .client_secret("…")
    ///     .audience("orders-api")
    ///     .introspection(Introspection::WhenLightweight)
    ///     .build()?;
    /// # Ok::<(), keycloak_auth::BuildError>(())
    /// ```
    pub fn introspection(mut self, introspection: Introspection) -> Self {
        self.introspection = introspection;
        self
    }

    /// Asks Keycloak about every token (RFC 7662) instead of verifying it here: a logout, a revocation or a realm
    /// not-before then takes effect within 30 s. Default: off.
    ///
    /// The same as [`introspection`](Self::introspection) with [`Introspection::Always`], or with
    /// [`Introspection::Never`] for `false`.
    pub fn use_introspection(self, use_introspection: bool) -> Self {
        self.introspection(if use_introspection {
            Introspection::Always
        } else {
            Introspection::Never
        })
    }
}

/// Caches and time.
impl KeycloakBuilder {
    /// How many verified tokens are remembered. Default: 10,000; 0 turns the cache off.
    ///
    /// A remembered token is accepted no longer than a forgotten one: expiry, keys and the rest are checked each time.
    pub fn token_cache_capacity(mut self, tokens: usize) -> Self {
        self.token_cache_capacity = tokens;
        self
    }

    /// How long a fetched key set is good before it is fetched again. Default: 5 min; at least 1 s.
    pub fn key_set_lifetime(mut self, lifetime: Duration) -> Self {
        self.key_set_lifetime = lifetime;
        self
    }

    /// The pause between two fetches of the key set that unknown keys or failures cause. Default: 30 s; at least 1 s.
    pub fn key_set_cooldown(mut self, cooldown: Duration) -> Self {
        self.key_set_cooldown = cooldown;
        self
    }

    /// How long the discovery document is good. Default: 2 h.
    pub fn metadata_lifetime(mut self, lifetime: Duration) -> Self {
        self.metadata_lifetime = lifetime;
        self
    }

    /// How long the last good key set stays in use while Keycloak cannot be reached. Default: 24 h.
    pub fn outage_window(mut self, window: Duration) -> Self {
        self.outage_window = window;
        self
    }

    /// The clock that tells when a token expires. Default: the system's.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }
}

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
    /// chain and its private key. With [`ClientAuthentication::tls_client_auth`] it is what the client authenticates by.
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

/// What the service shows of it.
impl KeycloakBuilder {
    /// The form of the bodies of error responses. Default: `{"error": {"code", "message", "details"}}`.
    pub fn error_format(mut self, format: ErrorFormat) -> Self {
        self.error_format = format;
        self
    }

    /// The name of the security scheme in OpenAPI. Default: `keycloak`.
    pub fn openapi_scheme_name(mut self, name: impl Into<String>) -> Self {
        self.openapi_scheme_name = name.into();
        self
    }

    /// A scope that the login in OpenAPI tools offers, with its description; each call adds one. Default: `openid`,
    /// `profile` and `email`.
    pub fn openapi_scope(mut self, scope: impl Into<String>, description: impl Into<String>) -> Self {
        self.openapi_scopes.push((scope.into(), description.into()));
        self
    }

    /// The security schemes in OpenAPI. Default: all of them. For Swagger UI leave out
    /// [`OpenIdConnect`](OpenApiScheme::OpenIdConnect), of which it makes a form of each grant that the realm has.
    pub fn openapi_schemes(mut self, schemes: impl IntoIterator<Item = OpenApiScheme>) -> Self {
        self.openapi_schemes = schemes.into_iter().collect();
        self
    }

    /// What the names of the [metrics](crate::metrics) begin with. Default: `fc_kc`.
    pub fn metrics_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.metrics_prefix = prefix.into();
        self
    }

    /// Where the metrics go. Default: nowhere.
    pub fn metrics_collector(mut self, collector: impl MetricsCollector) -> Self {
        self.metrics_collector = Some(Collector(Arc::new(collector)));
        self
    }

    /// Tells the log who the caller is: the subject of the token, as `enduser.id`. Default: no, because it is personal data.
    ///
    /// Then the event of each [decision](crate::guide::observability) of a guard has that field, and so has the span of the request,
    /// where it was made with an empty one:
    ///
    /// ```
    /// use tracing::{field, info_span};
    ///
    /// let span = info_span!("request", enduser.id = field::Empty);
    /// # let _ = span;
    /// ```
    pub fn record_enduser_id(mut self, record: bool) -> Self {
        self.record_enduser_id = record;
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
