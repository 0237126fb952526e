//! The scopes that a client has to ask for, as alternatives.

use super::Policy;

/// More alternatives than this are not told apart.
const MOST: usize = 16;

impl Policy {
    /// The sets of scopes with one of which the policy can be met, each in the policy's order: `all(…)` puts them
    /// together, `any(…)` side by side. An empty set where the policy can be met without scopes, and where there would be
    /// more than 16 sets.
    #[must_use]
    pub(crate) fn scope_alternatives(&self) -> Vec<Vec<&'static str>> {
        self.alternatives().unwrap_or_else(|| vec![Vec::new()])
    }

    fn alternatives(&self) -> Option<Vec<Vec<&'static str>>> {
        let mut alternatives: Vec<Vec<&'static str>> = Vec::new();
        match self {
            Self::Scope(scope) => alternatives.push(vec![scope]),
            Self::Any(operands @ [_, ..]) => {
                for operand in *operands {
                    for alternative in operand.alternatives()? {
                        if !alternatives.contains(&alternative) {
                            alternatives.push(alternative);
                        }
                    }
                }
            }
            Self::All(operands) => {
                alternatives.push(Vec::new());
                for operand in *operands {
                    let further = operand.alternatives()?;
                    alternatives = alternatives
                        .iter()
                        .flat_map(|known| further.iter().map(|scopes| union(known, scopes)))
                        .collect();
                    if alternatives.len() > MOST {
                        return None;
                    }
                }
            }
            _ => alternatives.push(Vec::new()),
        }
        (alternatives.len() <= MOST).then_some(alternatives)
    }
}

fn union(known: &[&'static str], further: &[&'static str]) -> Vec<&'static str> {
    let mut union = known.to_vec();
    union.extend(further.iter().filter(|scope| !known.contains(scope)));
    union
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternatives_follow_the_structure() {
        const READ: Policy = Policy::Scope("read");
        const WRITE: Policy = Policy::Scope("write");
        const ADMIN: Policy = Policy::RealmRole("admin");
        const EITHER: Policy = Policy::Any(&[READ, WRITE]);
        for (policy, expected) in [
            (ADMIN, &[&[][..]][..]),
            (Policy::Not(&READ), &[&[]]),
            (Policy::Any(&[]), &[&[]]),
            (Policy::All(&[READ, WRITE, READ]), &[&["read", "write"]]),
            (EITHER, &[&["read"], &["write"]]),
            (Policy::Any(&[ADMIN, READ]), &[&[], &["read"]]),
            (
                Policy::All(&[Policy::Scope("orders"), EITHER]),
                &[&["orders", "read"], &["orders", "write"]],
            ),
            (Policy::All(&[EITHER, EITHER, EITHER, EITHER, EITHER]), &[&[]]),
        ] {
            assert_eq!(policy.scope_alternatives(), expected, "{policy}");
        }
    }
}
