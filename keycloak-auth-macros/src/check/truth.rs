//! Expressions that never hold, that always hold, or that say something twice: found by trying every combination of what
//! can be true of a caller.

use crate::{
    ast::{Kind, Requirement},
    errors::Errors,
    parse::text,
};

/// With more different operands than this nothing is tried: 1024 combinations take no time, unlike a million of them.
const MOST_OPERANDS: usize = 10;

/// Reports what is wrong with the meaning of an expression.
pub(super) fn check(requirement: &Requirement, errors: &mut Errors) {
    let mut operands = Vec::new();
    collect(requirement, &mut operands);
    let Some(worlds) = Worlds::new(operands) else {
        return;
    };
    let before = errors.count();
    worlds.constant(requirement, errors);
    if errors.count() == before {
        worlds.needless(requirement, errors);
    }
}

/// What the expression joins.
fn joined(requirement: &Requirement) -> &[Requirement] {
    match &requirement.kind {
        Kind::All(operands) | Kind::Any(operands) => operands,
        Kind::Not(operand) => std::slice::from_ref(operand),
        _ => &[],
    }
}

/// Operands that mean the same are one.
fn collect<'a>(requirement: &'a Requirement, into: &mut Vec<Operand<'a>>) {
    let operands = joined(requirement);
    if operands.is_empty() {
        let operand = Operand::new(requirement);
        if into.iter().all(|known| known.meaning != operand.meaning) {
            into.push(operand);
        }
    }
    for operand in operands {
        collect(operand, into);
    }
}

/// An operand that joins nothing.
struct Operand<'a> {
    kind: &'a Kind,
    meaning: String,
}

impl<'a> Operand<'a> {
    fn new(requirement: &'a Requirement) -> Self {
        Self {
            kind: &requirement.kind,
            meaning: requirement.kind.meaning(),
        }
    }

    /// Whether whoever meets this one meets the other.
    fn implies(&self, other: &Self) -> bool {
        match (self.kind, other.kind) {
            (Kind::RealmRole(role), Kind::Role(any)) => role.text == any.text,
            (Kind::Group(path) | Kind::GroupTree(path), Kind::GroupTree(tree)) => path
                .text
                .strip_prefix(&tree.text)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
            (Kind::MaxAge(age), Kind::MaxAge(limit)) => age <= limit,
            _ => false,
        }
    }

    /// Whether nobody meets both: a token has one `acr`.
    fn excludes(&self, other: &Self) -> bool {
        matches!((self.kind, other.kind), (Kind::Acr(one), Kind::Acr(other)) if one.text != other.text)
    }
}

/// All that can be true of a caller, as far as the operands ask.
struct Worlds<'a> {
    operands: Vec<Operand<'a>>,
    /// One bit an operand.
    possible: Vec<u32>,
}

impl<'a> Worlds<'a> {
    fn new(operands: Vec<Operand<'a>>) -> Option<Self> {
        if operands.len() > MOST_OPERANDS {
            return None;
        }
        let is_met = |world: u32, index: usize| world & (1 << index) != 0;
        let is_possible = |world: &u32| {
            operands.iter().enumerate().all(|(one, operand)| {
                operands.iter().enumerate().all(|(other, another)| {
                    let (met, other_met) = (is_met(*world, one), is_met(*world, other));
                    one == other
                        || !met
                        || if other_met {
                            !operand.excludes(another)
                        } else {
                            !operand.implies(another)
                        }
                })
            })
        };
        let possible = (0..1 << operands.len()).filter(is_possible).collect();
        Some(Self { operands, possible })
    }

    fn holds(&self, requirement: &Requirement, world: u32) -> bool {
        match &requirement.kind {
            Kind::All(operands) => operands.iter().all(|operand| self.holds(operand, world)),
            Kind::Any(operands) => operands.iter().any(|operand| self.holds(operand, world)),
            Kind::Not(operand) => !self.holds(operand, world),
            _ => {
                let meaning = Operand::new(requirement).meaning;
                let index = self.operands.iter().position(|operand| operand.meaning == meaning);
                index.is_some_and(|index| world & (1 << index) != 0)
            }
        }
    }

    /// In which of the worlds it holds.
    fn truth(&self, requirement: &Requirement) -> Vec<bool> {
        self.possible
            .iter()
            .map(|world| self.holds(requirement, *world))
            .collect()
    }

    /// Reports the innermost expressions that are the same for every caller.
    fn constant(&self, requirement: &Requirement, errors: &mut Errors) {
        let before = errors.count();
        for operand in joined(requirement) {
            self.constant(operand, errors);
        }
        if errors.count() > before {
            return;
        }
        let truth = self.truth(requirement);
        let (always, never) = (truth.iter().all(|holds| *holds), truth.iter().all(|holds| !holds));
        let operands = joined(requirement);
        if always {
            match self.first_pair(operands, |one, other| one || other) {
                Some((first, second)) => errors.report(
                    &second.at,
                    format!("everyone meets `{}` or `{}`", text(&first.at), text(&second.at)),
                    "remove one of the two, or write `authenticated` if every caller is meant",
                ),
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
        let truths: Vec<_> = operands.iter().map(|operand| self.truth(operand)).collect();
        let is_wanted = |first: usize, second: usize| {
            let mut both = truths[first].iter().zip(&truths[second]);
            both.all(|(one, other)| wanted(*one, *other))
        };
        (0..operands.len())
            .flat_map(|second| (0..second).map(move |first| (first, second)))
            .find(|(first, second)| is_wanted(*first, *second))
            .map(|(first, second)| (&operands[first], &operands[second]))
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
            format!(
                "whoever meets `{}` meets `{}` as well",
                text(&strict.at),
                text(&loose.at)
            ),
            format!("remove `{}`, which changes nothing here", text(&superfluous.at)),
        );
    }
}
