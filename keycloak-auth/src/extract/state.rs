//! Finding the [`Keycloak`] in a router's state.
//!
//! A guard is generic over the state and cannot demand that a `Keycloak` is in it: in a router that is secured by `secure_with`
//! there need be none. So `SecureRouter::secure_from_state`, which knows that there is one, notes here how to get at it. The
//! note is about the type of the state, not about a router: it holds wherever a state of that type turns up.

use std::{
    any::{Any, TypeId},
    borrow::Cow,
    sync::OnceLock,
};

use axum::extract::FromRef;

use crate::Keycloak;

/// Types of states that have a [`Keycloak`]: a list that only grows, read without a lock.
static FIRST: Link = OnceLock::new();

type Link = OnceLock<Box<Entry>>;

struct Entry {
    state: TypeId,
    keycloak: InState,
    next: Link,
}

/// How to get at the [`Keycloak`] in states of one type.
pub(crate) type InState = fn(&dyn Any) -> Option<Cow<'_, Keycloak>>;

/// Notes that states of type `S` have a [`Keycloak`], and says how to get at it.
pub(crate) fn provide_from_state<S>() -> InState
where
    S: 'static,
    Keycloak: FromRef<S>,
{
    let state = TypeId::of::<S>();
    let mut link = &FIRST;
    loop {
        let entry = link.get_or_init(|| {
            Box::new(Entry {
                state,
                keycloak: keycloak_of::<S>,
                next: OnceLock::new(),
            })
        });
        if entry.state == state {
            return keycloak_of::<S>;
        }
        link = &entry.next;
    }
}

/// The [`Keycloak`] in `state`, if it is known to have one.
pub(super) fn find_in_state<S: 'static>(state: &S) -> Option<Cow<'_, Keycloak>> {
    let wanted = TypeId::of::<S>();
    let mut link = &FIRST;
    while let Some(entry) = link.get() {
        if entry.state == wanted {
            return (entry.keycloak)(state);
        }
        link = &entry.next;
    }
    None
}

fn keycloak_of<S>(state: &dyn Any) -> Option<Cow<'_, Keycloak>>
where
    S: 'static,
    Keycloak: FromRef<S>,
{
    // A state that is one needs no copy of it.
    let itself = state.downcast_ref::<Keycloak>().map(Cow::Borrowed);
    itself.or_else(|| {
        state
            .downcast_ref::<S>()
            .map(|state| Cow::Owned(Keycloak::from_ref(state)))
    })
}
