//! A real Keycloak for the tests, from the first of these that is there:
//!
//! 1. `KEYCLOAK_TEST_URL`: a running server, with `KEYCLOAK_TEST_ADMIN` and `KEYCLOAK_TEST_ADMIN_PASSWORD` (both
//!    `admin` by default). The realm gets a name of its own and is removed at the end.
//! 2. `KEYCLOAK_HOME`: an unpacked distribution. It is copied to the cache, never changed.
//! 3. Maven and Java 17 or later: the distribution by its Maven coordinates, in the version `KEYCLOAK_TEST_VERSION`.
//! 4. A container engine that answers: `docker` or `podman`.
//!
//! Distributions are kept, built, in `$XDG_CACHE_HOME/keycloak-auth` or `~/.cache/keycloak-auth`. `KC_FEATURES` reaches
//! the server (older versions need `token-exchange,dpop`); other settings of a Keycloak in the environment do not.

mod container;
mod distribution;
mod files;
mod process;

use std::{
    env, fmt,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use serde_json::{Value, json};

use crate::{
    Admin, Https, Realm, http_client,
    keycloak::{
        container::{Container, Engine},
        distribution::{Distribution, Server},
    },
    random_hex,
    realm::{ACME, renamed},
};

const VERSION: &str = "26.7.3";
/// User and password of the administrator of every server that is started here; it listens on loopback only.
const ADMIN: &str = "admin";
/// The attribute that marks realms of tests on a server that is not ours, with the time they were made.
const MARK: &str = "keycloakAuthTests";
const LEFT_BEHIND: Duration = Duration::from_secs(2 * 60 * 60);

/// A running Keycloak with the realm of the tests in it.
pub struct Keycloak {
    source: String,
    version: String,
    admin: Admin,
    realm: Realm,
    /// Realms on a server that is not ours, to be removed in the end.
    guests: Mutex<Vec<String>>,
    running: tokio::sync::Mutex<Running>,
}

enum Running {
    Remote,
    Distribution(Server),
    Container(Container),
}

/// Why there is no Keycloak.
#[derive(Debug)]
pub enum StartError {
    /// None of the sources is there; the text says what to install.
    NoSource(String),
    /// A source is there, and did not give a server.
    Failed(anyhow::Error),
}

impl Keycloak {
    /// Starts the server, or connects to it, and imports the realm.
    pub async fn start() -> Result<Self, StartError> {
        let (source, running, url) = find_server().await?;
        Self::connect(source, running, url).await.map_err(StartError::Failed)
    }

    async fn connect(source: String, running: Running, url: String) -> Result<Self> {
        let remote = matches!(running, Running::Remote);
        let setting = |name| env::var(name).ok().filter(|_| remote);
        let user = setting("KEYCLOAK_TEST_ADMIN").unwrap_or_else(|| ADMIN.to_owned());
        let password = setting("KEYCLOAK_TEST_ADMIN_PASSWORD").unwrap_or_else(|| ADMIN.to_owned());
        let admin = Admin::new(&url, &user, &password);
        let version = admin.server_version().await?;
        if remote {
            remove_left_behind(&admin).await?;
        }
        let file = ACME.clone();
        let file = if remote {
            marked(renamed(&file, &format!("acme-{}", random_hex(4))))
        } else {
            file
        };
        let realm = Realm::import(&admin, file).await?;
        let guests = remote.then(|| realm.name().to_owned());
        Ok(Self {
            source,
            version,
            admin,
            realm,
            guests: Mutex::new(guests.into_iter().collect()),
            running: tokio::sync::Mutex::new(running),
        })
    }

    /// The realm of [`ACME`]. Tests that change a realm make one of their own.
    pub fn realm(&self) -> &Realm {
        &self.realm
    }

    /// A copy of the realm under another name, for a test that changes it.
    pub async fn realm_of_its_own(&self, label: &str) -> Result<Realm> {
        self.import(self.realm.file(), label).await
    }

    /// The realm of another file, under a name that no other realm of the server has.
    pub async fn import(&self, file: &Value, label: &str) -> Result<Realm> {
        let name = format!("{}-{label}", self.realm.name());
        let mut file = renamed(file, &name);
        let remote = matches!(*self.running.lock().await, Running::Remote);
        if remote {
            file = marked(file);
            self.guests.lock().unwrap_or_else(PoisonError::into_inner).push(name);
        }
        Realm::import(&self.admin, file).await
    }

    pub fn admin(&self) -> &Admin {
        &self.admin
    }

    pub fn version(&self) -> &str {
        &self.version
    }

    /// The address by which clients may show certificates: only a server that was started from a distribution has it.
    pub async fn https(&self) -> Option<Https> {
        match &*self.running.lock().await {
            Running::Distribution(server) => Some(server.https()),
            Running::Remote | Running::Container(_) => None,
        }
    }

    /// Whether the server can be stopped and started again: only one that was started from a distribution.
    pub async fn can_restart(&self) -> bool {
        matches!(*self.running.lock().await, Running::Distribution(_))
    }

    /// Stops the server; its port refuses connections when this returns.
    pub async fn stop(&self) -> Result<()> {
        let mut running = self.running.lock().await;
        let Running::Distribution(server) = &mut *running else {
            bail!("this server was not started from a distribution");
        };
        tokio::task::block_in_place(|| server.stop());
        Ok(())
    }

    /// Ends the server as a crash would; its port refuses connections when this returns.
    pub async fn kill(&self) -> Result<()> {
        let mut running = self.running.lock().await;
        let Running::Distribution(server) = &mut *running else {
            bail!("this server was not started from a distribution");
        };
        tokio::task::block_in_place(|| server.kill());
        Ok(())
    }

    /// Starts the stopped server on the same port with the same data; it is ready when this returns.
    pub async fn start_again(&self) -> Result<()> {
        let mut running = self.running.lock().await;
        let Running::Distribution(server) = &mut *running else {
            bail!("this server was not started from a distribution");
        };
        server.start_again().await
    }

    /// Stops the server and starts it again with an expired certificate; who needs a good one stops it afterwards.
    pub async fn start_again_with_expired_certificate(&self) -> Result<()> {
        let mut running = self.running.lock().await;
        let Running::Distribution(server) = &mut *running else {
            bail!("this server was not started from a distribution");
        };
        server.start_again_until(2021).await
    }

    /// The full export of a realm with its users, by `kc.sh export`; the server is started again afterwards.
    pub async fn export(&self, realm: &Realm) -> Result<String> {
        let mut running = self.running.lock().await;
        let Running::Distribution(server) = &mut *running else {
            bail!("this server was not started from a distribution");
        };
        let exported = server.export(realm.name()).await?;
        server.start_again().await?;
        Ok(exported)
    }

    /// Starts the server again where a test has left it stopped.
    pub(crate) async fn ensure_running(&self) -> Result<()> {
        let mut running = self.running.lock().await;
        match &mut *running {
            Running::Distribution(server) if !server.is_running() => server.start_again().await,
            Running::Distribution(_) | Running::Remote | Running::Container(_) => Ok(()),
        }
    }

    /// Ends the server, or takes the realms away from one that is not ours; where asked for, the log stays.
    pub async fn end(self, keep_log: bool) -> Option<PathBuf> {
        match self.running.into_inner() {
            Running::Remote => {
                let guests = self.guests.into_inner();
                for realm in guests.unwrap_or_else(PoisonError::into_inner) {
                    if let Err(error) = self.admin.delete_realm(&realm).await {
                        eprintln!("the realm `{realm}` could not be removed: {error:#}");
                    }
                }
                None
            }
            Running::Distribution(server) if keep_log => Some(server.end_and_keep_log()),
            Running::Container(container) if keep_log => Some(container.end_and_keep_log()),
            Running::Distribution(_) | Running::Container(_) => None,
        }
    }

    /// The file that the server writes its log to, while it runs.
    pub async fn log_file(&self) -> Option<PathBuf> {
        match &*self.running.lock().await {
            Running::Remote => None,
            Running::Distribution(server) => Some(server.log_file()),
            Running::Container(container) => Some(container.log_file()),
        }
    }
}

/// The version and the source, as in "Keycloak 26.7.3 (Maven)".
impl fmt::Display for Keycloak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keycloak {} ({})", self.version, self.source)
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSource(reason) => f.write_str(reason),
            Self::Failed(error) => write!(f, "{error:#}"),
        }
    }
}

