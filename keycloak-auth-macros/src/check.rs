//! What the entries mean together: one policy, or the mistakes that keep them from being one.

mod combinations;
mod doubtful;
mod existence;
mod names;
mod truth;
mod worlds;

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;

use crate::{
    ast::{Arguments, Entry, Join, Kind, List, ListKind, Name, Requirement},
    errors::Errors,
    realm::Realm,
};

/// Where a policy stands, for what the messages say.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Attribute,
    Macro,
}

/// The policy of the arguments, with the names that the realm has. `None` after a mistake, which has been reported.
pub(crate) fn policy(
    arguments: Arguments,
    place: Place,
    realm: Option<&Realm>,
    errors: &mut Errors,
) -> Option<Requirement> {
    let entries = arguments.entries;
    if entries.is_empty() {
        if errors.is_empty() {
            empty(place, errors);
        }
        return None;
    }
    // Behind a mistake entries may be missing, so that nothing is said about what is not there.
    let complete = errors.is_empty();
    combinations::stands_alone(&entries, errors);
    combinations::joins(&entries, complete, errors);
    combinations::expressions(&entries, errors);
    combinations::duplicated_lists(&entries, errors);

    let mut join = Join::All;
    let mut operands = Vec::new();
    for entry in entries {
        match entry {
            Entry::Public(word) => operands.push(alone(word, Kind::Public)),
            Entry::Authenticated(word) => operands.push(alone(word, Kind::Authenticated)),
            Entry::Join(_, said) => join = said,
            Entry::List(mut list) => {
                let before = errors.count();
                names::check_list(&mut list, errors);
                if errors.count() == before {
                    doubtful::check_list(&list, realm, errors);
                }
                if let Some(realm) = realm
                    && errors.count() == before
                {
                    existence::check_list(&list, realm, errors);
                }
                operands.extend(list_operands(list));
            }
            Entry::Expression(mut requirement) => {
                let before = errors.count();
                names::check(&mut requirement, errors);
                if errors.count() == before {
                    doubtful::check(&requirement, realm, errors);
                }
                if let Some(realm) = realm
                    && errors.count() == before
                {
                    existence::check(&requirement, realm, errors);
                }
                operands.push(requirement);
            }
        }
    }
    combinations::duplicates(&operands, errors);
    if !errors.is_empty() {
        return None;
    }
    match operands.as_slice() {
        [operand] => truth::check(operand, errors),
        operands => truth::check_lists(operands, join == Join::All, errors),
    }
    if !errors.is_empty() {
        return None;
    }
    match (operands.len(), join) {
        (1, _) => operands.pop(),
        (_, Join::All) => Some(joined(Kind::All(operands))),
        (_, Join::Any) => Some(joined(Kind::Any(operands))),
    }
}

fn empty(place: Place, errors: &mut Errors) {
    match place {
        Place::Attribute => errors.report(
            TokenStream::new(),
            "`#[keycloak]` does not say who may call this handler",
            "write `#[keycloak(public)]` for everyone, `#[keycloak(authenticated)]` for every caller with a valid token, \
             or what the caller needs, such as `#[keycloak(roles = \"admin\")]`",
        ),
        Place::Macro => errors.report(
            TokenStream::new(),
            "`policy!` is empty",
            "write what the caller needs, such as `policy!(roles = \"admin\")`",
        ),
    }
}

fn alone(word: Ident, kind: Kind) -> Requirement {
    Requirement {
        at: word.into_token_stream(),
        kind,
    }
}

fn joined(kind: Kind) -> Requirement {
    Requirement {
        at: TokenStream::new(),
        kind,
    }
}

fn list_operands(list: List) -> Vec<Requirement> {
    let kind = list.kind;
    list.values
        .into_iter()
        .map(|name| Requirement {
            at: name.literal.to_token_stream(),
            kind: list_operand(&kind, name),
        })
        .collect()
}

fn list_operand(kind: &ListKind, name: Name) -> Kind {
    match kind {
        ListKind::Roles => Kind::Role(name),
        ListKind::RealmRoles => Kind::RealmRole(name),
        ListKind::ClientRoles(client) => Kind::ClientRole {
            client: client.clone(),
            role: name,
        },
        ListKind::Groups => Kind::Group(name),
        ListKind::Scopes => Kind::Scope(name),
    }
}
