//! Finds out what is wrong between a service and its Keycloak, from a terminal.
//!
//! ```sh
//! cargo run -p doctor -- --server-url https://id.example.com --realm acme --client-id orders-api
//! ```
//!
//! Ends with 0 when all is well or only deserves a look, with 1 when something fails, with 2 when the flags make no sense.

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser;
use keycloak_auth::{Algorithm, ClientAuthentication, DiagnosticReport, Keycloak};
use terminal_size::{Width, terminal_size};

/// Finds out what is wrong between a service and its Keycloak.
#[derive(Parser)]
#[command(version)]
struct Flags {
    /// The address under which the service reaches Keycloak.
    #[arg(long, env = "KEYCLOAK_SERVER_URL")]
    server_url: String,

    #[arg(long, env = "KEYCLOAK_REALM")]
    realm: String,

    /// The service's client.
    #[arg(long, env = "KEYCLOAK_CLIENT_ID")]
    client_id: String,

    /// The client's secret, to find out whether Keycloak accepts it; better given by the variable, which no history keeps.
    #[arg(long, env = "KEYCLOAK_CLIENT_SECRET", hide_env_values = true)]
    client_secret: Option<String>,

    /// Instead of the secret, the file with the client's private key (PEM or JWK), for a client that signs JWTs.
    #[arg(long, value_name = "FILE", conflicts_with = "client_secret")]
    private_key: Option<PathBuf>,

    /// Instead of the secret, the file with the client's certificate and its private key (PEM).
    #[arg(long, value_name = "FILE", conflicts_with_all = ["client_secret", "private_key"])]
    client_certificate: Option<PathBuf>,

    /// A file with certificates of authorities that are trusted beside those of the system (PEM); may be given several times.
    #[arg(long, value_name = "FILE")]
    root_certificates: Vec<PathBuf>,

    /// The audience that tokens for the service carry [default: the client].
    #[arg(long, env = "KEYCLOAK_AUDIENCE")]
    audience: Option<String>,

    /// The issuer that tokens name [default: the realm's address at the server].
    #[arg(long, env = "KEYCLOAK_ISSUER")]
    issuer: Option<String>,

    /// An algorithm by which the realm signs; may be given several times [default: RS256].
    #[arg(long = "algorithm")]
    algorithms: Vec<Algorithm>,

    /// An access token, to find out whether and why it is refused.
    #[arg(long, env = "ACCESS_TOKEN", hide_env_values = true)]
    token: Option<String>,

    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let flags = Flags::parse();
    let (token, json) = (flags.token.clone(), flags.json);
    let keycloak = match configure(flags) {
        Ok(keycloak) => keycloak,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let diagnose = keycloak.diagnose();
    let report = match &token {
        Some(token) => diagnose.token(token).await,
        None => diagnose.await,
    };
    print(&report, json);
    if report.is_healthy() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn configure(flags: Flags) -> Result<Keycloak, Box<dyn Error>> {
    let mut builder = Keycloak::builder()
        .server_url(flags.server_url)
        .realm(flags.realm)
        // A variable that is set to nothing counts as absent.
        .audience(
            flags
                .audience
                .filter(|audience| !audience.is_empty())
                .unwrap_or_else(|| flags.client_id.clone()),
        )
        .client_id(flags.client_id);
    if let Some(secret) = flags.client_secret {
        builder = builder.client_secret(secret);
    }
    if let Some(file) = flags.private_key {
        builder = builder.client_authentication(ClientAuthentication::private_key_jwt(read(&file)?));
    }
    if let Some(file) = flags.client_certificate {
        builder = builder
            .client_certificate(read(&file)?)
            .client_authentication(ClientAuthentication::tls_client_auth());
    }
    for file in flags.root_certificates {
        builder = builder.root_certificates(read(&file)?);
    }
    if let Some(issuer) = flags.issuer {
        builder = builder.issuer(issuer);
    }
    if !flags.algorithms.is_empty() {
        builder = builder.algorithms(flags.algorithms);
    }
    Ok(builder.build()?)
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|error| format!("cannot read `{}`: {error}", file.display()))
}

fn print(report: &DiagnosticReport, json: bool) {
    match serde_json::to_string_pretty(report) {
        Ok(text) if json => println!("{text}"),
        _ => match terminal_size() {
            Some((Width(columns), _)) => print!("{report:0$}", usize::from(columns)),
            // A file or a pipe: whoever reads it breaks the lines.
            None => print!("{report}"),
        },
    }
}
