//! The metrics by name, kind and unit.

/// The prefix of all names, unless the builder sets another one.
pub const DEFAULT_PREFIX: &str = "fc_kc";

/// A metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Metric {
    /// Tokens that were judged.
    TokenValidation,
    /// Tokens that were accepted.
    TokenValidationSuccess,
    /// Tokens that were refused.
    TokenValidationFailure,
    /// How long judging a token took that was not known already, in milliseconds.
    TokenValidationLatency,
    /// Accepted tokens that were known already.
    TokenCacheHits,
    /// Refresh tokens that were used.
    TokenRefresh,
    /// Refresh tokens that brought tokens.
    TokenRefreshSuccess,
    /// Refresh tokens that did not.
    TokenRefreshFailure,
    /// How long Keycloak took for a refresh, in milliseconds.
    TokenRefreshLatency,
    /// How long fetching the discovery document took, in milliseconds.
    OidcFetchLatency,
    /// How long fetching the keys took, in milliseconds.
    JwksFetchLatency,
    /// Tokens whose key was at hand.
    JwksCacheHits,
    /// Tokens whose key was not.
    JwksCacheMisses,
    /// The age of the keys in use, in seconds.
    JwksAge,
    /// 1 while Keycloak's keys cannot be fetched.
    ProviderOutage,
    /// Requests that a policy would have refused in a router that only reports.
    PolicyWouldDeny,
    /// Everything that went wrong.
    Errors,
}

/// What is done with a metric's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricKind {
    /// They are counted.
    Counter,
    /// Their distribution is kept.
    Histogram,
    /// The last one counts.
    Gauge,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::TokenValidation,
        Self::TokenValidationSuccess,
        Self::TokenValidationFailure,
        Self::TokenValidationLatency,
        Self::TokenCacheHits,
        Self::TokenRefresh,
        Self::TokenRefreshSuccess,
        Self::TokenRefreshFailure,
        Self::TokenRefreshLatency,
        Self::OidcFetchLatency,
        Self::JwksFetchLatency,
        Self::JwksCacheHits,
        Self::JwksCacheMisses,
        Self::JwksAge,
        Self::ProviderOutage,
        Self::PolicyWouldDeny,
        Self::Errors,
    ];

    /// The name without the prefix.
    #[must_use]
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::TokenValidation => "token_validation_total",
            Self::TokenValidationSuccess => "token_validation_success_total",
            Self::TokenValidationFailure => "token_validation_failure_total",
            Self::TokenValidationLatency => "token_validation_latency_ms",
            Self::TokenCacheHits => "token_cache_hits_total",
            Self::TokenRefresh => "token_refresh_total",
            Self::TokenRefreshSuccess => "token_refresh_success_total",
            Self::TokenRefreshFailure => "token_refresh_failure_total",
            Self::TokenRefreshLatency => "token_refresh_latency_ms",
            Self::OidcFetchLatency => "oidc_fetch_latency_ms",
            Self::JwksFetchLatency => "jwks_fetch_latency_ms",
            Self::JwksCacheHits => "jwks_cache_hits_total",
            Self::JwksCacheMisses => "jwks_cache_misses_total",
            Self::JwksAge => "jwks_age_seconds",
            Self::ProviderOutage => "provider_outage",
            Self::PolicyWouldDeny => "policy_would_deny_total",
            Self::Errors => "errors_total",
        }
    }

    /// What is done with its values.
    #[must_use]
    pub const fn kind(self) -> MetricKind {
        match self {
            Self::TokenValidationLatency
            | Self::TokenRefreshLatency
            | Self::OidcFetchLatency
            | Self::JwksFetchLatency => MetricKind::Histogram,
            Self::JwksAge | Self::ProviderOutage => MetricKind::Gauge,
            Self::TokenValidation
            | Self::TokenValidationSuccess
            | Self::TokenValidationFailure
            | Self::TokenCacheHits
            | Self::TokenRefresh
            | Self::TokenRefreshSuccess
            | Self::TokenRefreshFailure
            | Self::JwksCacheHits
            | Self::JwksCacheMisses
            | Self::PolicyWouldDeny
            | Self::Errors => MetricKind::Counter,
        }
    }

    /// The whole name.
    #[must_use]
    pub fn name(self, prefix: &str) -> String {
        format!("{prefix}_{}", self.suffix())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_lists_every_metric_with_its_kind() {
        let table = include_str!("../docs/metrics.md");
        for metric in Metric::ALL {
            let kind = format!("{:?}", metric.kind()).to_lowercase();
            let row = format!("| `{}` | {kind}", metric.name(DEFAULT_PREFIX));
            assert!(table.contains(&row), "{row}");
        }
    }

    #[test]
    fn metrics_stand_in_all_at_the_place_of_their_number() {
        for (number, metric) in Metric::ALL.into_iter().enumerate() {
            assert_eq!(metric as usize, number);
        }
    }
}
