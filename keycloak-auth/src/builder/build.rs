//! From settings to a [`Keycloak`], or to the list of what is wrong with them.

use std::{sync::Arc, time::Duration};

use super::{BuildError, KeycloakBuilder, address::Address, problems::Problems};
use crate::{
    ClientAuthentication, Introspection, Keycloak,
    authenticator::Authenticator,
    challenge::challenge_of,
    client_authentication::Client,
    diagnostics::{Recent, Route},
    expectations::Expectations,
    introspection::Introspector,
    keycloak::ConnectionSettings,
    metrics::Recorder,
    provider::{ConfiguredEndpoints, MetadataSource, Provider, RealmUrl, RemoteKeySet, Timing},
    token_endpoint::TokenEndpoint,
    validator::Validator,
};

impl KeycloakBuilder {
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
        let client_id = self.client_id.clone().filter(|id| !id.trim().is_empty());
        if client_id.is_none() {
            problems.missing(
                "client_id",
                "KEYCLOAK_CLIENT_ID",
                "set it, as in `.client_id(\"orders-api\")`",
            );
        }
        self.check_audiences(&mut problems);
        problems.issuers(&self.issuers);
        problems.no_blanks("authorized_party", &self.authorized_parties);
        if self.algorithms.is_empty() {
            problems.add(
                "algorithms",
                "is empty, so no token could be accepted: leave it out for RS256",
            );
        }
        self.check_numbers(&mut problems);
        self.check_key_set(&mut problems);
        let endpoints = ConfiguredEndpoints {
            jwks_uri: problems.endpoint("jwks_uri", self.jwks_uri.as_deref(), realm_url.as_ref()),
            introspection_endpoint: problems.endpoint(
                "introspection_endpoint",
                self.introspection_endpoint.as_deref(),
                realm_url.as_ref(),
            ),
            token_endpoint: problems.endpoint("token_endpoint", self.token_endpoint.as_deref(), realm_url.as_ref()),
            uses_mtls_aliases: self
                .client_authentication
                .as_ref()
                .is_some_and(ClientAuthentication::is_tls),
        };
        let client = self.client(client_id.as_deref(), realm_url.as_ref(), &mut problems);
        if !is_component_name(&self.openapi_scheme_name) {
            problems.add(
                "openapi_scheme_name",
                "must consist of letters, digits, `.`, `-` and `_`",
            );
        }
        if self.openapi_schemes.is_empty() {
            problems.add(
                "openapi_schemes",
                "is empty, so no operation would ask for a token: leave it out for all",
            );
        }
        if !is_metric_prefix(&self.metrics_prefix) {
            problems.add(
                "metrics_prefix",
                "must begin with a letter and consist of letters, digits and `_`",
            );
        }
        let http_client = self.checked_http_client(&mut problems);
        let (Some(realm_url), Some(client), Some(http_client), true) =
            (realm_url, client, http_client, problems.is_empty())
        else {
            if self.is_from_environment {
                problems.name_variables();
            }
            return Err(problems.into_error());
        };
        if self.accept_invalid_certificates {
            tracing::warn!(
                name: "keycloak.certificates_not_checked",
                target: "keycloak_auth",
                "TLS certificates of Keycloak are not checked: anybody in between can let anybody in"
            );
        }
        Ok(self.assemble(realm_url, client, endpoints, http_client))
    }

    fn assemble(
        self,
        realm_url: RealmUrl,
        client: Client,
        endpoints: ConfiguredEndpoints,
        http_client: reqwest::Client,
    ) -> Keycloak {
        let client = Arc::new(client);
        let issuers = if self.issuers.is_empty() {
            vec![realm_url.as_str().to_owned()]
        } else {
            self.issuers.into_iter().map(Address::into_text).collect()
        };
        let metrics = Recorder::new(
            self.metrics_collector.map(|collector| collector.0),
            &self.metrics_prefix,
            client.id(),
            realm_url.realm(),
            if self.introspection.covers_all() {
                "introspection"
            } else {
                "jwt"
            },
        );
        let timing = Timing {
            lifetime: self.key_set_lifetime,
            reload_ahead: Duration::from_secs(30),
            cooldown: self.key_set_cooldown,
            outage_window: self.outage_window,
        };
        let validator = Arc::new(Validator::new(
            Expectations {
                client_id: Arc::clone(client.id()),
                issuers: issuers.clone(),
                audiences: self.audience_check.then_some(self.audiences),
                algorithms: self.algorithms,
                authorized_parties: self.authorized_parties,
                leeway: self.leeway,
                max_token_bytes: self.max_token_bytes,
                completes_lightweight: self.introspection.covers_lightweight(),
            },
            self.token_cache_capacity,
        ));
        let provider = Arc::new(Provider::new(
            MetadataSource::new(realm_url.clone(), issuers.clone(), endpoints, self.metadata_lifetime),
            http_client,
            self.clock,
            self.request_timeout,
            metrics,
        ));
        let key_set = Arc::new(RemoteKeySet::new(Arc::clone(&provider), timing, self.key_set));
        let introspection = (self.introspection != Introspection::Never).then(|| {
            Arc::new(Introspector::new(
                self.introspection,
                Arc::clone(&provider),
                Arc::clone(&client),
                Arc::clone(&validator),
                Arc::clone(&key_set),
            ))
        });
        let authenticator = Authenticator::new(validator, key_set, introspection, Arc::clone(&provider));
        let token_endpoint = Arc::new(TokenEndpoint::new(Arc::clone(&provider), Arc::clone(&client)));
        let proxy = self.proxy.as_ref().map(|proxy| proxy.expose().as_str());
        let route = Route::new(&realm_url, proxy, self.http_client.is_some());
        let connection = ConnectionSettings {
            accepts_invalid_certificates: self.accept_invalid_certificates,
            route,
            #[cfg(feature = "tls-diagnostics")]
            root_certificates: self.root_certificates,
        };
        Keycloak::assemble(crate::keycloak::Parts {
            challenge: challenge_of(realm_url.realm()),
            realm_url,
            issuer: issuers.into_iter().next().unwrap_or_default(),
            client,
            error_format: self.error_format,
            #[cfg(feature = "utoipa")]
            openapi: crate::openapi::SchemeSettings {
                name: self.openapi_scheme_name,
                scopes: self.openapi_scopes,
                schemes: self.openapi_schemes,
            },
            authenticator,
            provider,
            connection,
            recent_diagnosis: Recent::default(),
            token_endpoint,
            records_enduser_id: self.record_enduser_id,
        })
    }

    fn realm_url(&self, problems: &mut Problems) -> Option<RealmUrl> {
        let realm = self.realm.as_deref().filter(|realm| !realm.trim().is_empty());
        let Some(server_url) = self.server_url.as_deref().filter(|url| !url.trim().is_empty()) else {
            problems.missing(
                "server_url",
                "KEYCLOAK_SERVER_URL",
                "set the address of Keycloak, as in `.server_url(\"https://id.example.com\")`",
            );
            if realm.is_none() {
                problems.missing("realm", "KEYCLOAK_REALM", REALM_MISSING);
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
                problems.missing("realm", "KEYCLOAK_REALM", REALM_MISSING);
                None
            }
            Err(error) => {
                problems.add("server_url", error.to_string());
                if realm.is_none() {
                    problems.missing("realm", "KEYCLOAK_REALM", REALM_MISSING);
                }
                None
            }
        }
    }

    fn check_audiences(&self, problems: &mut Problems) {
        problems.no_blanks("audience", &self.audiences);
        match (self.audience_check, self.audiences.is_empty()) {
            (true, true) => problems.missing(
                "audience",
                "KEYCLOAK_AUDIENCE",
                "name the audience that tokens for this service carry, as in `.audience(\"orders-api\")`, or opt \
                 out by `.without_audience_check()`",
            ),
            (false, false) => problems.add(
                "audience",
                "is set, but `.without_audience_check()` switches its check off: keep one of them",
            ),
            _ => {}
        }
    }

    fn check_key_set(&self, problems: &mut Problems) {
        let Some(keys) = &self.key_set else { return };
        if keys.is_empty() {
            problems.add(
                "key_set",
                "has no key that can verify a signature, so no token could be accepted",
            );
        }
        if self.jwks_uri.is_some() {
            problems.add(
                "jwks_uri",
                "has no effect on the keys of `.key_set(…)`: keep one of them",
            );
        }
        if self.introspection.covers_all() {
            problems.add("introspection", "of every token takes no keys: leave `.key_set(…)` out");
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
}

const REALM_MISSING: &str = "set the realm's name, as in `.realm(\"acme\")`";

fn is_component_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
}

fn is_metric_prefix(prefix: &str) -> bool {
    prefix.starts_with(|first: char| first.is_ascii_alphabetic())
        && prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
