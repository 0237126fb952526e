//! Expressions that never hold, that always hold, or that say something twice: found by trying every combination of what
//! can be true of a caller.

use proc_macro2::TokenTree;

use crate::{
    ast::{Kind, Requirement},
    errors::Errors,
    parse::text,
};

use super::worlds::{Operand, Worlds, is_independent, joined};

/// With more different operands than this not all is tried: 1024 combinations take no time, unlike a million of them.
const MOST_OPERANDS: usize = 10;

/// Then every two that are joined are tried, if they are no larger than this.
const MOST_OPERANDS_OF_A_PAIR: usize = 6;

/// Reports what is wrong with the meaning of an expression.
pub(super) fn check(requirement: &Requirement, errors: &mut Errors) {
    if is_independent(requirement) {
        // No combination is worth a try.
        return Truth(None).needless(requirement, errors);
    }
    let worlds = Worlds::of([requirement], MOST_OPERANDS);
    let truth = Truth(worlds.as_ref());
    let before = errors.count();
    truth.constant(requirement, errors);
    if errors.count() == before {
        truth.needless(requirement, errors);
    }
}

/// The same for what lists join. They cannot contradict each other.
pub(super) fn check_lists(operands: &[Requirement], is_all: bool, errors: &mut Errors) {
    Truth(None).implied(operands, is_all, errors);
}

/// The worlds of the whole expression, or none where they are too many.
struct Truth<'w, 'a>(Option<&'w Worlds<'a>>);

impl Truth<'_, '_> {
    /// Reports the innermost expressions that are the same for every caller.
    fn constant(&self, requirement: &Requirement, errors: &mut Errors) {
        let before = errors.count();
        for operand in joined(requirement) {
            self.constant(operand, errors);
        }
        if errors.count() > before {
            return;
        }
        let operands = joined(requirement);
        let truth = match self.0 {
            Some(worlds) => Some(worlds.truth(requirement)),
            None => Worlds::of([requirement], MOST_OPERANDS).map(|worlds| worlds.truth(requirement)),
        };
        // Where it is not known, two that are joined may tell.
        let (always, never) = match &truth {
            Some(truth) => (truth.iter().all(|holds| *holds), truth.iter().all(|holds| !holds)),
            None => (
                matches!(requirement.kind, Kind::Any(_)),
                matches!(requirement.kind, Kind::All(_)),
            ),
        };
        if always {
            match self.first_pair(operands, |one, other| one || other) {
                Some((first, second)) => errors.report(
                    &second.at,
                    format!("everyone meets `{}` or `{}`", text(&first.at), text(&second.at)),
                    "remove one of the two, or write `authenticated` if every caller is meant",
                ),
                None if truth.is_none() => {}
                None => errors.report(
                    &requirement.at,
                    format!("everyone meets `{}`", text(&requirement.at)),
                    "remove one of its requirements, or write `authenticated` if every caller is meant",
                ),
            }
        } else if never {
            match self.first_pair(operands, |one, other| !(one && other)) {
                Some((first, second)) => errors.report(
                    &second.at,
                    format!("nobody meets both `{}` and `{}`", text(&first.at), text(&second.at)),
                    "remove one of the two, or join them by `any(…)`",
                ),
                None if truth.is_none() => {}
                None => errors.report(
                    &requirement.at,
                    format!("nobody meets `{}`", text(&requirement.at)),
                    "its requirements exclude each other; remove one of them",
                ),
            }
        }
    }

    /// The first two of which `wanted` is true in every world.
    fn first_pair<'r>(
        &self,
        operands: &'r [Requirement],
        wanted: impl Fn(bool, bool) -> bool,
    ) -> Option<(&'r Requirement, &'r Requirement)> {
        let is_wanted = |one: &[bool], other: &[bool]| one.iter().zip(other).all(|(one, other)| wanted(*one, *other));
        let pairs = (0..operands.len()).flat_map(|second| (0..second).map(move |first| (first, second)));
        let found = match self.0 {
            Some(worlds) => {
                let truths: Vec<_> = operands.iter().map(|operand| worlds.truth(operand)).collect();
                pairs
                    .into_iter()
                    .find(|(first, second)| is_wanted(&truths[*first], &truths[*second]))
            }
            None => {
                let known: Vec<_> = operands.iter().map(Operand::all_of).collect();
                pairs
                    .into_iter()
                    // Of two that have nothing to do with each other, one says nothing about the other.
                    .filter(|(first, second)| {
                        let mut some = known[*first].iter();
                        some.any(|one| known[*second].iter().any(|other| one.is_related(other)))
                    })
                    .find(|(first, second)| {
                        let pair = [&operands[*first], &operands[*second]];
                        Worlds::of(pair, MOST_OPERANDS_OF_A_PAIR).is_some_and(|worlds| {
                            let [one, other] = pair.map(|operand| worlds.truth(operand));
                            is_wanted(&one, &other)
                        })
                    })
            }
        };
        found.map(|(first, second)| (&operands[first], &operands[second]))
    }

    /// Warns of what can be left out.
    fn needless(&self, requirement: &Requirement, errors: &mut Errors) {
        match &requirement.kind {
            Kind::Not(inner) => {
                if let Kind::Not(operand) = &inner.kind {
                    errors.warn(
                        &requirement.at,
                        format!("`{}` turns its requirement around twice", text(&requirement.at)),
                        format!("write `{}`", text(&operand.at)),
                    );
                }
            }
            Kind::All(operands) | Kind::Any(operands) => {
                if let [operand] = operands.as_slice() {
                    errors.warn(
                        &requirement.at,
                        format!("`{}` joins a single requirement", text(&requirement.at)),
                        format!("write `{}`", text(&operand.at)),
                    );
                }
                let is_all = matches!(requirement.kind, Kind::All(_));
                let word = if is_all { "all" } else { "any" };
                for operand in operands {
                    let is_same = matches!((&operand.kind, is_all), (Kind::All(_), true) | (Kind::Any(_), false));
                    if is_same && operands.len() > 1 && joined(operand).len() > 1 {
                        errors.warn(
                            &operand.at,
                            format!("`{word}` inside `{word}`"),
                            "write its requirements beside the others",
                        );
                    }
                }
                self.implied(operands, is_all, errors);
            }
            _ => {}
        }
        for operand in joined(requirement) {
            self.needless(operand, errors);
        }
    }

    /// Warns of an operand that changes nothing beside another one.
    fn implied(&self, operands: &[Requirement], is_all: bool, errors: &mut Errors) {
        // Whoever meets the first meets the second: beside each other, `all` does not need the second, `any` not the first.
        let forth = self.first_pair(operands, |one, other| !one || other);
        let back = self
            .first_pair(operands, |one, other| one || !other)
            .map(|(first, second)| (second, first));
        let Some((strict, loose)) = forth.or(back) else {
            return;
        };
        let superfluous = if is_all { loose } else { strict };
        errors.warn(
            &superfluous.at,
            format!("whoever meets `{}` meets `{}` as well", shown(strict), shown(loose)),
            format!("remove `{}`, which changes nothing here", text(&superfluous.at)),
        );
    }
}

/// A requirement as an expression. One of a list stands there as a name only.
fn shown(requirement: &Requirement) -> String {
    match requirement.at.clone().into_iter().next() {
        Some(TokenTree::Literal(_)) => requirement.kind.meaning(),
        _ => text(&requirement.at),
    }
}
