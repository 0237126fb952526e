//! The matrix under version control: one line for each route, and a difference that can be read.

use std::{
    collections::BTreeMap,
    env,
    fmt::{self, Write as _},
    fs, io,
    path::Path,
};

use super::{
    AccessMatrix, AccessRow,
    admitted::{self, Admitted},
    change::change,
};

/// The environment variable that, set to `1`, makes [`AccessMatrix::assert_snapshot`] write the file instead of comparing.
pub const ACCEPT_SNAPSHOT: &str = "ACCEPT_ACCESS_MATRIX";

/// How a matrix differs from its snapshot, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotMismatch {
    changes: Vec<String>,
}

impl SnapshotMismatch {
    /// One sentence for each route that is new, gone or changed.
    #[must_use]
    pub fn changes(&self) -> &[String] {
        &self.changes
    }
}

impl fmt::Display for SnapshotMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for change in &self.changes {
            writeln!(f, "  {change}")?;
        }
        Ok(())
    }
}

impl std::error::Error for SnapshotMismatch {}

impl AccessMatrix {
    /// The text that is kept under version control: a line `METHOD path policy` for each route, with notes in brackets.
    /// Handlers are not named in it, so that it changes only where access does.
    ///
    /// After [`for_realm`](Self::for_realm) or [`for_subjects`](Self::for_subjects) each route is followed by a line for
    /// every role, group and user that it lets in, so that the file also changes where the realm does: where a composite
    /// role got another part, or a user another role. Routes that are `public` or `authenticated` let in all of them, and
    /// are not followed by any.
    ///
    /// ```
    /// # use keycloak_auth::{SecureRouter, keycloak, routing::delete};
    /// #[keycloak(any(realm_role("admin"), all(realm_role("clerk"), max_age(300))))]
    /// async fn remove() {}
    ///
    /// let realm_file = r#"{"realm": "acme", "roles": {"realm": [{"name": "admin"}]}, "users": [
    ///     {"username": "alice", "enabled": true, "realmRoles": ["admin"]},
    ///     {"username": "carol", "enabled": true, "realmRoles": ["clerk"]}]}"#;
    /// let router: SecureRouter = SecureRouter::new().route("/orders/{id}", delete(remove));
    /// assert_eq!(
    ///     router.access_matrix().for_realm(realm_file, "orders-api")?.to_snapshot(),
    ///     r#"DELETE /orders/{id} any(realm_role("admin"), all(realm_role("clerk"), max_age(300)))
    ///   allow realm role "admin"
    ///   allow user "alice"
    ///   depends user "carol"
    /// "#
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn to_snapshot(&self) -> String {
        let mut subjects: Vec<_> = self.subjects.iter().collect();
        subjects.sort_by(|one, other| (one.kind(), one.name()).cmp(&(other.kind(), other.name())));
        self.rows.iter().fold(String::new(), |mut text, row| {
            let _ = writeln!(text, "{} {} {}", row.method(), row.path(), described(row));
            for line in admitted::lines(row, &subjects) {
                let _ = writeln!(text, "{line}");
            }
            text
        })
    }

    /// Compares the matrix with a snapshot.
    ///
    /// ```
    /// # use keycloak_auth::{SecureRouter, keycloak, routing::delete};
    /// #[keycloak(any(realm_role("admin"), realm_role("clerk")))]
    /// async fn remove() {}
    ///
    /// let router: SecureRouter = SecureRouter::new().route("/orders/{id}", delete(remove));
    /// let mismatch = router
    ///     .access_matrix()
    ///     .compare_with_snapshot(r#"DELETE /orders/{id} realm_role("admin")"#)
    ///     .unwrap_err();
    /// assert_eq!(mismatch.changes(), [r#"`DELETE /orders/{id}`: now also `realm_role("clerk")`"#]);
    /// ```
    ///
    /// For a realm it also says who gains and who loses: "`DELETE /orders/{id}`: now also realm role `clerk`, user `bob`".
    ///
    /// # Errors
    ///
    /// When they differ.
    pub fn compare_with_snapshot(&self, snapshot: &str) -> Result<(), SnapshotMismatch> {
        let changes = changes(&entries(snapshot), &entries(&self.to_snapshot()));
        match changes.is_empty() {
            true => Ok(()),
            false => Err(SnapshotMismatch { changes }),
        }
    }

