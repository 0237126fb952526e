//! A realm file that was read and checked.

use std::{
    fmt, fs,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
};

use super::{
    error::{RealmFileError, RealmWarning, StartError},
    file,
    model::{self, Model, User},
    server::{self, RunningDevRealm},
};
use crate::Clock;

/// A realm file, read and checked, ready to be served.
///
/// ```
/// use keycloak_auth::dev::DevRealm;
///
/// let realm = DevRealm::from_json(r#"{
///     "realm": "acme",
///     "roles": { "realm": [{ "name": "admin" }] },
///     "clients": [{ "clientId": "web", "publicClient": true, "directAccessGrantsEnabled": true }],
///     "users": [{
///         "username": "alice",
///         "enabled": true,
///         "email": "alice@acme.test",
///         "firstName": "Alice",
///         "lastName": "Admin",
///         "credentials": [{ "type": "password", "value": "secret" }],
///         "realmRoles": ["admin"]
///     }]
/// }"#)?;
/// assert_eq!(realm.name(), "acme");
/// assert!(realm.warnings().is_empty());
///
/// let error = DevRealm::from_json(r#"{
///     "realm": "acme",
///     "users": [{ "username": "bob", "realmRoles": ["clerk"] }]
/// }"#).unwrap_err();
/// assert_eq!(error.to_string(), "users[0].realmRoles[0]: there is no realm role `clerk`");
/// # Ok::<(), keycloak_auth::dev::RealmFileError>(())
/// ```
#[derive(Clone)]
pub struct DevRealm {
    pub(super) model: Arc<Model>,
    warnings: Arc<[RealmWarning]>,
    pub(super) clock: Clock,
}

/// A user of a realm file.
#[derive(Clone, Copy)]
pub struct DevUser<'r> {
    user: &'r User,
}

impl DevRealm {
    /// Reads a realm file.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, and as [`from_json`](Self::from_json).
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, RealmFileError> {
        let path = path.as_ref();
        let json = fs::read_to_string(path).map_err(|source| RealmFileError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        Self::from_json(&json)
    }

    /// Reads the text of a realm file: one realm, or the array of realms that an export of a whole server is, of
    /// which the one is taken that is not `master`.
    ///
    /// # Errors
    ///
    /// When the text is not JSON, when a member does not have the type that Keycloak gives it, and when something cannot
    /// be: a realm without a name, several realms beside `master`, a role, group, client or client scope that does not
    /// exist, two of one name, a mapper without its settings. The error names the member, such as
    /// `users[2].realmRoles[0]`.
    pub fn from_json(json: &str) -> Result<Self, RealmFileError> {
        let (file, mut warnings) = file::parse(json)?;
        let model = model::build(file, &mut warnings)?;
        Ok(Self {
            model: Arc::new(model),
            warnings: warnings.into(),
            clock: Clock::system(),
        })
    }

    /// The name of the realm.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.model.name
    }

    /// What the file asks for and this cannot do. It is logged at the start, too.
    #[must_use]
    pub fn warnings(&self) -> &[RealmWarning] {
        &self.warnings
    }

    /// The users of the file who can log in, in its order: all but service accounts.
    pub fn users(&self) -> impl Iterator<Item = DevUser<'_>> {
        let people = self.model.users.iter().filter(|user| user.service_account_of.is_none());
        people.map(|user| DevUser { user })
    }

    /// Tells the time by another clock, for tests of what expires: codes, tokens, sessions. Default: the system's.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Serves the realm on a free port of `127.0.0.1`.
    ///
    /// # Errors
    ///
    /// When there is no such port.
    pub async fn start(self) -> Result<RunningDevRealm, StartError> {
        self.start_at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await
    }

    /// Serves the realm at this address; the port 0 stands for a free one.
    ///
    /// # Errors
    ///
    /// When the address is not a loopback one, which is refused, and when it cannot be bound.
    pub async fn start_at(self, address: SocketAddr) -> Result<RunningDevRealm, StartError> {
        server::start(self, address).await
    }
}

impl fmt::Debug for DevRealm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DevRealm")
            .field("name", &self.model.name)
            .field("warnings", &self.warnings)
            .finish_non_exhaustive()
    }
}

impl<'r> DevUser<'r> {
    /// The name to log in with.
    #[must_use]
    pub fn username(&self) -> &'r str {
        &self.user.username
    }

    /// The password, where the file has it in plain text.
    #[must_use]
    pub fn password(&self) -> Option<&'r str> {
        self.user.plain_password.as_deref()
    }
}

impl fmt::Debug for DevUser<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DevUser")
            .field("username", &self.username())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
