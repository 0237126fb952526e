//! The configuration: every setting, validated once, all problems reported at once.

use std::{env, fmt, sync::Arc, time::Duration};

use url::Url;

use crate::{
    Algorithm, Clock, Keycloak,
    challenge::ErrorFormat,
    metrics::{MetricsCollector, Recorder},
    provider::{Endpoints, HttpClient, MetadataSource, RealmUrl, RemoteKeySet, Timing},
    secret::Secret,
    validator::{Expectations, Validator},
};

/// Configures a [`Keycloak`]; made by [`Keycloak::builder`].
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
    server_url: Option<String>,
    realm: Option<String>,
    client_id: Option<String>,
    client_secret: Option<Secret>,
    audiences: Vec<String>,
    audience_check: bool,
    issuers: Vec<String>,
    algorithms: Vec<Algorithm>,
    authorized_parties: Vec<String>,
    jwks_uri: Option<String>,
    introspection_endpoint: Option<String>,
    token_endpoint: Option<String>,
    use_introspection: bool,
    leeway: Duration,
    max_token_bytes: usize,
    token_cache_capacity: usize,
    key_set_lifetime: Duration,
    key_set_cooldown: Duration,
    metadata_lifetime: Duration,
    outage_window: Duration,
    connect_timeout: Duration,
    request_timeout: Duration,
    http_client: Option<reqwest::Client>,
    root_certificates: Vec<Vec<u8>>,
    client_certificate: Option<Secret>,
    proxy: Option<String>,
    accept_invalid_certificates: bool,
    #[cfg(feature = "native-tls")]
    use_native_tls: bool,
    error_format: ErrorFormat,
    openapi_scheme_name: String,
    openapi_scopes: Vec<(String, String)>,
    metrics_collector: Option<Collector>,
    clock: Clock,
    unreadable_variables: Vec<&'static str>,
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
            audiences: Vec::new(),
            audience_check: true,
            issuers: Vec::new(),
            algorithms: vec![Algorithm::RS256],
            authorized_parties: Vec::new(),
            jwks_uri: None,
            introspection_endpoint: None,
            token_endpoint: None,
            use_introspection: false,
            leeway: Duration::from_secs(60),
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
            metrics_collector: None,
            clock: Clock::system(),
            unreadable_variables: Vec::new(),
        }
    }
}

/// Who and where Keycloak is.
impl KeycloakBuilder {
    /// The address under which this service reaches Keycloak, with the base path if it has one (`/auth` in old versions).
    ///
    /// A trailing slash, or the realm's own path behind it, does no harm. Required.
    pub fn server_url(mut self, url: impl Into<String>) -> Self {
        self.server_url = Some(url.into());
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
    pub fn client_secret(mut self, secret: impl Into<String>) -> Self {
        self.client_secret = Some(Secret::new(secret.into()));
        self
    }

    /// Where the keys are, instead of where the discovery document says; then no discovery takes place for them.
    pub fn jwks_uri(mut self, url: impl Into<String>) -> Self {
        self.jwks_uri = Some(url.into());
        self
    }

    /// Where tokens are introspected, instead of where the discovery document says.
    pub fn introspection_endpoint(mut self, url: impl Into<String>) -> Self {
        self.introspection_endpoint = Some(url.into());
        self
    }

    /// Where tokens are issued, instead of where the discovery document says.
    pub fn token_endpoint(mut self, url: impl Into<String>) -> Self {
        self.token_endpoint = Some(url.into());
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

    /// Accepts tokens of this issuer (`iss`), compared exactly; each call adds one. Default: `{server_url}/realms/{realm}`.
    ///
    /// Needed where Keycloak is reached by another address than its tokens name.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuers.push(issuer.into());
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

    /// Asks Keycloak about every token (RFC 7662) instead of validating it here. Default: off.
    pub fn use_introspection(mut self, use_introspection: bool) -> Self {
        self.use_introspection = use_introspection;
        self
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

    /// A client of the service's own instead of ours. It must not follow redirects; an answer that came by one is refused.
    ///
    /// The settings for certificates, proxy and connecting then belong on that client.
    pub fn http_client(mut self, client: reqwest::Client) -> Self {
        self.http_client = Some(client);
        self
    }

    /// Trusts the certificate authorities in this PEM text, beside those of the system; each call adds some.
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificates.push(pem.into());
        self
    }

    /// Authenticates to Keycloak with a client certificate: a PEM text with the certificate chain and its private key.
    pub fn client_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.client_certificate = Some(Secret::new(pem.into()));
        self
    }

    /// Reaches Keycloak through this proxy. Default: as the environment's `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` say.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = Some(url.into());
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

    /// Where the metrics go. Default: nowhere.
    pub fn metrics_collector(mut self, collector: impl MetricsCollector) -> Self {
        self.metrics_collector = Some(Collector(Arc::new(collector)));
        self
    }
}

impl KeycloakBuilder {
    /// Takes what the environment says, leaving alone what it does not: `KEYCLOAK_SERVER_URL`, `KEYCLOAK_REALM`,
    /// `KEYCLOAK_CLIENT_ID`, `KEYCLOAK_CLIENT_SECRET`, `KEYCLOAK_AUDIENCE` and `KEYCLOAK_ISSUER`; the last two may list
    /// several, separated by commas. An empty variable counts as absent.
    pub fn environment(mut self) -> Self {
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
        self.server_url = read("KEYCLOAK_SERVER_URL").or(self.server_url);
        self.realm = read("KEYCLOAK_REALM").or(self.realm);
        self.client_id = read("KEYCLOAK_CLIENT_ID").or(self.client_id);
        self.client_secret = read("KEYCLOAK_CLIENT_SECRET").map(Secret::new).or(self.client_secret);
        self.audiences = read("KEYCLOAK_AUDIENCE").map(list).unwrap_or(self.audiences);
        self.issuers = read("KEYCLOAK_ISSUER").map(list).unwrap_or(self.issuers);
        self
    }

