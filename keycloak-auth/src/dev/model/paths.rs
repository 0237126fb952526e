//! The path of a member of a realm file, for error messages.

use std::fmt;

use crate::dev::error::RealmFileError;

/// The path of a member, such as `users[2].realmRoles[0]`.
#[derive(Clone, Debug)]
pub(in crate::dev) struct Path(String);

impl Path {
    pub(in crate::dev) fn new(member: &str) -> Self {
        Self(member.to_owned())
    }

    pub(in crate::dev) fn member(&self, name: &str) -> Self {
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
        if !name.is_empty() && name.chars().all(plain) {
            Self(format!("{}.{name}", self.0))
        } else {
            Self(format!("{}[{name:?}]", self.0))
        }
    }

    pub(in crate::dev) fn item(&self, number: usize) -> Self {
        Self(format!("{}[{number}]", self.0))
    }

    /// The error that this member is wrong.
    pub(in crate::dev) fn invalid(&self, problem: impl Into<String>) -> RealmFileError {
        RealmFileError::invalid(self.0.clone(), problem)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
