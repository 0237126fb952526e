//! The smallest service: one handler, one policy. Keycloak is named by `KEYCLOAK_SERVER_URL`, `KEYCLOAK_REALM`,
//! `KEYCLOAK_CLIENT_ID` and `KEYCLOAK_AUDIENCE`.

use keycloak_auth::{Keycloak, KeycloakUser, SecureRouter, keycloak, routing::get};

#[keycloak(roles = "admin", groups = "/ops", any)]
async fn hello(user: KeycloakUser) -> String {
    format!("Hello, {}!", user.username().unwrap_or("stranger"))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Shows what goes wrong, such as a Keycloak that does not answer.
    tracing_subscriber::fmt::init();
    let app = SecureRouter::new()
        .route("/hello", get(hello))
        .secure_with(Keycloak::from_env()?);
    let address = "127.0.0.1:3000";
    let listener = tokio::net::TcpListener::bind(address).await;
    let listener = listener.map_err(|error| format!("cannot listen on {address}: {error}"))?;
    println!("http://{}/hello", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}