    /// Checks the configuration and makes a [`Keycloak`] of it. No I/O takes place: Keycloak may be down.
    ///
    /// # Errors
    ///
    /// With every problem of the configuration.
    pub fn build(self) -> Result<Keycloak, BuildError> {
        let mut problems = Problems::default();
        for name in &self.unreadable_variables {
            problems.add(name, "is not UTF-8");
        }
        let realm_url = self.realm_url(&mut problems);
        let client_id = problems.required("client_id", self.client_id.as_deref(), "`.client_id(\"orders-api\")`");
        self.check_audiences(&mut problems);
        problems.no_blanks("issuer", &self.issuers);
        problems.no_blanks("authorized_party", &self.authorized_parties);
        if self.algorithms.is_empty() {
            problems.add(
                "algorithms",
                "is empty, so no token could be accepted: leave it out for RS256",
            );
        }
        self.check_numbers(&mut problems);
        let endpoints = Endpoints {
            jwks_uri: problems.endpoint("jwks_uri", self.jwks_uri.as_deref(), realm_url.as_ref()),
            introspection_endpoint: problems.endpoint(
                "introspection_endpoint",
                self.introspection_endpoint.as_deref(),
                realm_url.as_ref(),
            ),
            token_endpoint: problems.endpoint("token_endpoint", self.token_endpoint.as_deref(), realm_url.as_ref()),
        };
        if self.use_introspection {
            problems.add(
                "use_introspection",
                "is not supported by this version: tokens are validated locally, which is what `.use_introspection(false)` says",
            );
        }
        if !is_component_name(&self.openapi_scheme_name) {
            problems.add(
                "openapi_scheme_name",
                "must consist of letters, digits, `.`, `-` and `_`",
            );
        }
        let client = self.checked_http_client(&mut problems);
        let (Some(realm_url), Some(client_id), Some(client), true) =
            (realm_url, client_id, client, problems.0.is_empty())
        else {
            return Err(BuildError { problems: problems.0 });
        };
        if self.accept_invalid_certificates {
            tracing::warn!(target: "keycloak_auth", "TLS certificates of Keycloak are not checked: anybody in between can let anybody in");
        }
        Ok(self.assemble(realm_url, client_id.into(), endpoints, client))
    }

