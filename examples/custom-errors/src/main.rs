//! Error bodies in a form of your own. Status and `WWW-Authenticate` stay what the RFCs say, whatever a renderer does;
//! with `--problem-details` the bodies are those of RFC 9457 instead.

use axum::{
    Json, Router,
    response::{IntoResponse, Response},
};
use keycloak_auth::{Answer, ErrorFormat, Keycloak, KeycloakUser, SecureRouter, keycloak, routing::get};
use serde_json::json;

#[keycloak(roles = "admin")]
async fn admin(user: KeycloakUser) -> String {
    format!("Hello, {}!", user.username().unwrap_or("stranger"))
}

/// The house's own form: a code in capitals, a text, and a page that explains it.
fn render(answer: &Answer) -> Response {
    Json(json!({
        "fault": answer.code.to_uppercase(),
        "text": answer.message,
        "help": format!("https://help.example.com/errors/{}", answer.code),
    }))
    .into_response()
}

fn app(format: ErrorFormat) -> Result<Router, keycloak_auth::BuildError> {
    let keycloak = Keycloak::builder().environment().error_format(format).build()?;
    Ok(SecureRouter::new().route("/admin", get(admin)).secure_with(keycloak))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let format = match std::env::args().nth(1).as_deref() {
        Some("--problem-details") => ErrorFormat::ProblemDetails,
        _ => ErrorFormat::custom(render),
    };
    let address = "127.0.0.1:3000";
    let listener = tokio::net::TcpListener::bind(address).await;
    let listener = listener.map_err(|error| format!("cannot listen on {address}: {error}"))?;
    println!("http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app(format)?).await?)
}
