//! What can be wrong with a configuration, collected.

use std::{fmt, ops::Deref, sync::Arc};

use url::Url;

use super::address::Address;
use crate::{provider::RealmUrl, text::shortened_address};

/// Why a configuration does not make a [`Keycloak`](crate::Keycloak): all of it.
///
/// Its `Debug` is its `Display`, since that is what a `main` that returns it prints.
pub struct BuildError {
    problems: Vec<Problem>,
}

impl BuildError {
    /// Every problem, in the order of the settings.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Debug for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.problems[..] {
            [problem] => write!(f, "Keycloak is not configured correctly: {problem}"),
            problems => {
                write!(f, "Keycloak is not configured correctly, in {} places:", problems.len())?;
                problems.iter().try_for_each(|problem| write!(f, "\n  - {problem}"))
            }
        }
    }
}

impl std::error::Error for BuildError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.problems
            .iter()
            .find_map(|problem| problem.source.as_deref())
            .map(|source| source as _)
    }
}

/// One problem of a configuration.
#[derive(Debug)]
#[non_exhaustive]
pub struct Problem {
    /// The setting, by the name of the builder's method or of the environment variable.
    pub setting: &'static str,
    /// What is wrong with it, and what to do.
    pub message: String,
    /// The environment variable that would set what is missing.
    variable: Option<&'static str>,
    /// What the HTTP client says, where it is the one that refuses.
    source: Option<Arc<reqwest::Error>>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.setting, self.message)
    }
}

#[derive(Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn into_error(self) -> BuildError {
        BuildError { problems: self.0 }
    }

    /// Names the variables of missing settings, for a configuration that was taken from the environment.
    pub(super) fn name_variables(&mut self) {
        for problem in &mut self.0 {
            if let Some(variable) = problem.variable {
                problem.message = format!("{}; in the environment it is `{variable}`", problem.message);
            }
        }
    }

    pub(super) fn add(&mut self, setting: &'static str, message: impl Into<String>) {
        self.0.push(Problem {
            setting,
            message: message.into(),
            variable: None,
            source: None,
        });
    }

    /// A setting that has to be there, and that the environment can give.
    pub(super) fn missing(&mut self, setting: &'static str, variable: &'static str, advice: &str) {
        self.0.push(Problem {
            setting,
            message: format!("is missing: {advice}"),
            variable: Some(variable),
            source: None,
        });
    }

    pub(super) fn add_caused(&mut self, setting: &'static str, message: &str, source: Arc<reqwest::Error>) {
        self.0.push(Problem {
            setting,
            message: message.to_owned(),
            variable: None,
            source: Some(source),
        });
    }

    pub(super) fn no_blanks(&mut self, setting: &'static str, values: &[impl Deref<Target = str>]) {
        for value in values {
            if value.trim() != &**value || value.is_empty() {
                self.add(setting, "is empty, or has white space at its ends");
            }
        }
    }

    /// Issuers are URLs (OpenID Connect Discovery 1.0 §3), and Keycloak's are those of realms.
    pub(super) fn issuers(&mut self, issuers: &[Address]) {
        self.no_blanks("issuer", issuers);
        for issuer in issuers.iter().filter(|issuer| !issuer.trim().is_empty()) {
            match Url::parse(issuer)
                .ok()
                .filter(|url| matches!(url.scheme(), "https" | "http"))
            {
                Some(url) if !url.username().is_empty() || url.password().is_some() => {
                    self.add("issuer", "must not contain a user name or password");
                }
                Some(_) => {}
                None => {
                    let shown = shortened_address(issuer);
                    self.add(
                        "issuer",
                        format!("is not a URL: `{shown}`; write it as tokens do, as in `.issuer(\"https://id.example.com/realms/acme\")`"),
                    );
                }
            }
        }
    }

    pub(super) fn endpoint(
        &mut self,
        setting: &'static str,
        text: Option<&str>,
        realm_url: Option<&RealmUrl>,
    ) -> Option<Url> {
        let text = text?;
        match Url::parse(text) {
            Ok(url) if !matches!(url.scheme(), "https" | "http") => {
                self.add(setting, "must begin with `https://` or `http://`")
            }
            Ok(url) if !url.username().is_empty() || url.password().is_some() => {
                self.add(setting, "must not contain a user name or password");
            }
            Ok(url) if url.scheme() == "http" && realm_url.is_some_and(RealmUrl::is_https) => {
                self.add(setting, "is `http` although the server URL is `https`");
            }
            Ok(url) => return Some(url),
            Err(_) => self.add(setting, format!("is not a URL: `{}`", shortened_address(text))),
        }
        None
    }
}
