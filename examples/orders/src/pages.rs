//! The landing page, the health of Keycloak, Swagger UI, and two pages for some.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{Json, extract::State, http::StatusCode, response::Html};
use keycloak_auth::{DiagnosticReport, Keycloak, KeycloakUser, keycloak};
use tokio::sync::Mutex;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::{Config, SwaggerUi, oauth};

/// The page for people who open the address
#[keycloak(public)]
#[utoipa::path(get, path = "/", tag = "service", responses((status = 200, description = "A page with links", content_type = "text/html")))]
pub(crate) async fn landing() -> Html<&'static str> {
    Html(include_str!("landing.html"))
}

/// How long a diagnosis is shown before another one is made: everybody may ask for it, and it asks Keycloak.
const SHOWN_FOR: Duration = Duration::from_secs(5);

/// The last diagnosis.
#[derive(Clone, Default)]
pub(crate) struct Diagnosis(Arc<Mutex<Option<(Instant, DiagnosticReport)>>>);

/// Is Keycloak there, and is all as it should be?
#[keycloak(public)]
#[utoipa::path(
    get,
    path = "/health/keycloak",
    tag = "service",
    responses(
        (status = 200, description = "Tokens can be judged; warnings may be there", body = DiagnosticReport),
        (status = 503, description = "Something fails, with what to do", body = DiagnosticReport),
    )
)]
pub(crate) async fn health(
    State(keycloak): State<Keycloak>,
    State(Diagnosis(last)): State<Diagnosis>,
) -> (StatusCode, Json<DiagnosticReport>) {
    let mut last = last.lock().await;
    if last.as_ref().is_none_or(|(made, _)| made.elapsed() > SHOWN_FOR) {
        *last = Some((Instant::now(), keycloak.diagnose().await));
    }
    let (_, report) = last.clone().expect("made above");
    let status = if report.is_healthy() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(report))
}

/// For administrators, and for who is on call
#[keycloak(roles = "admin", groups = "/ops", any)]
#[utoipa::path(get, path = "/ops", tag = "office", responses((status = 200, description = "A greeting", body = String)))]
pub(crate) async fn ops(user: KeycloakUser) -> String {
    format!("All systems up, {}.", user.given_name().unwrap_or("operator"))
}

/// For auditors
#[keycloak(realm_roles = "auditor")]
#[utoipa::path(get, path = "/reports", tag = "office", responses((status = 200, description = "A report", body = String)))]
pub(crate) async fn reports() -> &'static str {
    "Two orders, no complaints."
}

/// Swagger UI at `/docs/`, logging in by the client of the web page with PKCE, and the document at `/openapi.json`.
pub(crate) fn swagger_ui(document: OpenApi) -> SwaggerUi {
    SwaggerUi::new("/docs")
        .url("/openapi.json", document)
        .config(
            Config::default()
                .try_it_out_enabled(true)
                .persist_authorization(false)
                // `x-keycloak-policy`.
                .show_extensions(true)
                .doc_expansion("list"),
        )
        .oauth(
            oauth::Config::new()
                .client_id("orders-web")
                .scopes(vec!["openid".to_owned()])
                .use_pkce_with_authorization_code_grant(true),
        )
}
