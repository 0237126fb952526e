//! What a diagnosis found.

use std::fmt;

use serde::Serialize;

use crate::{Unavailable, text::chain};

/// The result of [`Keycloak::diagnose`](crate::Keycloak::diagnose).
///
/// `Display` is a page for a terminal, whose first line names the cause; with a width, as in `{report:80}`, it breaks lines
/// that are longer. `Serialize` is for a dashboard. There is no secret in it.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct DiagnosticReport {
    /// The worst of the checks' outcomes.
    pub status: CheckStatus,
    /// The address of the realm on the configured server.
    pub realm_url: String,
    /// The issuer of the tokens that are accepted.
    pub issuer: String,
    /// This service's client.
    pub client_id: String,
    /// In the order in which they were made.
    pub checks: Vec<DiagnosticCheck>,
}

/// One step of a diagnosis.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct DiagnosticCheck {
    /// What was looked at: `configuration`, `dns`, `tcp`, `tls`, `discovery`, `key set`, `service token`,
    /// `clock`, `client`, `token`.
    #[cfg_attr(feature = "utoipa", schema(value_type = String))]
    pub name: &'static str,
    /// How it stands.
    pub status: CheckStatus,
    /// What was found, in one sentence.
    pub finding: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// What the finding rests on, a line each: what policies see of a token, and, with feature `tls-diagnostics`, the
    /// certificates that the server sent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
    /// How long the step took, in milliseconds.
    pub duration_ms: u64,
}

/// How a check came out; later ones are worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CheckStatus {
    /// Not made, since something before it failed or nothing asks for it.
    Skipped,
    /// As it should be.
    Ok,
    /// Works, and deserves a look.
    Warning,
    /// Does not work.
    Failed,
}

/// What a step has to say.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) status: CheckStatus,
    pub(super) text: String,
    pub(super) advice: Option<String>,
    pub(super) details: Vec<String>,
}

impl Finding {
    pub(super) fn ok(text: impl Into<String>) -> Self {
        Self::new(CheckStatus::Ok, text, None)
    }

    pub(super) fn skipped(text: impl Into<String>) -> Self {
        Self::new(CheckStatus::Skipped, text, None)
    }

    pub(super) fn warning(text: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(CheckStatus::Warning, text, Some(advice.into()))
    }

    /// Keycloak wants to be left alone, by a diagnosis as well.
    pub(super) fn paused(unavailable: &Unavailable) -> Self {
        Self::warning(
            format!(
                "not asked: Keycloak, or what is in front of it, wants to be left alone for {} s more (`Retry-After`): {}",
                unavailable.retry_after().as_secs(),
                chain(unavailable.cause())
            ),
            "diagnose again after that; see whether Keycloak is overloaded, or what limits requests in front of it",
        )
    }

    pub(super) fn failed(text: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(CheckStatus::Failed, text, Some(advice.into()))
    }

    fn new(status: CheckStatus, text: impl Into<String>, advice: Option<String>) -> Self {
        Self {
            status,
            text: text.into(),
            advice,
            details: Vec::new(),
        }
    }

    pub(super) fn with_details(self, details: Vec<String>) -> Self {
        Self { details, ..self }
    }
}

impl DiagnosticReport {
    /// Whether nothing failed; warnings may be there.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.status < CheckStatus::Failed
    }

    /// The check of that name, if it was made.
    #[must_use]
    pub fn check(&self, name: &str) -> Option<&DiagnosticCheck> {
        self.checks.iter().find(|check| check.name == name)
    }

    /// The first check with the worst outcome, unless all is well.
    #[must_use]
    pub fn cause(&self) -> Option<&DiagnosticCheck> {
        let worst = self.checks.iter().map(|check| check.status).max()?;
        let cause = self.checks.iter().find(|check| check.status == worst);
        cause.filter(|check| check.status > CheckStatus::Ok)
    }
}

impl fmt::Display for CheckStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Skipped => "skipped",
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "FAILED",
        })
    }
}

impl fmt::Display for DiagnosticReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let page = Page { width: f.width() };
        match self.cause() {
            Some(check) => page.line(f, &format!("{}: {}: ", check.status, check.name), &check.finding)?,
            None => writeln!(f, "ok: tokens of this realm can be judged")?,
        }
        let Self {
            realm_url,
            issuer,
            client_id,
            ..
        } = self;
        writeln!(f, "\nrealm  {realm_url}\nissuer {issuer}\nclient {client_id}\n")?;
        for check in &self.checks {
            let DiagnosticCheck {
                name,
                status,
                finding,
                advice,
                details,
                duration_ms,
            } = check;
            let took = format!("{duration_ms} ms");
            page.line(f, &format!("{status:<8}{name:<14}{took:>8}  "), finding)?;
            for detail in details {
                page.line(f, &" ".repeat(Page::MARGIN), detail)?;
            }
            if let Some(advice) = advice {
                page.line(f, &format!("{:>1$}", "-> ", Page::MARGIN + 3), advice)?;
            }
        }
        Ok(())
    }
}

/// The page for a terminal.
#[derive(Clone, Copy)]
struct Page {
    /// How many characters a line takes; as many as it has if that is not known.
    width: Option<usize>,
}

impl Page {
    /// Where findings begin, in characters from the left.
    const MARGIN: usize = 32;

    /// How much of a line is text at least, however narrow the page.
    const LEAST: usize = 24;

    /// Writes the text behind its head. What does not fit goes on below the beginning of the text.
    fn line(self, f: &mut fmt::Formatter<'_>, head: &str, text: &str) -> fmt::Result {
        f.write_str(head)?;
        let room = self
            .width
            .map_or(usize::MAX, |width| width.saturating_sub(head.len()).max(Self::LEAST));
        let mut used = 0;
        for word in text.split(' ') {
            let length = word.chars().count();
            if used > 0 && used + 1 + length > room {
                write!(f, "\n{:1$}", "", head.len())?;
                used = 0;
            } else if used > 0 {
                f.write_str(" ")?;
                used += 1;
            }
            f.write_str(word)?;
            used += length;
        }
        writeln!(f)
    }
}