    /// Fails a test when the matrix is not what the file says, and shows in words how access has changed. A relative path
    /// is one from the root of the package, where cargo runs tests.
    ///
    /// With [`ACCEPT_ACCESS_MATRIX=1`](ACCEPT_SNAPSHOT) in the environment it writes the file and passes.
    ///
    /// ```no_run
    /// # use keycloak_auth::SecureRouter;
    /// # fn routes() -> SecureRouter { SecureRouter::new() }
    /// #[test]
    /// fn access_is_what_was_agreed_on() {
    ///     routes().access_matrix().assert_snapshot("access-matrix.txt");
    /// }
    /// ```
    ///
    /// # Panics
    ///
    /// When the matrix differs from the file, there is no file, or it cannot be read or written.
    #[track_caller]
    pub fn assert_snapshot(&self, path: impl AsRef<Path>) {
        let path = path.as_ref();
        let file = path.display();
        if env::var_os(ACCEPT_SNAPSHOT).is_some_and(|value| value == "1") {
            if let Err(error) = fs::write(path, self.to_snapshot()) {
                panic!("the access matrix cannot be written to `{file}`: {error}");
            }
            return;
        }
        let snapshot = match fs::read_to_string(path) {
            Ok(snapshot) => snapshot,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                panic!("there is no access matrix in `{file}`: run the test with {ACCEPT_SNAPSHOT}=1 to write it")
            }
            Err(error) => panic!("the access matrix in `{file}` cannot be read: {error}"),
        };
        if let Err(mismatch) = self.compare_with_snapshot(&snapshot) {
            panic!(
                "access is not what `{file}` says:\n{mismatch}if that is meant, run the test with {ACCEPT_SNAPSHOT}=1"
            );
        }
    }
}

fn described(row: &AccessRow) -> String {
    row.notes()
        .iter()
        .fold(row.policy().to_string(), |text, note| format!("{text} [{note}]"))
}

/// What a snapshot says of a route.
#[derive(Default)]
struct Entry<'t> {
    /// Several where public routers were merged.
    policies: Vec<&'t str>,
    /// None where the snapshot does not say it.
    admitted: Option<Admitted<'t>>,
}

/// By path and method.
type Entries<'t> = BTreeMap<(&'t str, &'t str), Entry<'t>>;

fn entries(snapshot: &str) -> Entries<'_> {
    let mut entries = Entries::new();
    let mut route = ("", "");
    for line in snapshot.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
        if let Some(subject) = line.strip_prefix(admitted::INDENT) {
            let admitted = &mut entries.entry(route).or_default().admitted;
            admitted.get_or_insert_default().add(subject);
            continue;
        }
        let mut words = line.splitn(3, ' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        route = (path, method);
        let policies = &mut entries.entry(route).or_default().policies;
        policies.push(words.next().unwrap_or_default());
        policies.sort_unstable();
    }
    entries
}

fn changes(old: &Entries<'_>, new: &Entries<'_>) -> Vec<String> {
    let mut changes = Vec::new();
    changes.extend(only_one_says_who(old, new).map(str::to_owned));
    for (route @ (path, method), entry) in new {
        let Some(before) = old.get(route) else {
            let added = entry.policies.iter();
            changes.extend(added.map(|policy| format!("new route `{method} {path}`: `{policy}`")));
            continue;
        };
        if let ([before], [after]) = (before.policies.as_slice(), entry.policies.as_slice()) {
            if before != after {
                changes.push(format!("`{method} {path}`: {}", change(before, after)));
            }
        } else if before.policies != entry.policies {
            changes.push(format!(
                "`{method} {path}`: was `{}`, is `{}`",
                before.policies.join("`, `"),
                entry.policies.join("`, `")
            ));
        }
        if let (Some(before), Some(after)) = (&before.admitted, &entry.admitted) {
            let sentences = before.changes(after).into_iter();
            changes.extend(sentences.map(|sentence| format!("`{method} {path}`: {sentence}")));
        }
    }
    for ((path, method), entry) in old.iter().filter(|(route, _)| !new.contains_key(route)) {
        changes.push(format!(
            "removed `{method} {path}`: was `{}`",
            entry.policies.join("`, `")
        ));
    }
    changes
}

/// What is to be said where the roles, groups and users are listed in one snapshot and not in the other.
fn only_one_says_who(old: &Entries<'_>, new: &Entries<'_>) -> Option<&'static str> {
    let says_who = |entries: &Entries<'_>| entries.values().any(|entry| entry.admitted.is_some());
    let is_restricted = |entry: &Entry<'_>| !entry.policies.iter().copied().all(admitted::is_for_everybody);
    let leaves_it_open = |entries: &Entries<'_>| !says_who(entries) && entries.values().any(is_restricted);
    if leaves_it_open(old) && says_who(new) {
        return Some(
            "the snapshot does not say who may: it was written without the roles, groups and users that are listed now",
        );
    }
    (says_who(old) && leaves_it_open(new)).then_some(
        "the snapshot says who may: it was written with `for_realm` or `for_subjects`, which is not called now",
    )
}
