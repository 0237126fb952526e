//! What can be wrong with a realm file, and with starting its server.

use std::{fmt, io, net::SocketAddr, path::PathBuf};

/// Why a realm file is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RealmFileError {
    /// The file cannot be read.
    #[error("cannot read the realm file `{}`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The text is not JSON, or a member does not have the type that Keycloak gives it.
    #[error("{member}: {problem}")]
    Malformed {
        /// The path of the member, such as `users[2].email`; `.` where the text is not JSON at all.
        member: String,
        /// What is wrong with it, with line and column.
        problem: serde_json::Error,
    },
    /// A member that is JSON of the right type says something that cannot be.
    #[error("{member}: {problem}")]
    Invalid {
        /// The path of the member, such as `users[2].realmRoles[0]`.
        member: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl RealmFileError {
    pub(super) fn invalid(member: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Invalid {
            member: member.into(),
            problem: problem.into(),
        }
    }
}

/// Why a realm cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address is not a loopback one. A development realm has passwords that everybody can read.
    #[error("a development realm listens on loopback only, not on `{0}`")]
    NotLoopback(SocketAddr),
    /// The address cannot be bound.
    #[error("cannot listen on `{address}`")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
}

/// Something that a realm file asks for and the embedded realm does not do.
///
/// Its text names the member of the file and what happens in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RealmWarning {
    member: String,
    text: String,
}

impl RealmWarning {
    pub(super) fn new(member: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            member: member.into(),
            text: text.into(),
        }
    }

    /// The path of the member, such as `clients[3].protocolMappers[0]`.
    #[must_use]
    pub fn member(&self) -> &str {
        &self.member
    }
}

impl fmt::Display for RealmWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.member, self.text)
    }
}
