//! The steps of a diagnosis, one after the other.

use std::{fmt, time::Duration};

use futures_util::future::{BoxFuture, FutureExt as _};
use tokio::{
    runtime::Handle,
    time::{Instant, timeout_at},
};

use super::{
    CheckStatus, DiagnosticCheck, DiagnosticReport, Finding, client, clock, connection, discovery, key_set,
    service_token, tls, token,
};
use crate::{Keycloak, clock::milliseconds};

/// The time for all steps together.
const DEADLINE: Duration = Duration::from_secs(9);

/// Why a step is left out that could only fail for the same cause.
pub(super) const FAILED_ABOVE: &str = "what failed above has to be right first";

const KEYS_GIVEN: &str = "the keys are given, so none are fetched";

/// A diagnosis to be awaited; made by [`Keycloak::diagnose`].
#[must_use = "nothing is looked at until it is awaited"]
pub struct Diagnose<'a> {
    keycloak: &'a Keycloak,
    token: Option<&'a str>,
}

impl Keycloak {
    /// Finds out what stands between this service and its Keycloak: configuration, name, connection, certificate, discovery
    /// document, key set, a token of the service's own with its audience and scopes, clock, client.
    ///
    /// Asks Keycloak anew, beside what is cached for requests, unless the token or introspection endpoint has said by `Retry-After`
    /// that it wants to be left alone, and takes at most 10 s; for a handler there is
    /// [`recent_diagnosis`](Self::recent_diagnosis). With [`token`](Diagnose::token) it also says whether that token is accepted,
    /// and if not, why.
    ///
    /// ```no_run
    /// # async fn demo(keycloak: keycloak_auth::Keycloak) {
    /// let report = keycloak.diagnose().await;
    /// if !report.is_healthy() {
    ///     eprintln!("{report}");
    /// }
    /// # }
    /// ```
    pub fn diagnose(&self) -> Diagnose<'_> {
        Diagnose {
            keycloak: self,
            token: None,
        }
    }
}

impl<'a> Diagnose<'a> {
    /// Looks at this access token as well. It is a secret, and not in the report.
    pub const fn token(mut self, access_token: &'a str) -> Self {
        self.token = Some(access_token);
        self
    }

    async fn run(self) -> DiagnosticReport {
        let Self { keycloak, token } = self;
        let mut steps = Steps::new();
        if let Some(fault) = cannot_ask(keycloak) {
            // Nothing below could even wait.
            steps.note("configuration", fault);
            return steps.into_report(keycloak);
        }
        steps.note("configuration", connection::configuration(keycloak));
        let authenticator = keycloak.authenticator();
        if authenticator.key_set().is_fixed() && authenticator.introspection().is_none() {
            steps.note("key set", Finding::ok(KEYS_GIVEN));
        } else {
            Self::look_at_provider(keycloak, &mut steps).await;
        }
        match token {
            Some(token) => {
                let has_cause = steps.have_failed();
                steps.run("token", token::check(keycloak, token, has_cause)).await;
            }
            None => steps.note(
                "token",
                Finding::skipped("give an access token to see whether its audience, issuer and times are right"),
            ),
        }
        steps.into_report(keycloak)
    }

    async fn look_at_provider(keycloak: &Keycloak, steps: &mut Steps) {
        const BEYOND: [&str; 6] = ["tls", "discovery", "key set", "service token", "clock", "client"];

        steps.run("dns", connection::dns(keycloak)).await;
        steps.run("tcp", connection::tcp(keycloak)).await;
        if steps.have_failed() {
            steps.skip(&BEYOND, "Keycloak has to be reached first");
            return;
        }
        let answer = steps.run_for("tls", tls::check(keycloak)).await;
        let Some(answer) = answer else {
            steps.skip(&BEYOND[1..], "Keycloak has to be reached first");
            return;
        };
        let date = clock::date(&answer);
        let metadata = steps.run_for("discovery", discovery::check(keycloak, answer)).await;
        let authenticator = keycloak.authenticator();
        match metadata {
            _ if authenticator.key_set().is_fixed() => steps.note("key set", Finding::ok(KEYS_GIVEN)),
            _ if !authenticator.needs_keys() => {
                steps.skip(&["key set"], "Keycloak is asked about every token, which takes no keys");
            }
            Some(_) => steps.run("key set", key_set::check(keycloak)).await,
            None => steps.skip(&["key set"], "the discovery document has to be right first"),
        }
        let is_realm_there = steps.passed("discovery");
        let issued_at = if is_realm_there {
            steps.run_for("service token", service_token::check(keycloak)).await
        } else {
            steps.skip(&["service token"], FAILED_ABOVE);
            None
        };
        // Keycloak itself sends no `Date`.
        steps.note("clock", clock::check(keycloak, date.or(issued_at)));
        if is_realm_there {
            steps.run("client", client::check(keycloak)).await;
        } else {
            steps.skip(&["client"], FAILED_ABOVE);
        }
    }
}