    fn assemble(
        self,
        realm_url: RealmUrl,
        client_id: Arc<str>,
        endpoints: Endpoints,
        client: reqwest::Client,
    ) -> Keycloak {
        let issuers = if self.issuers.is_empty() {
            vec![realm_url.as_str().to_owned()]
        } else {
            self.issuers
        };
        let metrics = Recorder::new(
            self.metrics_collector.map(|collector| collector.0),
            &client_id,
            realm_url.realm(),
        );
        let timing = Timing {
            lifetime: self.key_set_lifetime,
            reload_ahead: Duration::from_secs(30),
            cooldown: self.key_set_cooldown,
            outage_window: self.outage_window,
            deadline: self.request_timeout,
        };
        let validator = Validator::new(
            Expectations {
                issuers: issuers.clone(),
                audiences: self.audience_check.then_some(self.audiences),
                algorithms: self.algorithms,
                authorized_parties: self.authorized_parties,
                leeway: self.leeway,
                max_token_bytes: self.max_token_bytes,
            },
            self.token_cache_capacity,
        );
        let metadata = MetadataSource::new(realm_url.clone(), issuers.clone(), endpoints, self.metadata_lifetime);
        let key_set = RemoteKeySet::new(
            metadata,
            HttpClient::new(client),
            self.clock.clone(),
            timing,
            metrics.clone(),
        );
        Keycloak::assemble(crate::keycloak::Parts {
            realm_url,
            issuer: issuers.into_iter().next().unwrap_or_default(),
            client_id,
            client_secret: self.client_secret,
            error_format: self.error_format,
            #[cfg(feature = "utoipa")]
            openapi: crate::openapi::SchemeSettings {
                name: self.openapi_scheme_name,
                scopes: self.openapi_scopes,
            },
            validator,
            key_set,
            clock: self.clock,
            metrics,
        })
    }

    fn realm_url(&self, problems: &mut Problems) -> Option<RealmUrl> {
        let realm = self.realm.as_deref().filter(|realm| !realm.trim().is_empty());
        let Some(server_url) = self.server_url.as_deref().filter(|url| !url.trim().is_empty()) else {
            problems.add(
                "server_url",
                "is missing: set the address of Keycloak, as in `.server_url(\"https://id.example.com\")`",
            );
            if realm.is_none() {
                problems.add("realm", REALM_MISSING);
            }
            return None;
        };
        if realm.is_some_and(|realm| matches!(realm, "." | "..")) {
            problems.add("realm", "is not a realm's name");
            return None;
        }
        match RealmUrl::new(server_url, realm) {
            Ok(Some(realm_url)) => Some(realm_url),
            Ok(None) => {
                problems.add("realm", REALM_MISSING);
                None
            }
            Err(error) => {
                problems.add("server_url", error.to_string());
                if realm.is_none() {
                    problems.add("realm", REALM_MISSING);
                }
                None
            }
        }
    }

    fn check_audiences(&self, problems: &mut Problems) {
        problems.no_blanks("audience", &self.audiences);
        match (self.audience_check, self.audiences.is_empty()) {
            (true, true) => problems.add(
                "audience",
                "is missing: name the audience that tokens for this service carry, as in `.audience(\"orders-api\")`, or opt \
                 out by `.without_audience_check()`",
            ),
            (false, false) => problems.add("audience", "is set, but `.without_audience_check()` switches its check off: keep one of them"),
            _ => {}
        }
    }

    fn check_numbers(&self, problems: &mut Problems) {
        const SECOND: Duration = Duration::from_secs(1);
        if self.leeway > Duration::from_secs(600) {
            problems.add(
                "leeway",
                "is more than 10 min: expired tokens would be accepted for that long; set the clocks instead",
            );
        }
        if self.max_token_bytes == 0 || self.max_token_bytes > 1024 * 1024 {
            problems.add("max_token_bytes", "must be between 1 byte and 1 MiB");
        }
        if self.token_cache_capacity > 10_000_000 {
            problems.add("token_cache_capacity", "is more than 10,000,000 tokens");
        }
        for (setting, span) in [
            ("key_set_lifetime", self.key_set_lifetime),
            ("key_set_cooldown", self.key_set_cooldown),
            ("metadata_lifetime", self.metadata_lifetime),
            ("outage_window", self.outage_window),
        ] {
            if span < SECOND || span > Duration::from_secs(365 * 86_400) {
                problems.add(setting, "must be between 1 s and 1 year");
            }
        }
        if self.outage_window < self.key_set_lifetime {
            problems.add("outage_window", "must not be shorter than `key_set_lifetime`");
        }
        for (setting, timeout) in [
            ("connect_timeout", self.connect_timeout),
            ("request_timeout", self.request_timeout),
        ] {
            if timeout.is_zero() || timeout > Duration::from_secs(300) {
                problems.add(setting, "must be more than 0 and at most 5 min");
            }
        }
    }

