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

use clap::{Parser, ValueEnum};
use keycloak_auth::{Algorithm, CheckStatus, ClientAuthentication, DiagnosticReport, Introspection, Keycloak};
use terminal_size::{Width, terminal_size};

/// Finds out what is wrong between a service and its Keycloak.
#[derive(Parser)]
#[command(version)]
struct Flags {
    /// The address under which the service reaches Keycloak.
    #[arg(long, env = "KEYCLOAK_SERVER_URL")]
    server_url: String,

    /// The realm's name, as it stands in its addresses: not the display name.
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

    /// The audiences that tokens for the service carry, with commas between several [default: the client's id; the
    /// builder has no default].
    #[arg(long, env = "KEYCLOAK_AUDIENCE", value_delimiter = ',')]
    audience: Vec<String>,

    /// The issuers that tokens name, with commas between several [default: the realm's address at the server].
    #[arg(long, env = "KEYCLOAK_ISSUER", value_delimiter = ',')]
    issuer: Vec<String>,

    /// About which tokens the service asks Keycloak.
    #[arg(long, value_enum, default_value_t)]
    introspection: Asked,

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

/// `Introspection`, as words of the command line.
#[derive(Clone, Copy, Default, ValueEnum)]
enum Asked {
    #[default]
    Never,
    WhenLightweight,
    WhenOpaque,
    WhenNeeded,
    Always,
}

impl From<Asked> for Introspection {
    fn from(asked: Asked) -> Self {
        match asked {
            Asked::Never => Self::Never,
            Asked::WhenLightweight => Self::WhenLightweight,
            Asked::WhenOpaque => Self::WhenOpaque,
            Asked::WhenNeeded => Self::WhenNeeded,
            Asked::Always => Self::Always,
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let flags = Flags::parse();
    // A shell that was to fill a variable and could not leaves it empty.
    let token = flags.token.clone().filter(|token| !token.is_empty());
    let json = flags.json;
    let keycloak = match configure(flags) {
        Ok(keycloak) => keycloak,
        Err(error) => {
            eprint!("{}", with_settings(&error.to_string()));
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
    let mut audiences = names(flags.audience);
    if audiences.is_empty() {
        audiences.push(flags.client_id.clone());
    }
    let mut builder = Keycloak::builder()
        .server_url(flags.server_url)
        .realm(flags.realm)
        .client_id(flags.client_id)
        .introspection(flags.introspection.into());
    for audience in audiences {
        builder = builder.audience(audience);
    }
    // A variable that is set to nothing counts as absent.
    if let Some(secret) = flags.client_secret.filter(|secret| !secret.is_empty()) {
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
    for issuer in names(flags.issuer) {
        builder = builder.issuer(issuer);
    }
    if !flags.algorithms.is_empty() {
        builder = builder.algorithms(flags.algorithms);
    }
    Ok(builder.build()?)
}

/// As `KeycloakBuilder::environment` reads such a list: what is empty counts as absent.
fn names(list: Vec<String>) -> Vec<String> {
    let trimmed = list.iter().map(|name| name.trim().to_owned());
    trimmed.filter(|name| !name.is_empty()).collect()
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|error| format!("cannot read `{}`: {error}", file.display()))
}

fn print(report: &DiagnosticReport, json: bool) {
    match serde_json::to_string_pretty(report) {
        Ok(text) if json => println!("{text}"),
        _ => {
            match terminal_size() {
                Some((Width(columns), _)) => print!("{report:0$}", usize::from(columns)),
                // A file or a pipe: whoever reads it breaks the lines.
                None => print!("{report}"),
            }
            let advice = report.checks.iter().filter(|check| check.status > CheckStatus::Ok);
            let advice: Vec<&str> = advice.filter_map(|check| check.advice.as_deref()).collect();
            print!("{}", table_of_settings(&advice.join("\n")));
        }
    }
}

/// What is wrong with the configuration, and what its settings are called here.
fn with_settings(error: &str) -> String {
    format!("{error}\n{}", table_of_settings(error))
}

/// The settings that a text names, as a table below it; nothing where it names none.
fn table_of_settings(text: &str) -> String {
    let settings = settings_named_in(text);
    if settings.is_empty() {
        return String::new();
    }
    let mut table = "\nThe settings of the builder that are named here are, for the doctor:\n".to_owned();
    for line in settings {
        table.push_str(&format!("  {line}\n"));
    }
    table
}

/// What a text calls by the methods of the builder, as flags and variables.
fn settings_named_in(text: &str) -> Vec<String> {
    const SETTINGS: [(&str, &str); 11] = [
        ("server_url", "`--server-url`, `KEYCLOAK_SERVER_URL`"),
        ("realm", "`--realm`, `KEYCLOAK_REALM`"),
        ("client_id", "`--client-id`, `KEYCLOAK_CLIENT_ID`"),
        ("client_secret", "`--client-secret`, `KEYCLOAK_CLIENT_SECRET`"),
        ("client_authentication", "`--private-key`, `--client-certificate`"),
        ("client_certificate", "`--client-certificate`"),
        ("root_certificates", "`--root-certificates`"),
        ("audience", "`--audience`, `KEYCLOAK_AUDIENCE`"),
        ("issuer", "`--issuer`, `KEYCLOAK_ISSUER`"),
        ("algorithms", "`--algorithm`"),
        ("introspection", "`--introspection`"),
    ];
    let is_named = |method: &str| {
        let (called, bare) = (format!(".{method}("), format!("`{method}`"));
        text.contains(&called) || text.contains(&bare)
    };
    let named = SETTINGS.into_iter().filter(|(method, _)| is_named(method));
    named
        .map(|(method, flags)| format!("`.{method}(…)`: {flags}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    const FLAGS: [&str; 7] = [
        "doctor",
        "--server-url",
        "http://localhost:1",
        "--realm",
        "acme",
        "--client-id",
        "orders-api",
    ];

    #[test]
    fn several_audiences_and_issuers_are_read_as_the_service_reads_them() {
        let more = ["--audience", "a, b,", "--issuer", "https://one,https://two"];
        let flags = Flags::try_parse_from(FLAGS.into_iter().chain(more)).expect("flags");
        assert_eq!(names(flags.audience.clone()), ["a", "b"]);
        assert_eq!(names(flags.issuer.clone()), ["https://one", "https://two"]);
        assert_eq!(configure(flags).expect("valid").issuer(), "https://one");
        assert!(
            names(vec![String::new()]).is_empty(),
            "a variable that is set to nothing"
        );
    }

    #[test]
    fn help_says_that_the_default_of_the_audience_is_the_doctors_own() {
        let help = Flags::command().render_help().to_string();
        let said = "[default: the client's id; the builder has no default]";
        assert!(
            help.split_whitespace().collect::<Vec<_>>().join(" ").contains(said),
            "{help}"
        );
        configure(Flags::try_parse_from(FLAGS).expect("flags")).expect("an audience is presumed");
        let error = Keycloak::builder().server_url("http://localhost:1").realm("acme");
        let error = error.client_id("orders-api").build().expect_err("no audience");
        assert!(error.to_string().contains("audience"), "{error}");
    }

    #[test]
    fn introspection_takes_something_to_authenticate_by() {
        let asking = |more: &[&'static str]| {
            let flags = FLAGS
                .into_iter()
                .chain(["--introspection", "always"])
                .chain(more.iter().copied());
            configure(Flags::try_parse_from(flags).expect("flags")).map(|_| ())
        };
        asking(&["--client-secret", "hunter2"]).expect("valid");
        let error = asking(&[]).expect_err("no secret").to_string();
        assert!(error.contains("introspection is for confidential clients"), "{error}");
    }

    #[tokio::test]
    async fn advice_is_followed_by_what_its_settings_are_called_here() {
        // Nobody listens at port 1.
        let flags = Flags::try_parse_from(FLAGS).expect("flags");
        let report = configure(flags).expect("valid").diagnose().await;
        let page = report.checks.iter().filter_map(|check| check.advice.as_deref());
        let settings = settings_named_in(&page.collect::<String>());
        assert!(
            settings.contains(&"`.server_url(…)`: `--server-url`, `KEYCLOAK_SERVER_URL`".to_owned()),
            "{settings:?}\n{report}"
        );
    }
}
