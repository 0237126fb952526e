//! The landing page, the health of Keycloak, Swagger UI, and two pages for some.

use axum::{extract::State, response::Html};
use keycloak_auth::{DiagnosticReport, Keycloak, KeycloakUser, keycloak};
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::{Config, SwaggerUi, oauth};

/// The page for people who open the address
#[keycloak(public)]
#[utoipa::path(get, path = "/", tag = "service", responses((status = 200, description = "A page with links", content_type = "text/html")))]
pub(crate) async fn landing() -> Html<&'static str> {
    Html(include_str!("landing.html"))
}

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
pub(crate) async fn health(State(keycloak): State<Keycloak>) -> DiagnosticReport {
    keycloak.recent_diagnosis().await
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
