//! Rows 31 to 41 of the threats: a Keycloak, and a way to it, that break in every way.
//!
//! Each row is a fault. It is told what the client gets, how many requests reach Keycloak, and what the log says: one
//! warning for each change of state, however many requests there are.

mod connection;
mod flapping;
mod introspection;
mod key_sets;
mod keys;
mod leftovers;
mod metadata;
mod phases;
mod retry_after;
mod rows;
mod token_endpoint;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use keycloak_auth_tests::{Answer, Fault, Gateway, Issuer, Logs, Reply, Trap};
use serde_json::json;
use tracing::Level;

pub use rows::{EVERYWHERE, Row, malformed};

/// How long a client may wait for its answer while Keycloak is needed and cannot be asked.
const LONGEST: Duration = Duration::from_secs(5);

/// What is done to an endpoint.
#[derive(Clone, Copy)]
pub enum Breakage {
    /// The answer is broken on its way.
    Wire(Fault),
    /// No connection lives long enough to take a request.
    Refused,
    /// The issuer answers in another way; the trap is where no request must ever come.
    Answer(fn(&Issuer, &Trap) -> Reply),
}

/// An issuer behind a gateway, and what must not be reached.
pub struct Provider {
    pub issuer: Issuer,
    pub gateway: Gateway,
    pub trap: Trap,
}

impl Provider {
    pub async fn start() -> Self {
        let issuer = Issuer::start().await;
        let gateway = Gateway::to(&issuer).await;
        let trap = Trap::set().await;
        Self { issuer, gateway, trap }
    }

    pub async fn break_(&self, path: &str, breakage: Breakage) {
        match breakage {
            Breakage::Wire(fault) => self.gateway.inject(path, fault),
            Breakage::Refused => {
                self.gateway.refuse_connections().await;
                // For the other side to see it.
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Breakage::Answer(reply) => self.issuer.reply(path, reply(&self.issuer, &self.trap)),
        }
    }

    /// Lets the endpoint answer as usual.
    pub fn mend(&self, path: &str) {
        self.gateway.mend();
        self.issuer.reply_as_usual(path);
    }

    /// How often Keycloak was asked: requests, or connections where none takes a request.
    pub fn attempts(&self, path: &str, breakage: Breakage) -> usize {
        match breakage {
            Breakage::Refused => self.gateway.connections(),
            Breakage::Wire(_) | Breakage::Answer(_) => self.gateway.requests_to(path),
        }
    }
}

/// Runs the rows at the same time, each on a thread of its own, and tells all that fail.
///
/// Logs are captured by thread, so each row has its own.
pub fn at_once<R: Sync>(rows: &[R], name: impl Fn(&R) -> String, run: impl AsyncFn(&R) + Sync) {
    let run_one = |row: &R| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        catch_unwind(AssertUnwindSafe(|| runtime.block_on(run(row)))).is_ok()
    };
    let failed: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = rows
            .iter()
            .map(|row| {
                let builder = std::thread::Builder::new().name(name(row));
                let thread = builder.spawn_scoped(scope, || run_one(row));
                (row, thread.expect("a thread"))
            })
            .collect();
        let failed = threads
            .into_iter()
            .filter_map(|(row, thread)| (!thread.join().unwrap_or(false)).then(|| name(row)));
        failed.collect()
    });
    assert!(failed.is_empty(), "failed: {failed:#?}");
}

/// The warnings of the crate, one a line.
pub fn warnings(logs: &Logs) -> Vec<String> {
    lines(logs, Level::WARN)
}

/// The news of the crate, one a line.
pub fn news(logs: &Logs) -> Vec<String> {
    lines(logs, Level::INFO)
}

fn lines(logs: &Logs, level: Level) -> Vec<String> {
    let records = logs.records().into_iter();
    let events = records.filter(|record| !record.is_span && record.level == level);
    events.map(|event| event.field("message").to_owned()).collect()
}

/// One line for each of these beginnings, and no more.
#[track_caller]
pub fn assert_said(lines: &[String], beginnings: &[&str]) {
    let fits =
        lines.len() == beginnings.len() && lines.iter().zip(beginnings).all(|(line, said)| line.starts_with(said));
    assert!(fits, "{lines:#?}\nin place of {beginnings:#?}");
}

/// A4: 503 without a challenge, whole.
#[track_caller]
pub fn assert_unavailable(answer: &Answer, code: &str, message: &str) {
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.challenges().is_empty(), "{answer:?}");
    let retry_after = answer.retry_after().expect("a 503 says when to come again");
    assert!((1..=30).contains(&retry_after), "{answer:?}");
    let expected = json!({ "code": code, "message": message, "details": { "retry_after": retry_after } });
    assert_eq!(answer.json(), json!({ "error": expected }));
}

/// Waits until `condition` holds, for what happens in the background.
pub async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let began = std::time::Instant::now();
    while !condition() {
        assert!(began.elapsed() < Duration::from_secs(20), "never happened: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