/// A source that the user names must work; one that merely happens to be there gives way to the next.
async fn find_server() -> Result<(String, Running, String), StartError> {
    let mut missing = Vec::new();
    if let Some(url) = setting("KEYCLOAK_TEST_URL") {
        let url = url.trim_end_matches('/').to_owned();
        return Ok(("KEYCLOAK_TEST_URL".to_owned(), Running::Remote, url));
    }
    if let Some(home) = setting("KEYCLOAK_HOME") {
        let server = server_of_home(Path::new(&home)).await;
        let server = server.context("KEYCLOAK_HOME").map_err(StartError::Failed)?;
        let url = server.url();
        return Ok(("KEYCLOAK_HOME".to_owned(), Running::Distribution(server), url));
    }
    let version = setting("KEYCLOAK_TEST_VERSION").unwrap_or_else(|| VERSION.to_owned());
    match check_maven().and_then(|()| check_java()) {
        Err(reason) => missing.push(reason.to_string()),
        Ok(()) => match Distribution::from_maven(&version).await {
            Err(error) => missing.push(format!("{error:#}")),
            Ok(distribution) => {
                let server = distribution.start().await.map_err(StartError::Failed)?;
                let url = server.url();
                return Ok(("Maven".to_owned(), Running::Distribution(server), url));
            }
        },
    }
    match Engine::find() {
        None => missing.push("no container engine answers".to_owned()),
        Some(engine) => {
            let container = engine.start(&version).await.map_err(StartError::Failed)?;
            let url = container.url();
            return Ok((engine.name().to_owned(), Running::Container(container), url));
        }
    }
    Err(StartError::NoSource(format!(
        "no Keycloak: {}. Install Java 17 or later and Maven, or set KEYCLOAK_HOME to an unpacked distribution, or \
         KEYCLOAK_TEST_URL to a running server, or start docker or podman",
        missing.join("; ")
    )))
}