/// Why nothing at all can be asked.
fn cannot_ask(keycloak: &Keycloak) -> Option<Finding> {
    if Handle::try_current().is_err() {
        return Some(Finding::failed(
            "there is no tokio runtime to ask Keycloak in",
            "call this in one, such as that of `#[tokio::main]`",
        ));
    }
    keycloak.parts().provider.is_closed().then(|| {
        Finding::failed(
            "this `Keycloak` was closed, and asks nothing any more",
            "look before `close()`, or build another one",
        )
    })
}

impl<'a> IntoFuture for Diagnose<'a> {
    type Output = DiagnosticReport;
    type IntoFuture = BoxFuture<'a, DiagnosticReport>;

    fn into_future(self) -> Self::IntoFuture {
        self.run().boxed()
    }
}

impl fmt::Debug for Diagnose<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Diagnose")
            .field("keycloak", &self.keycloak)
            .field("has_token", &self.token.is_some())
            .finish()
    }
}

/// The checks that were made so far.
struct Steps {
    deadline: Instant,
    checks: Vec<DiagnosticCheck>,
}

impl Steps {
    fn new() -> Self {
        Self {
            deadline: Instant::now() + DEADLINE,
            checks: Vec::new(),
        }
    }

    fn note(&mut self, name: &'static str, finding: Finding) {
        self.push(name, finding, Duration::ZERO);
    }

    async fn run(&mut self, name: &'static str, step: impl Future<Output = Finding>) {
        self.run_for(name, step.map(|finding| (finding, None::<()>))).await;
    }

    /// Runs a step that has something for the next ones.
    async fn run_for<T>(&mut self, name: &'static str, step: impl Future<Output = (Finding, Option<T>)>) -> Option<T> {
        let began = Instant::now();
        if began >= self.deadline {
            let reason = "there was no time left for it: see the check above that took so long";
            self.note(name, Finding::skipped(reason));
            return None;
        }
        let (finding, result) = timeout_at(self.deadline, step).await.unwrap_or_else(|_| {
            let text = format!("no answer within the {} s of a diagnosis", DEADLINE.as_secs());
            (
                Finding::failed(text, "see whether Keycloak, or what is in front of it, is overloaded"),
                None,
            )
        });
        self.push(name, finding, began.elapsed());
        result
    }

    fn skip(&mut self, names: &[&'static str], reason: &str) {
        for &name in names {
            self.note(name, Finding::skipped(reason));
        }
    }

    /// Whether this check was made, and nothing was wrong that others depend on.
    fn passed(&self, name: &str) -> bool {
        let mut checks = self.checks.iter().filter(|check| check.name == name);
        checks.any(|check| matches!(check.status, CheckStatus::Ok | CheckStatus::Warning))
    }

    fn have_failed(&self) -> bool {
        self.checks.iter().any(|check| check.status == CheckStatus::Failed)
    }

    fn push(&mut self, name: &'static str, finding: Finding, took: Duration) {
        let Finding {
            status,
            text,
            advice,
            details,
        } = finding;
        self.checks.push(DiagnosticCheck {
            name,
            status,
            finding: text,
            advice,
            details,
            duration_ms: milliseconds(took),
        });
    }

    fn into_report(self, keycloak: &Keycloak) -> DiagnosticReport {
        let worst = self.checks.iter().map(|check| check.status).max();
        DiagnosticReport {
            status: worst.unwrap_or(CheckStatus::Ok),
            realm_url: keycloak.realm_url().to_owned(),
            issuer: keycloak.issuer().to_owned(),
            client_id: keycloak.client_id().to_owned(),
            checks: self.checks,
        }
    }
}