    fn checked_http_client(&self, problems: &mut Problems) -> Option<reqwest::Client> {
        if let Some(client) = &self.http_client {
            let conflicts = [
                ("root_certificates", !self.root_certificates.is_empty()),
                ("client_certificate", self.client_certificate.is_some()),
                ("proxy", self.proxy.is_some()),
                ("danger_accept_invalid_certs", self.accept_invalid_certificates),
            ];
            for (setting, _) in conflicts.into_iter().filter(|(_, is_set)| *is_set) {
                problems.add(setting, "has no effect on your own `http_client`: set it there");
            }
            return Some(client.clone());
        }
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(self.connect_timeout)
            .timeout(self.request_timeout)
            .referer(false)
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
                Err(error) => problems.add_caused("root_certificates", "is not PEM certificates", error),
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
            match reqwest::Proxy::all(proxy) {
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
                problems.add_caused("http_client", "cannot be set up", error);
                None
            }
        }
    }
}

const REALM_MISSING: &str = "is missing: set the realm's name, as in `.realm(\"acme\")`";

fn is_component_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
}

/// Why a configuration does not make a [`Keycloak`]: all of it.
#[derive(Debug)]
pub struct BuildError {
    problems: Vec<Problem>,
}

impl BuildError {
    /// Every problem, in the order of the settings.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.problems[..] {
            [problem] => write!(f, "Keycloak is not configured correctly: {problem}"),
            problems => {
                write!(f, "Keycloak is not configured correctly, in {} places:", problems.len())?;
                problems.iter().try_for_each(|problem| write!(f, "\n  - {problem}"))
            }
        }
    }
}

impl std::error::Error for BuildError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.problems
            .iter()
            .find_map(|problem| problem.source.as_ref())
            .map(|source| source as _)
    }
}

/// One problem of a configuration.
#[derive(Debug)]
#[non_exhaustive]
pub struct Problem {
    /// The setting, by the name of the builder's method or of the environment variable.
    pub setting: &'static str,
    /// What is wrong with it, and what to do.
    pub message: String,
    /// What the HTTP client says, where it is the one that refuses.
    source: Option<reqwest::Error>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.setting, self.message)
    }
}

#[derive(Default)]
struct Problems(Vec<Problem>);

impl Problems {
    fn add(&mut self, setting: &'static str, message: impl Into<String>) {
        self.0.push(Problem {
            setting,
            message: message.into(),
            source: None,
        });
    }

    fn add_caused(&mut self, setting: &'static str, message: &str, source: reqwest::Error) {
        self.0.push(Problem {
            setting,
            message: message.to_owned(),
            source: Some(source),
        });
    }

    fn required(&mut self, setting: &'static str, value: Option<&str>, example: &str) -> Option<String> {
        let value = value.filter(|value| !value.trim().is_empty());
        if value.is_none() {
            self.add(setting, format!("is missing: set it, as in {example}"));
        }
        value.map(str::to_owned)
    }

    fn no_blanks(&mut self, setting: &'static str, values: &[String]) {
        for value in values {
            if value.trim() != value || value.is_empty() {
                self.add(setting, "is empty, or has white space at its ends");
            }
        }
    }

    fn endpoint(&mut self, setting: &'static str, text: Option<&str>, realm_url: Option<&RealmUrl>) -> Option<Url> {
        let text = text?;
        match Url::parse(text) {
            Ok(url) if !matches!(url.scheme(), "https" | "http") => {
                self.add(setting, "must begin with `https://` or `http://`")
            }
            Ok(url) if !url.username().is_empty() || url.password().is_some() => {
                self.add(setting, "must not contain a user name or password");
            }
            Ok(url) if url.scheme() == "http" && realm_url.is_some_and(RealmUrl::is_https) => {
                self.add(setting, "is `http` although the server URL is `https`");
            }
            Ok(url) => return Some(url),
            Err(_) => self.add(setting, format!("is not a URL: `{}`", crate::text::shortened(text))),
        }
        None
    }
}

#[cfg(test)]
mod tests;
