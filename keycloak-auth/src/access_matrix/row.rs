//! One route of the matrix.

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::ANY_METHOD;
use crate::Policy;

/// A method at a path, and the policy that a caller has to meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessRow {
    method: &'static str,
    path: String,
    kind: RouteKind,
    handler: Option<&'static str>,
    policy: Policy,
    report_only: bool,
}

/// What answers the requests of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RouteKind {
    /// A handler at this path.
    Handler,
    /// The fallback for paths that no route matches.
    Fallback,
    /// The fallback for paths that match and methods that do not.
    MethodNotAllowed,
    /// A service that was added as public.
    PublicService,
    /// A whole axum router that was added as public; axum does not say which routes are in it.
    PublicRouter,
}

impl RouteKind {
    /// The kind in words; none for a handler, which is the usual.
    pub(super) const fn note(self) -> Option<&'static str> {
        match self {
            Self::Handler => None,
            Self::Fallback => Some("fallback"),
            Self::MethodNotAllowed => Some("fallback for other methods"),
            Self::PublicService => Some("public service"),
            Self::PublicRouter => Some("public router, its routes are not listed"),
        }
    }
}

impl AccessRow {
    pub(crate) fn new(method: &'static str, path: &str, kind: RouteKind, policy: Policy) -> Self {
        Self {
            method,
            path: path.to_owned(),
            kind,
            handler: None,
            policy,
            report_only: false,
        }
    }

    pub(crate) fn handled_by(mut self, handler: &'static str) -> Self {
        self.handler = Some(handler);
        self
    }

    pub(crate) fn with_report_only(mut self, report_only: bool) -> Self {
        self.report_only = report_only;
        self
    }

    pub(crate) fn set_report_only(&mut self) {
        self.report_only = !self.policy.is_public();
    }

    /// The row of the same route in a router that is nested below `prefix`.
    pub(crate) fn nested_in(mut self, prefix: &str) -> Self {
        self.path = match self.path.as_str() {
            "/" if !prefix.ends_with('/') => prefix.to_owned(),
            path => format!("{}{path}", prefix.trim_end_matches('/')),
        };
        self
    }

    /// The method, or [`ANY_METHOD`]. A route for `GET` also answers `HEAD`, unless there is a row for that.
    #[must_use]
    pub fn method(&self) -> &str {
        self.method
    }

    /// The path as axum writes it, with the prefixes of all routers that it is nested in; `/*` at its end stands for
    /// everything below.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What answers.
    #[must_use]
    pub fn kind(&self) -> RouteKind {
        self.kind
    }

    /// The path of the handler's function.
    #[must_use]
    pub fn handler(&self) -> Option<&str> {
        self.handler
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Whether the policy is only reported about and not enforced; see
    /// [`SecureRouter::report_only`](crate::SecureRouter::report_only).
    #[must_use]
    pub fn is_report_only(&self) -> bool {
        self.report_only
    }

    /// What the row is about beside method, path and policy.
    pub(super) fn notes(&self) -> Vec<&'static str> {
        let report_only = self.report_only.then_some("report only: NOT enforced");
        self.kind.note().into_iter().chain(report_only).collect()
    }

    /// Where the row stands in the matrix.
    pub(super) fn place(&self) -> (&str, usize, &str, RouteKind) {
        const USUAL: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
        let rank = match USUAL.iter().position(|method| *method == self.method) {
            Some(rank) => rank,
            None if self.method == ANY_METHOD => USUAL.len() + 1,
            None => USUAL.len(),
        };
        (&self.path, rank, self.method, self.kind)
    }

    /// The complaint about an `owner("…")` whose parameter is not in the path.
    pub(crate) fn missing_parameter(&self) -> Option<String> {
        let existing: Vec<_> = path_parameters(&self.path).collect();
        let parameters = self.policy.owner_parameters();
        let missing = parameters.into_iter().find(|parameter| !existing.contains(parameter))?;
        let existing = match existing.as_slice() {
            [] => "it has none".to_owned(),
            names => format!("it has {}", crate::text::code_list(names.iter().copied())),
        };
        Some(format!(
            "`{} {}` has no path parameter `{missing}`, {existing}; the policy `{}` of its handler `{}` asks for it",
            self.method,
            self.path,
            self.policy,
            self.handler().unwrap_or("?"),
        ))
    }
}

/// The names in `{name}` and `{*name}`; `{{` and `}}` are braces of the path itself.
fn path_parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|segment| {
        let opening = segment
            .match_indices('{')
            .map(|(at, _)| at)
            .find(|at| !segment[..*at].ends_with('{') && !segment[at + 1..].starts_with('{'))?;
        let name = segment[opening + 1..].split('}').next()?;
        Some(name.strip_prefix('*').unwrap_or(name))
    })
}

impl Serialize for AccessRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_struct("AccessRow", 7)?;
        row.serialize_field("method", self.method)?;
        row.serialize_field("path", &self.path)?;
        row.serialize_field("kind", &self.kind)?;
        row.serialize_field("handler", &self.handler)?;
        row.serialize_field("expression", &self.policy.to_string())?;
        row.serialize_field("policy", &self.policy)?;
        row.serialize_field("report_only", &self.report_only)?;
        row.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_parameters_are_what_axum_takes_for_them() {
        for (path, expected) in [
            ("/orders", &[][..]),
            ("/{tenant}/orders/{id}", &["tenant", "id"]),
            ("/files/{*rest}", &["rest"]),
            ("/{{literal}}/{id}", &["id"]),
            ("/v{version}.json", &["version"]),
        ] {
            assert_eq!(path_parameters(path).collect::<Vec<_>>(), expected, "{path}");
        }
    }

    #[test]
    fn nesting_joins_paths_as_axum_does() {
        let nested = |path, prefix| {
            let row = AccessRow::new("GET", path, RouteKind::Handler, Policy::Public);
            row.nested_in(prefix).path
        };
        for (path, prefix, expected) in [
            ("/orders", "/api", "/api/orders"),
            ("/orders", "/api/", "/api/orders"),
            ("/", "/api", "/api"),
            ("/", "/api/", "/api/"),
            ("/*", "/api", "/api/*"),
        ] {
            assert_eq!(nested(path, prefix), expected, "{path} in {prefix}");
        }
    }
}
