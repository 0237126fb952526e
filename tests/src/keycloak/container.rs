//! Keycloak in a container, where neither a distribution nor Java with Maven is at hand.

use std::{
    env,
    ffi::OsStr,
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use super::{
    ADMIN, free_port,
    process::{self, Process},
    wait_until_ready,
};

const IMAGE: &str = "quay.io/keycloak/keycloak";
/// The image may have to be pulled first.
const PULL_AND_START: Duration = Duration::from_secs(600);

/// A container engine that answers: a client without its daemon does not count.
#[derive(Clone, Copy)]
pub(super) struct Engine(&'static str);

impl Engine {
    pub(super) fn find() -> Option<Self> {
        ["docker", "podman"]
            .into_iter()
            .find(|engine| answers(engine))
            .map(Self)
    }

    pub(super) fn name(self) -> &'static str {
        self.0
    }

    pub(super) async fn start(self, version: &str) -> Result<Container> {
        let run = TempDir::with_prefix("keycloak-auth-")?;
        let port = free_port()?;
        let publish = format!("127.0.0.1:{port}:8080");
        let user = format!("KC_BOOTSTRAP_ADMIN_USERNAME={ADMIN}");
        let password = format!("KC_BOOTSTRAP_ADMIN_PASSWORD={ADMIN}");
        let features = format!("KC_FEATURES={}", env::var("KC_FEATURES").unwrap_or_default());
        let image = format!("{IMAGE}:{version}");
        let mut command = vec![self.0, "run", "--rm", "--publish", &publish];
        command.extend(["--env", &user, "--env", &password]);
        if env::var_os("KC_FEATURES").is_some() {
            command.extend(["--env", &features]);
        }
        command.extend([&image, "start-dev"]);
        let command: Vec<&OsStr> = command.into_iter().map(OsStr::new).collect();
        let process = Process::spawn(&command, &[], run.path())?;
        let url = format!("http://127.0.0.1:{port}");
        let ready = wait_until_ready(&url, PULL_AND_START, || process.exit_status()).await;
        if let Err(error) = ready {
            drop(process);
            let log = process::log_file(&run.keep());
            return Err(error).with_context(|| format!("its log is `{}`", log.display()));
        }
        Ok(Container { process, run, url })
    }
}

/// A running container, removed when this is dropped.
pub(super) struct Container {
    process: Process,
    run: TempDir,
    url: String,
}

impl Container {
    pub(super) fn url(&self) -> String {
        self.url.clone()
    }

    pub(super) fn log_file(&self) -> PathBuf {
        process::log_file(self.run.path())
    }

    pub(super) fn end_and_keep_log(self) -> PathBuf {
        drop(self.process);
        process::log_file(&self.run.keep())
    }
}

/// Lists the containers, which needs the daemon, and does not wait for one that hangs.
fn answers(engine: &str) -> bool {
    let child = Command::new(engine)
        .args(["ps", "--quiet"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = child else { return false };
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) if Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Ok(None) | Err(_) => {
                let _ = child.kill();
                let _ = child.wait();
                return false;
            }
        }
    }
}
