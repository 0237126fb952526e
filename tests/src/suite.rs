//! A test binary against a real Keycloak, with one server for the whole run.
//!
//! The standard test harness cannot leave a test out at run time, so these binaries have `harness = false`. Without a
//! Keycloak their tests show as ignored, with what to install; `KEYCLOAK_REQUIRED=1` makes that a failure. The same goes
//! for tests that need a browser, and `BROWSER_REQUIRED=1`.

use std::{
    future::Future,
    num::NonZero,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    process::ExitCode,
    sync::{Arc, PoisonError, RwLock},
    thread,
};

use anyhow::Result;
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use tokio::{runtime::Runtime, sync::OnceCell};

use crate::{
    Chromium,
    keycloak::{Keycloak, StartError},
};

/// A test, given the server of the run.
pub struct Test {
    name: String,
    kind: Kind,
    needs_browser: bool,
    body: Body,
}

type Body = Box<dyn FnOnce(Arc<Keycloak>) -> Pin<Box<dyn Future<Output = Result<()>>>> + Send>;

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Shared,
    OverHttps,
    Restarting,
}

/// A test that shares the server with others.
pub fn test<F, R>(name: impl Into<String>, body: F) -> Test
where
    F: FnOnce(Arc<Keycloak>) -> R + Send + 'static,
    R: Future<Output = Result<()>> + 'static,
{
    Test {
        name: name.into(),
        kind: Kind::Shared,
        needs_browser: false,
        body: Box::new(|keycloak| Box::pin(body(keycloak))),
    }
}

/// A test that stops the server and starts it again: it runs while no other test does.
pub fn restarting_test<F, R>(name: impl Into<String>, body: F) -> Test
where
    F: FnOnce(Arc<Keycloak>) -> R + Send + 'static,
    R: Future<Output = Result<()>> + 'static,
{
    Test {
        kind: Kind::Restarting,
        ..test(name, body)
    }
}

/// A test that needs the server's https; without it the test shows as ignored.
pub fn https_test<F, R>(name: impl Into<String>, body: F) -> Test
where
    F: FnOnce(Arc<Keycloak>) -> R + Send + 'static,
    R: Future<Output = Result<()>> + 'static,
{
    Test {
        kind: Kind::OverHttps,
        ..test(name, body)
    }
}

/// A test that drives a real browser; without one it shows as ignored, with what to install.
pub fn browser_test<F, R>(name: impl Into<String>, body: F) -> Test
where
    F: FnOnce(Arc<Keycloak>) -> R + Send + 'static,
    R: Future<Output = Result<()>> + 'static,
{
    Test {
        needs_browser: true,
        ..test(name, body)
    }
}

/// Runs the tests as `cargo test` does and says how many ran against which Keycloak.
pub fn run(tests: Vec<Test>) -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Half of the time a test waits: for Keycloak, or for what it remembers to be forgotten.
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    arguments.test_threads.get_or_insert(2 * cores);
    let is_set = |name| std::env::var(name).is_ok_and(|value| value == "1");
    let (required, browser_required) = (is_set("KEYCLOAK_REQUIRED"), is_set("BROWSER_REQUIRED"));
    let run = Arc::new(Run {
        runtime: Runtime::new().expect("the system has threads"),
        keycloak: OnceCell::new(),
        turn: RwLock::new(()),
        required,
        browser_required,
    });
    let trials = tests
        .into_iter()
        .map(|test| {
            let run = Arc::clone(&run);
            Trial::ignorable_test(test.name, move || {
                if test.needs_browser
                    && let Err(missing) = Chromium::find()
                {
                    return run.without_browser(missing);
                }
                run.trial(test.kind, test.body)
            })
        })
        .collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    let run = Arc::into_inner(run).expect("no test runs any more");
    match run.keycloak.into_inner() {
        Some(Ok(keycloak)) => {
            let ran = conclusion.num_passed + conclusion.num_failed;
            let tests = if ran == 1 { "test" } else { "tests" };
            println!("{ran} {tests} against {keycloak}\n");
            let keycloak = Arc::into_inner(keycloak).expect("no test holds the server any more");
            let log = run.runtime.block_on(keycloak.end(conclusion.has_failed()));
            if let Some(log) = log {
                println!("the log of Keycloak: {}\n", log.display());
            }
        }
        Some(Err(error)) => println!("0 tests ran: {error}\n"),
        None => {}
    }
    conclusion.exit_code()
}

struct Run {
    runtime: Runtime,
    keycloak: OnceCell<Result<Arc<Keycloak>, StartError>>,
    /// Taken for writing by the tests that stop the server.
    turn: RwLock<()>,
    required: bool,
    browser_required: bool,
}

impl Run {
    fn without_browser(&self, missing: String) -> Result<Completion, Failed> {
        if self.browser_required {
            return Err(missing.into());
        }
        Ok(Completion::ignored_with(missing))
    }

    fn trial(&self, kind: Kind, body: Body) -> Result<Completion, Failed> {
        let keycloak = self.runtime.block_on(self.keycloak.get_or_init(async || {
            let keycloak = Keycloak::start().await?;
            Ok(Arc::new(keycloak))
        }));
        let keycloak = match keycloak {
            Ok(keycloak) => keycloak,
            Err(StartError::NoSource(_)) if !self.required => {
                return Ok(Completion::ignored_with("no Keycloak, see below"));
            }
            Err(error) => return Err(error.to_string().into()),
        };
        match kind {
            Kind::OverHttps if self.runtime.block_on(keycloak.https()).is_none() => Ok(Completion::ignored_with(
                "this server was not started from a distribution and has no https of the tests",
            )),
            Kind::Shared | Kind::OverHttps => {
                let _turn = self.turn.read().unwrap_or_else(PoisonError::into_inner);
                self.finish(keycloak, body)
            }
            Kind::Restarting => {
                let _turn = self.turn.write().unwrap_or_else(PoisonError::into_inner);
                if !self.runtime.block_on(keycloak.can_restart()) {
                    return Ok(Completion::ignored_with(
                        "this server was not started from a distribution and cannot be restarted",
                    ));
                }
                let outcome = catch_unwind(AssertUnwindSafe(|| self.finish(keycloak, body)));
                let running = self.runtime.block_on(keycloak.ensure_running());
                let completion = outcome.unwrap_or_else(|panic| resume_unwind(panic))?;
                running.map_err(|error| format!("{error:#}"))?;
                Ok(completion)
            }
        }
    }

    fn finish(&self, keycloak: &Arc<Keycloak>, body: Body) -> Result<Completion, Failed> {
        let keycloak = Arc::clone(keycloak);
        match self.runtime.block_on(body(keycloak)) {
            Ok(()) => Ok(Completion::Completed),
            Err(error) => Err(format!("{error:#}").into()),
        }
    }
}
