//! The matrix under version control: one line for each route, and a difference that can be read.

use std::{
    collections::BTreeMap,
    env,
    fmt::{self, Write as _},
    fs, io,
    path::Path,
};

use super::{AccessMatrix, AccessRow, change::change};

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
    #[must_use]
    pub fn to_snapshot(&self) -> String {
        self.rows.iter().fold(String::new(), |mut text, row| {
            let _ = writeln!(text, "{} {} {}", row.method(), row.path(), described(row));
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

/// The policies of each route, by `METHOD path`: several where public routers were merged.
fn entries(snapshot: &str) -> BTreeMap<(&str, &str), Vec<&str>> {
    let mut entries: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for line in snapshot.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
        let mut words = line.splitn(3, ' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let policies = entries.entry((path, method)).or_default();
        policies.push(words.next().unwrap_or_default());
        policies.sort_unstable();
    }
    entries
}

type Entries<'t> = BTreeMap<(&'t str, &'t str), Vec<&'t str>>;

fn changes(old: &Entries<'_>, new: &Entries<'_>) -> Vec<String> {
    let mut changes = Vec::new();
    for (route @ (path, method), policies) in new {
        let Some(before) = old.get(route) else {
            let added = policies
                .iter()
                .map(|policy| format!("new route `{method} {path}`: `{policy}`"));
            changes.extend(added);
            continue;
        };
        if let ([before], [after]) = (before.as_slice(), policies.as_slice()) {
            if before != after {
                changes.push(format!("`{method} {path}`: {}", change(before, after)));
            }
        } else if before != policies {
            changes.push(format!(
                "`{method} {path}`: was `{}`, is `{}`",
                before.join("`, `"),
                policies.join("`, `")
            ));
        }
    }
    for ((path, method), policies) in old.iter().filter(|(route, _)| !new.contains_key(route)) {
        changes.push(format!("removed `{method} {path}`: was `{}`", policies.join("`, `")));
    }
    changes
}
