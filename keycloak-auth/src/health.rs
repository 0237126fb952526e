//! Liveness and readiness, for whoever starts and stops the service.

use axum::{Json, Router, routing::get};
use http::StatusCode;
use serde_json::{Value, json};

use crate::Keycloak;

impl Keycloak {
    /// Whether tokens can be judged now: keys are at hand or, where Keycloak is asked about every token, the introspection
    /// endpoint has not failed in the last 10 s. After these it is worth another try, which takes a request.
    ///
    /// Never waits. Where there are no keys yet, fetching them begins in the background, so that a service that nobody has
    /// called so far becomes ready all the same.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let authenticator = self.authenticator();
        match authenticator.introspection() {
            Some(introspection) if !authenticator.needs_keys() => !introspection.is_failing(),
            // Where only some tokens are asked about, the others can do without the endpoint.
            Some(_) | None => authenticator.key_set().is_loaded(self.now()),
        }
    }

    /// `GET /live` and `GET /ready`, for the probes of an orchestrator; nest it where it belongs.
    ///
    /// Both answer at once and ask nobody. `/live` is 200 as long as the service answers at all: restarting it does not
    /// bring Keycloak back. `/ready` is 503 until tokens can be judged, and stays 200 through an outage of Keycloak that the
    /// keys at hand outlast. Neither says anything about Keycloak; for that there is
    /// [`recent_diagnosis`](Self::recent_diagnosis), in a handler with a policy:
    ///
    /// ```
    /// use axum::extract::State;
    /// use keycloak_auth::{DiagnosticReport, Keycloak, SecureRouter, keycloak, routing::get};
    ///
    /// #[keycloak(realm_roles = "admin")]
    /// async fn diagnosis(State(keycloak): State<Keycloak>) -> DiagnosticReport {
    ///     keycloak.recent_diagnosis().await
    /// }
    ///
    /// fn app(keycloak: Keycloak) -> axum::Router {
    ///     let health = axum::Router::new().nest("/health", keycloak.health_router());
    ///     SecureRouter::<Keycloak>::new()
    ///         .route("/health/keycloak", get(diagnosis))
    ///         .merge_public(health)
    ///         .secure_from_state()
    ///         .with_state(keycloak)
    /// }
    /// # let _ = app;
    /// ```
    pub fn health_router<S>(&self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let keycloak = self.clone();
        Router::new()
            .route("/live", get(async || state(StatusCode::OK, "live")))
            .route(
                "/ready",
                get(async move || {
                    if keycloak.is_ready() {
                        state(StatusCode::OK, "ready")
                    } else {
                        state(StatusCode::SERVICE_UNAVAILABLE, "not ready")
                    }
                }),
            )
    }
}

fn state(status: StatusCode, text: &str) -> (StatusCode, Json<Value>) {
    (status, Json(json!({ "status": text })))
}
