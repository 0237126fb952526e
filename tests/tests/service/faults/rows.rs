//! The faults that every endpoint can have.

use std::time::Duration;

use keycloak_auth_tests::{Fault, Reply};
use serde_json::json;

use super::Breakage::{self, Answer, Refused, Wire};

/// A fault, and what the crate makes of it.
#[derive(Clone, Copy)]
pub struct Row {
    pub what: &'static str,
    pub breakage: Breakage,
    /// The variant of `ProviderError`.
    pub cause: &'static str,
}

impl Row {
    /// How long Keycloak may take: a fault that only time ends must not cost much, and a slow machine must not look like one.
    pub fn patience(&self) -> Duration {
        Duration::from_secs(if self.cause == "Timeout" { 2 } else { 60 })
    }
}

const fn row(what: &'static str, breakage: Breakage, cause: &'static str) -> Row {
    Row { what, breakage, cause }
}

/// Faults that mean the same at every endpoint.
pub const EVERYWHERE: &[Row] = &[
    row("reset at accept", Refused, "Connection"),
    row("reset after the request", Wire(Fault::Reset), "Connection"),
    row("closed after the request", Wire(Fault::Closed), "Connection"),
    row("silence", Wire(Fault::Silence), "Timeout"),
    row("not HTTP", Wire(Fault::Gibberish), "Connection"),
    row("a head that drips", Wire(Fault::SlowHead), "Timeout"),
    row("a head without end", Wire(Fault::EndlessHead), "Connection"),
    row("reset in the body", Wire(Fault::ResetInBody), "Connection"),
    row("a body that drips", Wire(Fault::SlowBody), "Timeout"),
    row("a truncated body", Wire(Fault::Truncated), "Connection"),
    row("chunks that break off", Wire(Fault::WithoutLastChunk), "Connection"),
    row("chunks without end", Wire(Fault::EndlessChunks), "TooLarge"),
    row("50 MB", Wire(Fault::Huge), "TooLarge"),
    row("50 MB in chunks", Wire(Fault::HugeInChunks), "TooLarge"),
    row(
        "301 elsewhere",
        Answer(|_, trap| redirect(301, &trap.url("/"))),
        "Status",
    ),
    row(
        "302 elsewhere",
        Answer(|_, trap| redirect(302, &trap.url("/"))),
        "Status",
    ),
    row(
        "307 elsewhere",
        Answer(|_, trap| redirect(307, &trap.url("/"))),
        "Status",
    ),
    row(
        "308 elsewhere",
        Answer(|_, trap| redirect(308, &trap.url("/"))),
        "Status",
    ),
    row(
        "another scheme",
        Answer(|_, trap| redirect(302, &trap.url("/").replace("http", "https"))),
        "Status",
    ),
    row("a file", Answer(|_, _| redirect(302, "file:///etc/passwd")), "Status"),
    row(
        "404",
        Answer(|_, _| Reply::status(404).body(r#"{"error":"Realm does not exist"}"#)),
        "Status",
    ),
    row(
        "429",
        Answer(|_, _| Reply::status(429).header("retry-after", "soon")),
        "Status",
    ),
    row("500", Answer(|_, _| Reply::status(500)), "Status"),
    row(
        "503",
        Answer(|_, _| Reply::status(503).header("retry-after", "0").body("<html>")),
        "Status",
    ),
];

/// Answers with status 200 that are not of the kind that is wanted; `cause` is what the endpoint calls that.
pub fn malformed(cause: &'static str) -> impl Iterator<Item = Row> {
    HTML_OR_NOTHING
        .iter()
        .map(move |&(what, breakage)| Row { what, breakage, cause })
}

const HTML_OR_NOTHING: &[(&str, Breakage)] = &[
    ("an empty body", Answer(|_, _| Reply::status(200))),
    (
        "a login page",
        Answer(|_, _| {
            Reply::status(200)
                .header("content-type", "text/html")
                .body("<!DOCTYPE html><title>Sign in</title>")
        }),
    ),
    ("another object", Answer(|_, _| Reply::json(&json!({ "ok": true })))),
    ("an array", Answer(|_, _| Reply::json(&json!([])))),
    ("a gzip bomb", Wire(Fault::GzipBomb)),
];

fn redirect(status: u16, location: &str) -> Reply {
    Reply::status(status).header("location", location)
}
