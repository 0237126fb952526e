//! A server process that never outlives the test process.
//!
//! `kc.sh` forks `java`, and a test process may end by a panic, Ctrl-C or SIGKILL. A small shell therefore stands
//! between the two: it leads a process group of its own and reads from a pipe whose other end the test process holds.
//! However the test process ends, the pipe closes, and the shell ends the whole group.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context as _, Result};

/// `$1` is the directory of the run, the rest is the command.
///
/// A line on the pipe asks for an orderly end, or for none by the word `kill`; the pipe closed without a line means that the test process is gone,
/// and then the directory goes too. The subshell has a trap that does nothing so that it lives to note the exit
/// status; the command itself gets the default action back.
const WATCHDOG: &str = r#"
directory=$1
shift
(
    trap : TERM
    "$@" </dev/null
    echo $? >"$directory/exit-status"
) &
trap '' INT HUP TERM
read -r word || word=
[ "$word" != kill ] || kill -s KILL -- -$$
kill -s TERM -- -$$ 2>/dev/null
tries=0
while [ ! -e "$directory/exit-status" ] && [ "$tries" -lt 100 ]; do
    sleep 0.1
    tries=$((tries + 1))
done
[ -n "$word" ] || rm -rf -- "$directory"
kill -s KILL -- -$$
"#;

pub(crate) struct Process {
    watchdog: Child,
    directory: PathBuf,
}

impl Process {
    /// Starts `command` with its output appended to `server.log` in `directory`.
    pub(crate) fn spawn(command: &[&OsStr], environment: &[(&str, &OsStr)], directory: &Path) -> Result<Self> {
        let status = directory.join("exit-status");
        if status.exists() {
            fs::remove_file(&status)?;
        }
        let log = File::options().create(true).append(true).open(log_file(directory))?;
        let mut shell = Command::new("sh");
        shell
            .arg("-c")
            .arg(WATCHDOG)
            .arg("keycloak-watchdog")
            .arg(directory)
            .args(command)
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log);
        for (name, _) in std::env::vars_os() {
            if is_keycloak_setting(&name) {
                shell.env_remove(name);
            }
        }
        shell.envs(environment.iter().copied());
        own_process_group(&mut shell);
        let watchdog = shell.spawn().context("cannot start `sh`")?;
        Ok(Self {
            watchdog,
            directory: directory.to_owned(),
        })
    }

    /// Ends the server as a crash would.
    pub(crate) fn kill(mut self) {
        if let Some(mut pipe) = self.watchdog.stdin.take() {
            let _ = pipe.write_all(b"kill\n");
        }
        let _ = self.watchdog.wait();
    }

    /// The exit status of the command once it has ended by itself.
    pub(crate) fn exit_status(&self) -> Option<String> {
        let status = fs::read_to_string(self.directory.join("exit-status")).ok()?;
        Some(status.trim().to_owned())
    }
}

/// Ends the server in an orderly way, so that its data can be used by the next start; blocks until it has ended.
impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut pipe) = self.watchdog.stdin.take() {
            let _ = pipe.write_all(b"end\n");
        }
        let _ = self.watchdog.wait();
    }
}

pub(crate) fn log_file(directory: &Path) -> PathBuf {
    directory.join("server.log")
}

/// The user's own settings of a Keycloak must not reach the one of the tests; features are asked for by intent.
fn is_keycloak_setting(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else {
        return false;
    };
    (name.starts_with("KC_") && name != "KC_FEATURES") || name.starts_with("KEYCLOAK_ADMIN")
}

#[cfg(unix)]
fn own_process_group(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}

#[cfg(not(unix))]
fn own_process_group(_: &mut Command) {}
