//! Flags, and the address to open.
//!
//! ```sh
//! cargo run -p orders                                               # with a realm of its own
//! cargo run -p orders -- --keycloak-url https://id.example.com      # with a Keycloak that imported realm.json
//! ```

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use clap::Parser;
use keycloak_auth::{
    Keycloak, OpenApiScheme,
    dev::{DevRealm, RunningDevRealm},
};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

/// A small, complete service with Swagger UI, behind Keycloak.
#[derive(Parser)]
#[command(version)]
struct Flags {
    /// Where to serve.
    #[arg(long, env = "LISTEN", default_value = "127.0.0.1:3000")]
    listen: SocketAddr,

    /// A Keycloak into which the realm file was imported [default: the embedded development realm].
    #[arg(long, env = "KEYCLOAK_SERVER_URL")]
    keycloak_url: Option<String>,

    /// The realm, in Keycloak's export format [default: the realm.json beside this program's source].
    #[arg(long, env = "REALM_FILE")]
    realm_file: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let flags = Flags::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).init();

    let realm = realm(flags.realm_file.as_deref())?;
    let name = realm.name().to_owned();
    let users = login_lines(&realm);
    let someone = realm
        .users()
        .find_map(|user| Some((user.username().to_owned(), user.password()?.to_owned())));
    let (embedded, server_url) = match flags.keycloak_url {
        Some(url) => (None, url),
        None => {
            let running = realm.start().await.context("cannot start the embedded realm")?;
            let url = running.server_url().to_owned();
            (Some(running), url)
        }
    };
    let keycloak = Keycloak::builder()
        .server_url(server_url)
        .realm(name)
        .client_id("orders-api")
        .audience("orders-api")
        // Swagger UI would make a form of each grant that the discovery document lists.
        .openapi_schemes([OpenApiScheme::OAuth2, OpenApiScheme::Bearer])
        .build()?;

    if embedded.is_none() {
        // The service would start all the same, and serve as soon as Keycloak is there.
        let report = keycloak.diagnose().await;
        if !report.is_healthy() {
            eprintln!("{report}");
        }
    }

    let listener = TcpListener::bind(flags.listen).await.with_context(|| {
        format!(
            "cannot listen on {}: choose another address with --listen",
            flags.listen
        )
    })?;
    let address = listener.local_addr()?;
    println!("Orders        http://{address}/");
    println!("Swagger UI    http://{address}/docs/");
    println!(
        "Keycloak      {}  ({})",
        keycloak.realm_url(),
        if embedded.is_some() {
            "embedded, for development"
        } else {
            "by --keycloak-url or KEYCLOAK_SERVER_URL; without either, one is embedded"
        }
    );
    // Those of the file are those of the embedded realm. What another Keycloak has is nothing to print.
    if embedded.is_some() {
        println!("\nUsers and their passwords\n{users}");
    }
    if let Some((user, password)) = someone.filter(|_| embedded.is_some()) {
        println!("\nIn a terminal\n  {}", curl(&keycloak, address, &user, &password));
    }
    println!("\nCtrl-C ends it.");

    axum::serve(listener, orders::app(keycloak.clone()))
        .with_graceful_shutdown(interrupted())
        .await?;
    keycloak.close().await;
    if let Some(embedded) = embedded {
        RunningDevRealm::close(embedded).await;
    }
    println!("bye");
    Ok(())
}

/// The realm of the given file, or the one that this program carries.
fn realm(file: Option<&Path>) -> Result<DevRealm> {
    match file {
        Some(file) => DevRealm::from_file(file).with_context(|| format!("cannot use {}", file.display())),
        None => DevRealm::from_json(include_str!("../realm.json")).context("cannot use the realm.json of this example"),
    }
}

fn login_lines(realm: &DevRealm) -> String {
    realm
        .users()
        .filter_map(|user| Some(format!("  {:<8} {}", user.username(), user.password()?)))
        .collect::<Vec<_>>()
        .join("\n")
}

/// One line that logs in and calls the service.
fn curl(keycloak: &Keycloak, address: SocketAddr, user: &str, password: &str) -> String {
    format!(
        "curl -s http://{address}/orders -H \"Authorization: Bearer $(curl -s {}/protocol/openid-connect/token \\\n    \
         -d grant_type=password -d client_id=orders-web -d username={user} -d password={password} \\\n    \
         | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')\"",
        keycloak.realm_url()
    )
}

/// Ctrl-C.
async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Without the signal there is nothing to wait for: serve until killed.
        std::future::pending::<()>().await;
    }
}
