//! The page for those who come from fastapi-authlib-keycloak has a line for everything that is there.

use std::collections::BTreeMap;

use keycloak_auth::metrics::{DEFAULT_PREFIX, Metric};

const PAGE: &str = include_str!("../../../keycloak-auth/src/docs/from_fastapi.md");

/// Its builder, manager, dependencies, models and metrics; its errors are in the catalogue of errors, with a test there.
const THERE: [&str; 77] = [
    "KeycloakBuilder()",
    "with_server_url",
    "with_realm",
    "with_client_id",
    "with_client_secret",
    "with_client_credentials",
    "with_audience",
    "with_issuer",
    "with_algorithms",
    "with_jwks_uri",
    "with_introspection_endpoint",
    "with_token_endpoint",
    "use_token_introspection",
    "enable_token_refresh",
    "without_ssl_verification",
    "with_cache_settings",
    "with_http_timeouts",
    "with_openapi_security_scheme",
    "with_metrics_collector",
    "build",
    "authenticate_token",
    "refresh_token",
    "get_middleware",
    "get_authorization_url",
    "get_security_scheme",
    "run_diagnostics",
    "close",
    "get_current_user",
    "require_roles",
    "require_groups",
    "KeycloakMiddleware",
    "public_paths",
    "sub",
    "username",
    "preferred_username",
    "email",
    "email_verified",
    "given_name",
    "family_name",
    "name",
    "roles",
    "groups",
    "raw_claims",
    "TokenResponse",
    "access_token",
    "expires_in",
    "refresh_expires_in",
    "token_type",
    "id_token",
    "not-before-policy",
    "session_state",
    "scope",
    "IntrospectionResult",
    "KeycloakDiagnosticResult",
    "server_url",
    "realm",
    "ssl_verification_enabled",
    "ConnectionStatus",
    "endpoint_url",
    "status",
    "message",
    "latency_ms",
    "cert_valid",
    "cert_expiry_days_remaining",
    "cert_error_details",
    "MetricsCollector",
    "increment_counter",
    "observe_histogram",
    "set_gauge",
    "fc_kc_token_validation_latency_ms",
    "fc_kc_token_validation_total",
    "fc_kc_token_validation_success_total",
    "fc_kc_token_validation_failure_total",
    "fc_kc_jwks_fetch_latency_ms",
    "fc_kc_oidc_fetch_latency_ms",
    "fc_kc_jwks_cache_hits_total",
    "fc_kc_errors_total",
];

/// What is in the first column of the tables, with the second one.
fn lines() -> BTreeMap<&'static str, &'static str> {
    let mut lines = BTreeMap::new();
    for line in PAGE.lines() {
        let Some(cells) = line.strip_prefix("| ").and_then(|line| line.strip_suffix(" |")) else {
            continue;
        };
        let (there, here) = cells.split_once(" | ").expect("two columns");
        lines.extend(there.split('`').skip(1).step_by(2).map(|word| (word, here)));
    }
    lines
}

#[test]
fn all_that_was_there_has_its_counterpart_or_a_reason() {
    let lines = lines();
    for word in THERE {
        let here = lines.get(word).copied().unwrap_or_default();
        let is_answered = here.contains("](crate::") || here.starts_with("none") || here.starts_with("the check");
        assert!(is_answered || here.contains("](macro@crate::"), "`{word}`: {here}");
    }
}

#[test]
fn metrics_have_the_names_that_they_had() {
    let lines = lines();
    let named = |name: &str| Metric::ALL.iter().find(|metric| metric.name(DEFAULT_PREFIX) == name);
    let metrics: Vec<_> = lines.iter().filter(|(there, _)| there.starts_with("fc_kc_")).collect();
    assert_eq!(metrics.len(), 13, "the original has thirteen");
    for (there, here) in metrics {
        let metric = named(there).unwrap_or_else(|| panic!("no metric `{there}`"));
        assert!(here.contains(&format!("[`{metric:?}`]")), "{there}: {here}");
    }
}
