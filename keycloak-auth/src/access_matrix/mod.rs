//! The access matrix: every route of a service, and who may call it.
//!
//! [`SecureRouter::access_matrix`](crate::SecureRouter::access_matrix) reads it off the running router, so it cannot be
//! out of date: what is listed is what the requests obey. It prints as a text table, Markdown, JSON, CSV and an HTML page.
//!
//! ```
//! use keycloak_auth::{SecureRouter, keycloak, routing::get};
//!
//! #[keycloak(realm_roles = "admin", groups = "/ops", any)]
//! async fn list() {}
//!
//! #[keycloak(realm_roles = "admin")]
//! async fn create() {}
//!
//! #[keycloak(public)]
//! async fn health() {}
//!
//! let router: SecureRouter = SecureRouter::new()
//!     .route("/orders", get(list).post(create))
//!     .route("/health", get(health));
//! let matrix = router.access_matrix();
//! println!("{matrix}");
//! # let table = matrix.to_string();
//! # assert!(table.contains(r#"POST    /orders  realm_role("admin")"#), "{table}");
//! ```
//!
//! # A realm's roles, groups and users
//!
//! [`AccessMatrix::for_realm`] adds a column for every role, group and user of a realm file: what each of them alone may
//! call. [`AccessMatrix::for_subjects`] does it for callers of your own.
//!
//! # Under version control
//!
//! [`AccessMatrix::assert_snapshot`] compares the matrix with a file, in a test: whoever changes a policy sees in words
//! what that means, and the reviewer sees it in the file. After [`for_realm`](AccessMatrix::for_realm) the file also has
//! who may, and whoever changes the realm file sees who gains and who loses.

mod admitted;
mod change;
mod csv;
mod html;
mod markdown;
mod realm_file;
mod response;
mod row;
mod snapshot;
mod subject;
mod text;

use serde::Serialize;

pub use self::{
    realm_file::RealmFileError,
    response::Format,
    row::{AccessRow, RouteKind},
    snapshot::{ACCEPT_SNAPSHOT, SnapshotMismatch},
    subject::{Access, Subject, SubjectKind},
};

/// The method of a row that is about all methods which have no row of their own at that path.
pub const ANY_METHOD: &str = "ANY";

/// Every route of a router with its policy, and what a number of subjects may call; see the [module](self).
#[derive(Clone, Debug, Default)]
pub struct AccessMatrix {
    rows: Vec<AccessRow>,
    subjects: Vec<Subject>,
}

impl AccessMatrix {
    pub(crate) fn new(mut rows: Vec<AccessRow>) -> Self {
        // Stable: routes of the same path and method keep the order in which they were added.
        rows.sort_by(|one, other| one.place().cmp(&other.place()));
        Self {
            rows,
            subjects: Vec::new(),
        }
    }

    /// The routes, ordered by path and method.
    #[must_use]
    pub fn rows(&self) -> &[AccessRow] {
        &self.rows
    }

    /// The columns; none before [`for_realm`](Self::for_realm) or [`for_subjects`](Self::for_subjects).
    #[must_use]
    pub fn subjects(&self) -> &[Subject] {
        &self.subjects
    }

    /// The matrix with these columns, in this order.
    ///
    /// ```
    /// use keycloak_auth::{SecureRouter, access_matrix::{Access, Subject}, keycloak, routing::delete};
    ///
    /// #[keycloak(any(realm_role("admin"), all(group("/ops"), max_age(300))))]
    /// async fn remove() {}
    ///
    /// let router: SecureRouter = SecureRouter::new().route("/orders/{id}", delete(remove));
    /// let matrix = router.access_matrix().for_subjects([Subject::realm_role("admin"), Subject::group("/ops")]);
    /// assert_eq!(matrix.access("admin", "DELETE", "/orders/{id}"), Some(Access::Allow));
    /// assert_eq!(matrix.access("/ops", "DELETE", "/orders/{id}"), Some(Access::Depends));
    /// ```
    #[must_use]
    pub fn for_subjects(mut self, subjects: impl IntoIterator<Item = Subject>) -> Self {
        self.subjects = subjects.into_iter().collect();
        self
    }

    /// The matrix with a column for every realm role, client role, group and user of a realm file, in the format of
    /// Keycloak's export. `client_id` is the client whose roles `role("…")` means beside realm roles.
    ///
    /// Composite roles are expanded, and groups give their roles to their members, as in tokens. A column says what its
    /// subject **alone** may call: a role without any group, a group without any role but its own.
    ///
    /// # Errors
    ///
    /// When the text is no realm file.
    pub fn for_realm(self, realm_file: &str, client_id: &str) -> Result<Self, RealmFileError> {
        let subjects = realm_file::subjects(realm_file, client_id)?;
        Ok(self.for_subjects(subjects))
    }

    /// What the subject of that name may do with a route; `None` when there is no such subject or route. The name is the
    /// one that a column is headed with: that of a realm role or user, a group's path, or `role of client`; where several have
    /// it, the first counts.
    #[must_use]
    pub fn access(&self, subject: &str, method: &str, path: &str) -> Option<Access> {
        let subject = self.subjects.iter().find(|candidate| candidate.name() == subject)?;
        let row = self
            .rows
            .iter()
            .find(|row| row.method() == method && row.path() == path)?;
        Some(subject.access(row.policy()))
    }

    /// The columns of the HTML page: those that were asked for, else what the policies name.
    fn columns(&self) -> Vec<Subject> {
        if self.subjects.is_empty() {
            subject::named_in(self.rows.iter().map(AccessRow::policy))
        } else {
            self.subjects.clone()
        }
    }
}

/// `{"subjects": [{"kind", "name"}], "routes": [{"method", "path", "kind", "handler", "expression", "policy",
/// "report_only", "access"}]}`, where `access` has one word for each subject, in their order.
impl Serialize for AccessMatrix {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Matrix<'a> {
            subjects: Vec<SubjectColumn<'a>>,
            routes: Vec<Route<'a>>,
        }
        #[derive(Serialize)]
        struct SubjectColumn<'a> {
            kind: SubjectKind,
            name: &'a str,
        }
        #[derive(Serialize)]
        struct Route<'a> {
            #[serde(flatten)]
            row: &'a AccessRow,
            /// In the order of the subjects.
            access: Vec<Access>,
        }
        let subjects = self.subjects.iter();
        Matrix {
            subjects: subjects
                .map(|subject| SubjectColumn {
                    kind: subject.kind(),
                    name: subject.name(),
                })
                .collect(),
            routes: self
                .rows
                .iter()
                .map(|row| Route {
                    row,
                    access: self
                        .subjects
                        .iter()
                        .map(|subject| subject.access(row.policy()))
                        .collect(),
                })
                .collect(),
        }
        .serialize(serializer)
    }
}

#[cfg(test)]
mod tests;
