//! A Keycloak distribution, built once and kept in a cache, from which every run gets a home of its own in no time.
//!
//! The first start of a distribution builds it (half a minute) and creates the database with the realm `master`
//! (eight seconds). Both are done once and kept; a run links the built libraries and copies the small database.

use std::{
    env,
    ffi::OsStr,
    fs::{self, File},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use tempfile::TempDir;

use super::{
    ADMIN, files, free_port,
    process::{self, Process},
    wait_until_ready,
};
use crate::{Authority, Https};

/// Changes whenever the content of a prepared distribution does.
const RECIPE: &str = "2";
const ARTIFACT: &str = "keycloak-quarkus-dist";
const BUILD_AND_FIRST_START: Duration = Duration::from_secs(300);
const START: Duration = Duration::from_secs(180);

/// A distribution in the cache: built, with the data of a fresh server in `seed`.
pub(super) struct Distribution {
    home: PathBuf,
}

impl Distribution {
    /// The distribution that the user has unpacked; it is copied, never changed.
    pub(super) async fn unpacked(home: &Path) -> Result<Self> {
        ensure!(
            home.join("bin/kc.sh").is_file(),
            "`{}` is not an unpacked Keycloak distribution: it has no `bin/kc.sh`",
            home.display()
        );
        let name = format!("unpacked-{:016x}", fingerprint(home)?);
        Self::prepare(&name, |directory| files::copy_tree(home, directory)).await
    }

    /// The distribution by its Maven coordinates.
    pub(super) async fn from_maven(version: &str) -> Result<Self> {
        let name = format!("keycloak-{version}");
        Self::prepare(&name, |directory| {
            download(version, directory)?;
            Ok(())
        })
        .await
    }

    /// Prepares in a directory beside the final one and renames it, so that the cache never holds half a distribution
    /// and two processes may do this at the same time.
    async fn prepare(name: &str, fill: impl FnOnce(&Path) -> Result<()>) -> Result<Self> {
        let cache = cache_directory()?;
        let features = env::var("KC_FEATURES").unwrap_or_default();
        let features = features.replace(|c: char| !c.is_ascii_alphanumeric() && c != '-', "_");
        let home = cache.join(format!("{name}-{RECIPE}{features}"));
        if home.is_dir() {
            return Ok(Self { home });
        }
        fs::create_dir_all(&cache)?;
        let work = TempDir::with_prefix_in(".preparing-", &cache)?;
        let fresh = work.path().join("home");
        fill(&fresh)?;
        build(&fresh, work.path()).await?;
        if let Err(error) = fs::rename(&fresh, &home) {
            ensure!(
                home.is_dir(),
                "cannot keep the distribution at `{}`: {error}",
                home.display()
            );
        }
        Ok(Self { home })
    }

    /// A server of its own, with fresh data.
    pub(super) async fn start(&self) -> Result<Server> {
        let run = TempDir::with_prefix("keycloak-auth-")?;
        let home = run.path().join("home");
        fs::create_dir_all(home.join("bin"))?;
        fs::copy(self.home.join("bin/kc.sh"), home.join("bin/kc.sh"))?;
        files::copy_tree(&self.home.join("conf"), &home.join("conf"))?;
        files::copy_tree(&self.home.join("seed"), &home.join("data"))?;
        for shared in ["lib", "providers", "themes"] {
            files::link(&self.home.join(shared), &home.join(shared))?;
        }
        let authority = Arc::new(Authority::default());
        let mut attempts = 0;
        loop {
            let ports = Ports::free()?;
            match Server::launch(&home, run.path(), &authority, GOOD_UNTIL, ports, START).await {
                Ok(process) => {
                    return Ok(Server {
                        process: Some(process),
                        run,
                        ports,
                        authority,
                    });
                }
                // Another process may have taken the port in the meantime.
                Err(_) if attempts < 2 && port_is_taken(run.path()) => attempts += 1,
                Err(error) => {
                    let log = process::log_file(&run.keep());
                    return Err(error.context(format!("its log is `{}`", log.display())));
                }
            }
        }
    }
}

/// The year whose first day is the last of the server's certificate.
const GOOD_UNTIL: i32 = 2100;

/// A running server with a home of its own, which goes with it.
pub(super) struct Server {
    // Before the directory: the process ends first, and uses it until then.
    process: Option<Process>,
    run: TempDir,
    ports: Ports,
    authority: Arc<Authority>,
}

#[derive(Clone, Copy)]
struct Ports {
    http: u16,
    https: u16,
}

impl Ports {
    fn free() -> Result<Self> {
        Ok(Self {
            http: free_port()?,
            https: free_port()?,
        })
    }
}

impl Server {
    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.http)
    }

    /// Where the server asks its clients for certificates.
    pub(super) fn https(&self) -> Https {
        Https {
            url: format!("https://127.0.0.1:{}", self.ports.https),
            authority: Arc::clone(&self.authority),
        }
    }

    pub(super) fn log_file(&self) -> PathBuf {
        process::log_file(self.run.path())
    }

    pub(super) fn is_running(&self) -> bool {
        self.process.is_some()
    }

    pub(super) fn stop(&mut self) {
        self.process = None;
    }

    pub(super) fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            process.kill();
        }
    }

    /// Starts again on the same ports with the same data.
    pub(super) async fn start_again(&mut self) -> Result<()> {
        self.start_again_until(GOOD_UNTIL).await
    }

    /// The same, with a certificate that is valid until the first day of that year.
    pub(super) async fn start_again_until(&mut self, until: i32) -> Result<()> {
        self.stop();
        let (run, home) = (self.run.path(), self.run.path().join("home"));
        self.process = Some(Self::launch(&home, run, &self.authority, until, self.ports, START).await?);
        Ok(())
    }

    /// Stops the server and exports a realm from its data.
    ///
    /// In the profile of `start-dev` the distribution is not built again, which would change the one in the cache. The
    /// command goes on as a server then, so it is ended when the file is whole.
    pub(super) async fn export(&mut self, realm: &str) -> Result<String> {
        self.stop();
        let kc = self.run.path().join("home/bin/kc.sh");
        let file = self.run.path().join("export.json");
        let port = free_port()?.to_string();
        let process = Process::spawn(
            &[
                kc.as_os_str(),
                OsStr::new("--profile=dev"),
                OsStr::new("export"),
                OsStr::new("--optimized"),
                OsStr::new("--realm"),
                OsStr::new(realm),
                OsStr::new("--file"),
                file.as_os_str(),
            ],
            &[
                ("JAVA_OPTS_APPEND", OsStr::new("-XX:TieredStopAtLevel=1")),
                ("KC_HTTP_HOST", OsStr::new("127.0.0.1")),
                ("KC_HTTP_PORT", OsStr::new(&port)),
            ],
            self.run.path(),
        )?;
        let deadline = Instant::now() + START;
        let mut ticks = tokio::time::interval(Duration::from_millis(100));
        loop {
            ticks.tick().await;
            let text = fs::read_to_string(&file).unwrap_or_default();
            if serde_json::from_str::<Value>(&text).is_ok() {
                return Ok(text);
            }
            if let Some(status) = process.exit_status() {
                bail!("`kc.sh export` ended with exit status {status} and no export");
            }
            ensure!(Instant::now() < deadline, "`kc.sh export` was not ready in time");
        }
    }

    /// Ends the server and leaves its log behind.
    pub(super) fn end_and_keep_log(mut self) -> PathBuf {
        self.stop();
        let run = self.run.keep();
        let _ = fs::remove_dir_all(run.join("home"));
        process::log_file(&run)
    }

    async fn launch(
        home: &Path,
        run: &Path,
        authority: &Authority,
        until: i32,
        ports: Ports,
        limit: Duration,
    ) -> Result<Process> {
        let kc = home.join("bin/kc.sh");
        let [certificate, key, trusted] = ["server.pem", "server.key", "authority.pem"].map(|name| run.join(name));
        let [certificate_pem, key_pem] = authority.loopback_pems(until);
        fs::write(&certificate, certificate_pem)?;
        fs::write(&key, key_pem)?;
        fs::write(&trusted, authority.pem())?;
        let (http_port, https_port) = (ports.http.to_string(), ports.https.to_string());
        // The C1 compiler alone halves the time of the start on a small machine.
        let java_options = format!(
            "-XX:TieredStopAtLevel=1 {}",
            env::var("JAVA_OPTS_APPEND").unwrap_or_default()
        );
        let process = Process::spawn(
            &[
                kc.as_os_str(),
                OsStr::new("start-dev"),
                OsStr::new("--http-host"),
                OsStr::new("127.0.0.1"),
                OsStr::new("--http-port"),
                OsStr::new(&http_port),
                OsStr::new("--https-port"),
                OsStr::new(&https_port),
                OsStr::new("--https-certificate-file"),
                certificate.as_os_str(),
                OsStr::new("--https-certificate-key-file"),
                key.as_os_str(),
                // An option of the build: with another one the distribution in the cache would be built again.
                OsStr::new("--https-client-auth"),
                OsStr::new("request"),
                OsStr::new("--truststore-paths"),
                trusted.as_os_str(),
            ],
            &[
                ("JAVA_OPTS_APPEND", OsStr::new(&java_options)),
                ("KC_BOOTSTRAP_ADMIN_USERNAME", OsStr::new(ADMIN)),
                ("KC_BOOTSTRAP_ADMIN_PASSWORD", OsStr::new(ADMIN)),
                // The names before Keycloak 26.
                ("KEYCLOAK_ADMIN", OsStr::new(ADMIN)),
                ("KEYCLOAK_ADMIN_PASSWORD", OsStr::new(ADMIN)),
            ],
            run,
        )?;
        let url = format!("http://127.0.0.1:{}", ports.http);
        wait_until_ready(&url, limit, || process.exit_status()).await?;
        Ok(process)
    }
}

