//! Metrics: their names, and the collector that a service plugs in.

use std::{fmt, sync::Arc, time::Duration};

use crate::{AuthError, challenge::Answer};

/// Tokens that were validated, successfully or not.
pub const TOKEN_VALIDATION_TOTAL: &str = "fc_kc_token_validation_total";
/// Tokens that were accepted.
pub const TOKEN_VALIDATION_SUCCESS_TOTAL: &str = "fc_kc_token_validation_success_total";
/// Tokens that were refused; with the tag `error_code`.
pub const TOKEN_VALIDATION_FAILURE_TOTAL: &str = "fc_kc_token_validation_failure_total";
/// How long fetching the keys took, discovery included, in milliseconds.
pub const JWKS_FETCH_LATENCY_MS: &str = "fc_kc_jwks_fetch_latency_ms";
/// How long exchanging a refresh token took, in milliseconds.
pub const TOKEN_REFRESH_LATENCY_MS: &str = "fc_kc_token_refresh_latency_ms";
/// Refresh tokens that were used, successfully or not.
pub const TOKEN_REFRESH_TOTAL: &str = "fc_kc_token_refresh_total";
/// Refresh tokens that brought new tokens.
pub const TOKEN_REFRESH_SUCCESS_TOTAL: &str = "fc_kc_token_refresh_success_total";
/// Refresh tokens that did not; with the tag `error_code`.
pub const TOKEN_REFRESH_FAILURE_TOTAL: &str = "fc_kc_token_refresh_failure_total";
/// Requests that a policy would have refused in a router that only reports; with the tags `handler` and `error_code`.
pub const POLICY_WOULD_DENY_TOTAL: &str = "fc_kc_policy_would_deny_total";
/// Everything that went wrong; with the tag `error_code`.
pub const ERRORS_TOTAL: &str = "fc_kc_errors_total";

/// Receives the metrics of a [`Keycloak`](crate::Keycloak).
///
/// Called on the way of a request, so it must neither block nor panic. No tag ever carries a user, a token or a path.
///
/// ```
/// use keycloak_auth::metrics::{MetricsCollector, Tag};
///
/// struct Printed;
///
/// impl MetricsCollector for Printed {
///     fn increment_counter(&self, name: &'static str, tags: &[Tag<'_>]) {
///         println!("{name} {tags:?}");
///     }
///     fn observe_histogram(&self, name: &'static str, tags: &[Tag<'_>], value: f64) {
///         println!("{name} {tags:?} {value}");
///     }
/// }
/// ```
pub trait MetricsCollector: Send + Sync + 'static {
    /// Adds one to a counter.
    fn increment_counter(&self, name: &'static str, tags: &[Tag<'_>]);

    /// Records a value; the unit is in the metric's name.
    fn observe_histogram(&self, name: &'static str, tags: &[Tag<'_>], value: f64);
}

/// A tag's name and value.
pub type Tag<'a> = (&'static str, &'a str);

/// The collector, if any, with the tags that every metric has.
#[derive(Clone, Default)]
pub(crate) struct Recorder {
    collector: Option<Arc<dyn MetricsCollector>>,
    client_id: Arc<str>,
    realm: Arc<str>,
}

impl Recorder {
    pub(crate) fn new(collector: Option<Arc<dyn MetricsCollector>>, client_id: &str, realm: &str) -> Self {
        Self {
            collector,
            client_id: client_id.into(),
            realm: realm.into(),
        }
    }

    pub(crate) fn token_accepted(&self) {
        let Some(collector) = &self.collector else { return };
        let tags = [
            ("method", "jwt"),
            ("client_id", &*self.client_id),
            ("realm", &*self.realm),
        ];
        collector.increment_counter(TOKEN_VALIDATION_TOTAL, &tags);
        collector.increment_counter(TOKEN_VALIDATION_SUCCESS_TOTAL, &tags);
    }

    pub(crate) fn token_refused(&self, error_code: &'static str) {
        let Some(collector) = &self.collector else { return };
        let tags = [
            ("method", "jwt"),
            ("client_id", &*self.client_id),
            ("realm", &*self.realm),
            ("error_code", error_code),
        ];
        collector.increment_counter(TOKEN_VALIDATION_TOTAL, &tags[..3]);
        collector.increment_counter(TOKEN_VALIDATION_FAILURE_TOTAL, &tags);
        collector.increment_counter(ERRORS_TOTAL, &tags[1..]);
    }

    pub(crate) fn policy_would_deny(&self, handler: &'static str, error_code: &'static str) {
        let Some(collector) = &self.collector else { return };
        let tags = [
            ("client_id", &*self.client_id),
            ("realm", &*self.realm),
            ("handler", handler),
            ("error_code", error_code),
        ];
        collector.increment_counter(POLICY_WOULD_DENY_TOTAL, &tags);
    }

    pub(crate) fn token_refreshed(&self, took: Duration, error: Option<&AuthError>) {
        let Some(collector) = &self.collector else { return };
        let tags = [
            ("client_id", &*self.client_id),
            ("realm", &*self.realm),
            ("error_code", error.map_or("", |error| Answer::to(error).code)),
        ];
        let (own, all) = (&tags[..2], &tags[..]);
        let milliseconds = took.as_secs_f64() * 1000.0;
        collector.increment_counter(TOKEN_REFRESH_TOTAL, own);
        match error {
            None => {
                collector.observe_histogram(TOKEN_REFRESH_LATENCY_MS, own, milliseconds);
                collector.increment_counter(TOKEN_REFRESH_SUCCESS_TOTAL, own);
            }
            Some(_) => {
                collector.observe_histogram(TOKEN_REFRESH_LATENCY_MS, all, milliseconds);
                collector.increment_counter(TOKEN_REFRESH_FAILURE_TOTAL, all);
                collector.increment_counter(ERRORS_TOTAL, all);
            }
        }
    }

    pub(crate) fn key_set_fetched(&self, took: Duration, succeeded: bool) {
        let Some(collector) = &self.collector else { return };
        let tags = [
            ("client_id", &*self.client_id),
            ("realm", &*self.realm),
            ("error_code", "keycloak_connection_error"),
        ];
        collector.observe_histogram(
            JWKS_FETCH_LATENCY_MS,
            if succeeded { &tags[..2] } else { &tags },
            took.as_secs_f64() * 1000.0,
        );
        if !succeeded {
            collector.increment_counter(ERRORS_TOTAL, &tags);
        }
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("has_collector", &self.collector.is_some())
            .finish_non_exhaustive()
    }
}
