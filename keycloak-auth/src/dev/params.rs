//! Parameters of a request: of its query, or of a form.

use std::collections::HashSet;

use url::form_urlencoded;

/// Parameters in their order. Empty values count as missing (RFC 6749 §3.1).
#[derive(Default)]
pub(super) struct Params(Vec<(String, String)>);

impl Params {
    pub(super) fn parse(encoded: &[u8]) -> Self {
        Self(form_urlencoded::parse(encoded).into_owned().collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.raw(name).filter(|value| !value.is_empty())
    }

    /// A parameter that may be there and empty.
    pub(super) fn raw(&self, name: &str) -> Option<&str> {
        let value = self.0.iter().find(|(other, _)| other == name);
        value.map(|(_, value)| value.as_str())
    }

    /// Every value of a parameter that may stand several times.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let values = self.0.iter().filter(move |(other, _)| other == name);
        values.map(|(_, value)| value.as_str())
    }

    /// A parameter stands twice that must not (RFC 6749 §3.2); `audience` and `resource` may (RFC 8693 §2.1).
    pub(super) fn has_duplicates(&self) -> bool {
        let mut seen = HashSet::with_capacity(self.0.len());
        self.0
            .iter()
            .any(|(name, _)| !matches!(name.as_str(), "audience" | "resource") && !seen.insert(name))
    }
}
