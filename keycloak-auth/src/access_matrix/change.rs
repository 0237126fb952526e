//! How one policy became another, in words, as far as they are exact.

use std::fmt;

/// What a change of a policy means for callers; both as they are displayed.
pub(super) fn change(before: &str, after: &str) -> String {
    // With notes, such as that a policy is not enforced.
    if before.ends_with(']') || after.ends_with(']') {
        return format!("was `{before}`, is `{after}`");
    }
    match (before, after) {
        ("public", "authenticated") => return "still everybody, but with a token".to_owned(),
        ("authenticated", "public") => return "now everybody, also without a token".to_owned(),
        (_, "public") => return format!("now everybody, without a token (was `{before}`)"),
        (_, "authenticated") => return format!("now everybody with a token (was `{before}`)"),
        ("public", _) => return format!("no longer everybody: now `{after}`"),
        ("authenticated", _) => return format!("no longer everybody with a token: now `{after}`"),
        _ => {}
    }
    let (old, new) = (Requirement::parse(before), Requirement::parse(after));
    if old.is_same(&new) {
        return "written in another order, access is the same".to_owned();
    }
    difference(&old, &new).unwrap_or_else(|| format!("was `{before}`, is `{after}`"))
}

/// What is in one list of requirements and not in the other, also where such a list is an operand of another one. `None` where
/// they have nothing in common.
fn difference(old: &Requirement<'_>, new: &Requirement<'_>) -> Option<String> {
    for (word, added_words, removed_words) in [
        ("any", "now also", "no longer"),
        ("all", "now also requires", "no longer requires"),
    ] {
        if !old.is_list(word) && !new.is_list(word) {
            continue;
        }
        let (before, after) = (old.operands(word), new.operands(word));
        let added = missing_in(before, after);
        let removed = missing_in(after, before);
        if added.len() == after.len() {
            continue;
        }
        // Neither list is below a `not`, so who gains in an operand does not lose by it.
        if let ([added], [removed]) = (&added[..], &removed[..])
            && let Some(inner) = difference(removed, added)
        {
            return Some(format!("in `{removed}`: {inner}"));
        }
        return Some(match (added.is_empty(), removed.is_empty()) {
            (_, true) => format!("{added_words} {}", listed(&added)),
            (true, false) => format!("{removed_words} {}", listed(&removed)),
            (false, false) => {
                format!("{added_words} {}, {removed_words} {}", listed(&added), listed(&removed))
            }
        });
    }
    None
}

fn missing_in<'r, 't>(list: &[Requirement<'t>], operands: &'r [Requirement<'t>]) -> Vec<&'r Requirement<'t>> {
    let is_missing = |operand: &&Requirement<'_>| !list.iter().any(|other| other.is_same(operand));
    operands.iter().filter(is_missing).collect()
}

fn listed(operands: &[&Requirement<'_>]) -> String {
    let operands = operands.iter().map(|operand| format!("`{operand}`"));
    operands.collect::<Vec<_>>().join(", ")
}

/// A policy as text, taken apart at `any(…)` and `all(…)`. A list in a list of the same kind is part of that, and a list of one
/// is that one.
#[derive(Clone, Debug)]
enum Requirement<'t> {
    Single(&'t str),
    List(&'static str, Vec<Self>),
}

impl<'t> Requirement<'t> {
    fn parse(policy: &'t str) -> Self {
        for word in ["any", "all"] {
            let inside = policy.strip_prefix(word).and_then(|rest| rest.strip_prefix('('));
            let Some(inside) = inside.and_then(|rest| rest.strip_suffix(')')) else {
                continue;
            };
            if inside.is_empty() {
                break;
            }
            let mut operands = Vec::new();
            for operand in split(inside) {
                match Self::parse(operand) {
                    Self::List(inner, nested) if inner == word => operands.extend(nested),
                    other => operands.push(other),
                }
            }
            return match operands.len() {
                1 => operands.remove(0),
                _ => Self::List(word, operands),
            };
        }
        Self::Single(policy)
    }

    fn is_list(&self, kind: &str) -> bool {
        matches!(self, Self::List(word, _) if *word == kind)
    }

    /// Those of a list of this kind; anything else is one operand itself.
    fn operands(&self, kind: &str) -> &[Self] {
        match self {
            Self::List(word, operands) if *word == kind => operands,
            other => std::slice::from_ref(other),
        }
    }

    /// Whether both let in the same callers, whatever the order of what they list.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Single(one), Self::Single(other)) => one == other,
            (Self::List(word, ours), Self::List(other, theirs)) => {
                word == other && missing_in(ours, theirs).is_empty() && missing_in(theirs, ours).is_empty()
            }
            _ => false,
        }
    }
}

impl fmt::Display for Requirement<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Single(text) => f.write_str(text),
            Self::List(word, operands) => {
                let operands: Vec<_> = operands.iter().map(ToString::to_string).collect();
                write!(f, "{word}({})", operands.join(", "))
            }
        }
    }
}

/// At the commas that are neither in parentheses nor in quotes.
fn split(list: &str) -> Vec<&str> {
    let (mut operands, mut begin, mut depth, mut quoted, mut escaped) = (Vec::new(), 0, 0_usize, false, false);
    for (at, character) in list.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                operands.push(list[begin..at].trim());
                begin = at + 1;
            }
            _ => {}
        }
    }
    operands.push(list[begin..].trim());
    operands
}
