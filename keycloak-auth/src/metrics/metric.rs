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
    /// 1 while an endpoint of Keycloak does not answer rightly.
    ProviderOutage,
    /// How long one request to Keycloak took, in milliseconds.
    ProviderRequestLatency,
    /// Requests that a policy was asked about.
    Decisions,
    /// Requests that a policy would have refused in a router that only reports.
    PolicyWouldDeny,
    /// Tokens that were refused, attempts to fetch the keys that failed, grants that brought no token.
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
    pub const ALL: &'static [Self] = &[
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
        Self::ProviderRequestLatency,
        Self::Decisions,
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
            Self::ProviderRequestLatency => "provider_request_latency_ms",
            Self::Decisions => "decisions_total",
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
            | Self::JwksFetchLatency
            | Self::ProviderRequestLatency => MetricKind::Histogram,
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
            | Self::Decisions
            | Self::PolicyWouldDeny
            | Self::Errors => MetricKind::Counter,
        }
    }

    /// The names of its tags beside `client_id` and `realm`, which all have. `error_code` and `error_type` are there
    /// where something failed.
    #[must_use]
    pub const fn tags(self) -> &'static [&'static str] {
        match self {
            Self::TokenValidation | Self::TokenValidationSuccess | Self::TokenCacheHits => &["method"],
            Self::TokenValidationFailure | Self::TokenValidationLatency => &["method", "error_code"],
            Self::TokenRefreshFailure
            | Self::TokenRefreshLatency
            | Self::OidcFetchLatency
            | Self::JwksFetchLatency
            | Self::Errors => &["error_code"],
            Self::TokenRefresh
            | Self::TokenRefreshSuccess
            | Self::JwksCacheHits
            | Self::JwksCacheMisses
            | Self::JwksAge => &[],
            Self::ProviderOutage => &["endpoint"],
            Self::ProviderRequestLatency => &["endpoint", "error_type"],
            Self::Decisions => &["route", "http_method", "outcome"],
            Self::PolicyWouldDeny => &["handler", "error_code"],
        }
    }

    /// The unit of its values, as UCUM has it and OpenTelemetry wants it: `ms`, `s`, or nothing for what is counted.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match (self.kind(), self) {
            (MetricKind::Histogram, _) => "ms",
            (_, Self::JwksAge) => "s",
            (MetricKind::Counter | MetricKind::Gauge, _) => "",
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
    fn the_table_lists_every_metric_with_its_kind_unit_and_tags() {
        let table = include_str!("../docs/metrics.md");
        let rows: Vec<Vec<&str>> = table
            .lines()
            .filter(|line| line.starts_with("| `fc_kc_"))
            .map(|line| line.split('|').map(str::trim).collect())
            .collect();
        assert_eq!(rows.len(), Metric::ALL.len());
        for (metric, row) in Metric::ALL.iter().zip(rows) {
            assert_eq!(row[1], format!("`{}`", metric.name(DEFAULT_PREFIX)));
            let kind = format!("{:?}", metric.kind()).to_lowercase();
            let in_name = match metric.suffix() {
                suffix if suffix.ends_with("_ms") => "ms",
                suffix if suffix.ends_with("_seconds") => "s",
                _ => "",
            };
            assert_eq!(metric.unit(), in_name, "{metric:?}");
            let unit = if in_name.is_empty() {
                String::new()
            } else {
                format!(", {in_name}")
            };
            assert_eq!(row[2], format!("{kind}{unit}"), "{metric:?}");
            let tags: Vec<&str> = row[3].split('`').skip(1).step_by(2).collect();
            assert_eq!(tags, metric.tags(), "{metric:?}");
        }
    }

    #[test]
    fn metrics_stand_in_all_at_the_place_of_their_number() {
        for (number, metric) in Metric::ALL.iter().enumerate() {
            assert_eq!(*metric as usize, number);
        }
    }
}
