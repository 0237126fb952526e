//! What can be true of a caller, as far as an expression asks.

use crate::ast::{Kind, Requirement};

/// What the expression joins.
pub(super) fn joined(requirement: &Requirement) -> &[Requirement] {
    match &requirement.kind {
        Kind::All(operands) | Kind::Any(operands) => operands,
        Kind::Not(operand) => std::slice::from_ref(operand),
        _ => &[],
    }
}

/// Whether no operand says anything about another one. Whatever joins them then holds for some callers, and not for others.
pub(super) fn is_independent(requirement: &Requirement) -> bool {
    let operands = Operand::all_of(requirement);
    let mut pairs = operands
        .iter()
        .enumerate()
        .flat_map(|(index, one)| operands[..index].iter().map(move |other| (one, other)));
    pairs.all(|(one, other)| !one.is_related(other))
}

/// An operand that joins nothing.
pub(super) struct Operand<'a> {
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

    /// All in an expression, in its order.
    pub(super) fn all_of(requirement: &'a Requirement) -> Vec<Self> {
        match joined(requirement) {
            [] => vec![Self::new(requirement)],
            operands => operands.iter().flat_map(Self::all_of).collect(),
        }
    }

    /// Whether one says something about the other.
    pub(super) fn is_related(&self, other: &Self) -> bool {
        self.meaning == other.meaning || self.implies(other) || other.implies(self) || self.excludes(other)
    }

    /// Whether nobody meets both: a token has one `acr`.
    fn excludes(&self, other: &Self) -> bool {
        matches!((self.kind, other.kind), (Kind::Acr(one), Kind::Acr(other)) if one.text != other.text)
    }
}

/// All that can be true of a caller, as far as the operands ask.
pub(super) struct Worlds<'a> {
    operands: Vec<Operand<'a>>,
    /// One bit an operand.
    possible: Vec<u32>,
}

impl<'a> Worlds<'a> {
    /// `None` where there are more than `most` different operands.
    pub(super) fn of(requirements: impl IntoIterator<Item = &'a Requirement>, most: usize) -> Option<Self> {
        let mut operands: Vec<Operand<'_>> = Vec::new();
        for operand in requirements.into_iter().flat_map(Operand::all_of) {
            if operands.iter().all(|known| known.meaning != operand.meaning) {
                operands.push(operand);
            }
        }
        if operands.len() > most {
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
    pub(super) fn truth(&self, requirement: &Requirement) -> Vec<bool> {
        self.possible
            .iter()
            .map(|world| self.holds(requirement, *world))
            .collect()
    }
}
