//! The settings, and the address to open.
//!
//! ```sh
//! cargo run -p port-from-fastapi      # with a realm of its own
//!
//! # with a Keycloak, into which realm.json was imported or whose names stand in the other variables:
//! KEYCLOAK_SERVER_URL=https://id.example.com cargo run -p port-from-fastapi
//! ```

use anyhow::{Context as _, Result};
use keycloak_auth::{
    Keycloak, OpenApiScheme,
    dev::{DevRealm, RunningDevRealm},
};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).init();

    // One that is empty was forgotten to be filled in, and is an error: nobody wants the embedded realm in production.
    let embedded = if std::env::var_os("KEYCLOAK_SERVER_URL").is_some() {
        None
    } else {
        let realm = DevRealm::from_json(include_str!("../realm.json"))?;
        let users = realm.users();
        let users = users.filter_map(|user| Some(format!("  {:<8} {}", user.username(), user.password()?)));
        println!("Users and their passwords\n{}\n", users.collect::<Vec<_>>().join("\n"));
        Some(realm.start().await?)
    };
    let keycloak = keycloak(embedded.as_ref())?;

    let address = std::env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:8000".to_owned());
    let listener = TcpListener::bind(&address)
        .await
        .with_context(|| format!("cannot listen on {address}: choose another address with LISTEN"))?;
    let address = listener.local_addr()?;
    println!("Service       http://{address}/");
    println!("Swagger UI    http://{address}/docs/");
    println!("Keycloak      {}", keycloak.realm_url());
    println!("Ctrl-C ends it.");

    axum::serve(listener, port_from_fastapi::app(keycloak.clone()))
        .with_graceful_shutdown(interrupted())
        .await?;
    keycloak.close().await;
    if let Some(embedded) = embedded {
        embedded.close().await;
    }
    Ok(())
}

/// What `KeycloakBuilder` was there. The audience has to be named here, and the issuer is always checked.
fn keycloak(embedded: Option<&RunningDevRealm>) -> Result<Keycloak> {
    let builder = Keycloak::builder()
        .realm("demo")
        .client_id("demo-app")
        .audience("demo-app");
    let builder = match embedded {
        Some(realm) => builder.server_url(realm.server_url()),
        None => builder.environment(),
    };
    let keycloak = builder
        .openapi_scope("openid", "The identity")
        .openapi_scope("profile", "The name")
        .openapi_scope("email", "The email address")
        // Swagger UI would make a form of each grant that the discovery document lists.
        .openapi_schemes([OpenApiScheme::OAuth2, OpenApiScheme::Bearer])
        .build()?;
    Ok(keycloak)
}

/// Ctrl-C.
async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Without the signal there is nothing to wait for: serve until killed.
        std::future::pending::<()>().await;
    }
}