async fn server_of_home(home: &Path) -> Result<Server> {
    check_java()?;
    Distribution::unpacked(home).await?.start().await
}

fn setting(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn check_maven() -> Result<()> {
    ensure!(cfg!(unix), "a distribution is only run on Unix");
    let output = distribution::maven().arg("--version").output();
    match output {
        Ok(output) if output.status.success() => Ok(()),
        _ => Err(anyhow!("Maven (`mvn`) is not installed")),
    }
}

/// Looks for Java where `kc.sh` does.
fn check_java() -> Result<()> {
    ensure!(cfg!(unix), "a distribution is only run on Unix");
    let java = setting("JAVA_HOME").map_or_else(|| PathBuf::from("java"), |home| Path::new(&home).join("bin/java"));
    let output = Command::new(&java)
        .arg("-version")
        .output()
        .map_err(|_| anyhow!("Java 17 or later is not installed"))?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    match java_major_version(&text) {
        Some(17..) => Ok(()),
        Some(old) => Err(anyhow!("Java {old} is too old, Keycloak needs 17 or later")),
        None => Err(anyhow!("`{} -version` names no version", java.display())),
    }
}

/// From the line `openjdk version "17.0.15" 2025-04-15`.
fn java_major_version(text: &str) -> Option<u32> {
    let version = text.split_once("version \"")?.1;
    let digits = version.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

/// Asks until the realm `master` answers, the process has ended or the time is over.
async fn wait_until_ready(url: &str, limit: Duration, exit_status: impl Fn() -> Option<String>) -> Result<()> {
    let client = http_client();
    let discovery = format!("{url}/realms/master/.well-known/openid-configuration");
    let deadline = Instant::now() + limit;
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    loop {
        ticks.tick().await;
        if let Some(status) = exit_status() {
            bail!("Keycloak ended with exit status {status} while it started");
        }
        let answer = client.get(&discovery).send().await;
        if answer.is_ok_and(|answer| answer.status().is_success()) {
            return Ok(());
        }
        ensure!(
            Instant::now() < deadline,
            "Keycloak was not ready at {url} within {} s",
            limit.as_secs()
        );
    }
}

fn marked(mut file: Value) -> Value {
    file["attributes"][MARK] = json!(now().to_string());
    file
}

/// Removes what an interrupted run left on a server that is not ours.
async fn remove_left_behind(admin: &Admin) -> Result<()> {
    for realm in admin.realms().await? {
        let made = realm["attributes"][MARK].as_str().unwrap_or_default();
        let Ok(made) = made.parse::<u64>() else {
            continue;
        };
        if made + LEFT_BEHIND.as_secs() < now()
            && let Some(name) = realm["realm"].as_str()
        {
            admin.delete_realm(name).await?;
        }
    }
    Ok(())
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_major_version_of_java() {
        for (text, version) in [
            ("openjdk version \"17.0.15\" 2025-04-15", Some(17)),
            ("java version \"1.8.0_402\"", Some(1)),
            ("openjdk version \"25\" 2025-09-16", Some(25)),
            ("command not found", None),
        ] {
            assert_eq!(java_major_version(text), version, "{text}");
        }
    }
}