/// The first start: builds the distribution and creates the data that every run copies.
async fn build(home: &Path, work: &Path) -> Result<()> {
    let process = Server::launch(
        home,
        work,
        &Authority::default(),
        GOOD_UNTIL,
        Ports::free()?,
        BUILD_AND_FIRST_START,
    )
    .await
    .with_context(|| {
        let log = fs::read_to_string(process::log_file(work)).unwrap_or_default();
        format!("the first start of Keycloak failed; its log:\n{log}")
    })?;
    drop(process);
    fs::rename(home.join("data"), home.join("seed"))?;
    let _ = fs::remove_dir_all(home.join("seed/import"));
    Ok(())
}

fn download(version: &str, directory: &Path) -> Result<()> {
    let work = directory
        .parent()
        .context("the directory of a distribution has a parent")?;
    let mut attempt = 1;
    loop {
        let output = maven()
            .args(["-q", "-B", "dependency:copy"])
            .arg(format!("-Dartifact=org.keycloak:{ARTIFACT}:{version}:zip"))
            .arg(format!("-DoutputDirectory={}", work.display()))
            .current_dir(work)
            .output()
            .context("cannot run `mvn`")?;
        if output.status.success() {
            break;
        }
        if attempt == 3 {
            bail!(
                "Maven could not download Keycloak {version}: {}{}",
                String::from_utf8_lossy(&output.stdout).trim(),
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        attempt += 1;
    }
    let archive = work.join(format!("{ARTIFACT}-{version}.zip"));
    let unpacked = work.join("unpacked");
    zip::ZipArchive::new(File::open(&archive)?)
        .and_then(|mut zip| zip.extract(&unpacked))
        .with_context(|| format!("cannot unpack `{}`", archive.display()))?;
    fs::rename(unpacked.join(format!("keycloak-{version}")), directory)?;
    fs::remove_file(archive)?;
    Ok(())
}

pub(super) fn maven() -> Command {
    Command::new(if cfg!(windows) { "mvn.cmd" } else { "mvn" })
}

/// Where the built distributions are kept: outside of `target`, so that `cargo clean` does not cost a download.
fn cache_directory() -> Result<PathBuf> {
    let base = match env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty()) {
        Some(base) => PathBuf::from(base),
        None => env::home_dir()
            .context("no cache directory: neither `XDG_CACHE_HOME` nor a home directory is known")?
            .join(".cache"),
    };
    Ok(base.join("keycloak-auth"))
}

/// Tells one unpacked distribution from another, and from itself with other providers or another build.
fn fingerprint(home: &Path) -> Result<u64> {
    let mut hasher = DefaultHasher::new();
    fs::canonicalize(home)?.hash(&mut hasher);
    for part in ["", "conf", "providers", "lib/quarkus"] {
        let mut entries = fs::read_dir(home.join(part))?.collect::<Result<Vec<_>, _>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let metadata = entry.metadata()?;
            entry.file_name().hash(&mut hasher);
            if metadata.is_file() {
                metadata.len().hash(&mut hasher);
                metadata.modified()?.hash(&mut hasher);
            }
        }
    }
    Ok(hasher.finish())
}

fn port_is_taken(run: &Path) -> bool {
    fs::read_to_string(process::log_file(run))
        .is_ok_and(|log| log.contains("already in use") || log.contains("already bound"))
}
