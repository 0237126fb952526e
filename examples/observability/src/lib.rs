//! A service with metrics for Prometheus.
//!
//! `/metrics` is on a port of its own, which listens to this machine only: whoever scrapes has no access token, and what the
//! metrics tell, such as which routes there are and how often they refuse, is nothing for the clients of the service. In a cluster,
//! bind it to the pod's address and leave it out of the ingress. Where there can be but one port, put it behind a policy instead.

use axum::{Router, routing};
use keycloak_auth::{
    Keycloak, KeycloakUser, SecureRouter, keycloak,
    routing::{delete, get},
};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

#[keycloak(authenticated)]
async fn orders(user: KeycloakUser) -> String {
    format!("the orders of {}", user.username().unwrap_or("a stranger"))
}

#[keycloak(roles = "admin")]
async fn delete_order() -> &'static str {
    "deleted"
}

#[keycloak(acr("2"))]
async fn payments() -> &'static str {
    "all payments"
}

/// The service.
pub fn app(keycloak: Keycloak) -> Router {
    SecureRouter::new()
        .route("/orders", get(orders))
        .route("/orders/{id}", delete(delete_order))
        .route("/payments", get(payments))
        .secure_with(keycloak)
}

/// What Prometheus scrapes.
pub fn metrics_app(prometheus: PrometheusHandle) -> Router {
    Router::new().route("/metrics", routing::get(async move || prometheus.render()))
}

/// Buckets for the latencies, in milliseconds: judging a token takes some 0.03, asking Keycloak 1 to 5,000.
pub fn buckets(builder: PrometheusBuilder) -> Result<PrometheusBuilder, BuildError> {
    const VALIDATION: [f64; 9] = [0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 10.0, 100.0, 1_000.0];
    const REQUEST: [f64; 10] = [1.0, 2.5, 5.0, 10.0, 25.0, 100.0, 250.0, 1_000.0, 2_500.0, 5_000.0];
    builder
        .set_buckets_for_metric(Matcher::Suffix("token_validation_latency_ms".to_owned()), &VALIDATION)?
        .set_buckets_for_metric(Matcher::Suffix("_latency_ms".to_owned()), &REQUEST)
}
