//! Who may call a route, in the lines of a snapshot and in the words of its comparison.

use std::collections::BTreeMap;

use super::{Access, AccessRow, Subject, SubjectKind};

/// What a line about a subject begins with; one about a route has no blank there.
pub(super) const INDENT: &str = "  ";

/// The line below a route that lets in none of the subjects.
const NOBODY: &str = "nobody";

/// The lines below the one of a route: each subject that it lets in, or may let in. None where everybody is let in.
pub(super) fn lines(row: &AccessRow, subjects: &[&Subject]) -> Vec<String> {
    if subjects.is_empty() || is_for_everybody(&row.policy().to_string()) {
        return Vec::new();
    }
    let admitted = subjects
        .iter()
        .map(|subject| (subject, subject.access(row.policy())))
        .filter(|(_, access)| *access != Access::Deny);
    let mut lines: Vec<_> = admitted
        // Quoted as a string, so that a name keeps to its line.
        .map(|(subject, access)| {
            format!(
                "{INDENT}{} {} {:?}",
                access.word(),
                subject.kind().word(),
                subject.name()
            )
        })
        .collect();
    if lines.is_empty() {
        lines.push(format!("{INDENT}{NOBODY}"));
    }
    lines
}

/// Whether a policy, as it is displayed, asks nothing of a caller that a realm could change.
pub(super) fn is_for_everybody(policy: &str) -> bool {
    ["public", "authenticated"].iter().any(|word| {
        let notes = policy.strip_prefix(word);
        notes.is_some_and(|notes| notes.is_empty() || notes.starts_with(" ["))
    })
}

/// The subjects that a route lets in, each as it is displayed, and whether that depends on more than roles and groups.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Admitted<'t>(BTreeMap<Place<'t>, bool>);

/// Where a subject stands among the others: its kind in the order of the columns, then its name.
type Place<'t> = (usize, &'t str);

impl<'t> Admitted<'t> {
    /// Takes a line up, without its indentation.
    pub(super) fn add(&mut self, line: &'t str) {
        let Some((access, subject)) = line.split_once(' ') else {
            return;
        };
        let depends = access == Access::Depends.word();
        // Of two subjects of one name, what both may do together is told.
        let known = self.0.entry((rank(subject), subject)).or_insert(depends);
        *known = *known && depends;
    }

    /// Who gained and who lost, one sentence for each way.
    pub(super) fn changes(&self, after: &Self) -> Vec<String> {
        let joined = |before: Option<bool>, now: Option<bool>| {
            let subjects = self
                .0
                .keys()
                .chain(after.0.keys().filter(|subject| !self.0.contains_key(*subject)));
            let mut found: Vec<_> = subjects
                .filter(|subject| (self.0.get(*subject).copied(), after.0.get(*subject).copied()) == (before, now))
                .collect();
            found.sort_unstable();
            let names: Vec<_> = found.into_iter().map(|(_, subject)| shown(subject)).collect();
            names.join(", ")
        };
        let (no, yes, depends) = (None, Some(false), Some(true));
        let lost = [joined(yes, no), joined(depends, no)];
        let lost: Vec<_> = lost.into_iter().filter(|names| !names.is_empty()).collect();
        [
            ("now also ", joined(no, yes)),
            (
                "now also, as far as more than roles and groups is met, ",
                joined(no, depends),
            ),
            ("now in any case ", joined(depends, yes)),
            (
                "only as far as more than roles and groups is met: ",
                joined(yes, depends),
            ),
            ("no longer ", lost.join(", ")),
        ]
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(words, names)| format!("{words}{names}"))
        .collect()
    }
}

fn rank(subject: &str) -> usize {
    let kind = SubjectKind::ALL
        .iter()
        .position(|kind| subject.starts_with(kind.word()));
    kind.unwrap_or(SubjectKind::ALL.len())
}

/// `user "alice"` as in a sentence.
fn shown(subject: &str) -> String {
    match subject.split_once(" \"") {
        Some((kind, name)) => format!("{kind} `{}`", name.strip_suffix('"').unwrap_or(name)),
        None => format!("`{subject}`"),
    }
}
