//! Decisions by route, method and outcome: counters that are found without a lock and without allocating.
//!
//! A route is what the router was built with, never what a request asked for, so there are as many as the program has. A
//! table of fixed size holds them all the same: what does not fit is counted together, under one name.

use std::{
    fmt,
    hash::{BuildHasher as _, Hasher as _},
    sync::OnceLock,
};

use foldhash::fast::RandomState;
use http::{Extensions, Method};

use super::PreparedCounter;
use crate::route::{METHODS, number_of, route_of};

/// The route of all that the table has no room for.
const OTHER_ROUTE: &str = "(other)";

/// How many pairs of route and method are told apart, at most.
const SLOTS: usize = 1024;

/// How many slots are looked at before a pair counts as one of the others.
const PROBES: usize = 64;

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Allowed,
    Denied,
    StepUp,
    Unauthenticated,
    InvalidToken,
    InvalidRequest,
    Unavailable,
    WouldDeny,
}

impl Outcome {
    pub(crate) const ALL: [Self; 8] = [
        Self::Allowed,
        Self::Denied,
        Self::StepUp,
        Self::Unauthenticated,
        Self::InvalidToken,
        Self::InvalidRequest,
        Self::Unavailable,
        Self::WouldDeny,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
            Self::StepUp => "step_up",
            Self::Unauthenticated => "unauthenticated",
            Self::InvalidToken => "invalid_token",
            Self::InvalidRequest => "invalid_request",
            Self::Unavailable => "unavailable",
            Self::WouldDeny => "would_deny",
        }
    }
}

/// The counters by route and method.
pub(super) struct Decisions {
    slots: Box<[OnceLock<Box<Route>>]>,
    hasher: RandomState,
    others: Route,
}

/// A route with one of its methods, and a counter for each outcome that was seen.
pub(super) struct Route {
    route: Box<str>,
    method: usize,
    counters: [Counter; Outcome::ALL.len()],
}

/// `None` once it is known that the collector does not prepare counters.
type Counter = OnceLock<Option<Box<dyn PreparedCounter>>>;

impl Decisions {
    pub(super) fn new() -> Self {
        Self {
            slots: (0..SLOTS).map(|_| OnceLock::new()).collect(),
            hasher: RandomState::default(),
            others: Route::new(OTHER_ROUTE, METHODS.len() - 1),
        }
    }

    /// The counters of a request's route.
    pub(super) fn of(&self, extensions: &Extensions, method: &Method) -> &Route {
        self.find(route_of(extensions), number_of(method))
    }

    fn find(&self, route: &str, method: usize) -> &Route {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(route.as_bytes());
        hasher.write_usize(method);
        let first = hasher.finish();
        for step in 0..PROBES {
            let slot = first.wrapping_add(step as u64) as usize % SLOTS;
            // An empty slot becomes this route's, unless another request was faster.
            let found = self.slots[slot].get_or_init(|| Box::new(Route::new(route, method)));
            if found.method == method && *found.route == *route {
                return found;
            }
        }
        &self.others
    }
}

impl Route {
    fn new(route: &str, method: usize) -> Self {
        Self {
            route: route.into(),
            method,
            counters: [const { OnceLock::new() }; Outcome::ALL.len()],
        }
    }

    pub(super) fn route(&self) -> &str {
        &self.route
    }

    pub(super) fn method(&self) -> &'static str {
        METHODS[self.method]
    }

    pub(super) fn counter(&self, outcome: Outcome) -> &Counter {
        &self.counters[outcome as usize]
    }
}

impl fmt::Debug for Decisions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decisions").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::route::NO_ROUTE;

    #[test]
    fn outcomes_stand_in_all_at_the_place_of_their_number_and_in_the_table() {
        let table = include_str!("../docs/metrics.md");
        for (number, outcome) in Outcome::ALL.into_iter().enumerate() {
            assert_eq!(outcome as usize, number);
            let row = format!("| `{}` |", outcome.as_str());
            assert!(table.contains(&row), "{row}");
        }
        for constant in [NO_ROUTE, OTHER_ROUTE, "_OTHER"] {
            assert!(table.contains(&format!("`{constant}`")), "{constant}");
        }
    }

    #[test]
    fn what_the_table_has_no_room_for_is_counted_together() {
        let decisions = Decisions::new();
        let extensions = Extensions::new();
        assert_eq!(decisions.of(&extensions, &Method::GET).route(), NO_ROUTE);
        let mut routes = HashSet::new();
        for number in 0..3 * SLOTS {
            let first = decisions.find(&format!("/route/{number}"), 0);
            routes.insert(first.route().to_owned());
            assert!(std::ptr::eq(first, decisions.find(&format!("/route/{number}"), 0)));
        }
        assert!(routes.contains(OTHER_ROUTE));
        assert!(routes.len() > SLOTS / 2 && routes.len() <= SLOTS, "{}", routes.len());
    }
}
