//! What a router says to its handlers when it is secured: the [`Keycloak`] to ask, and whether their policies are enforced.
//!
//! A handler goes into its router before there is a `Keycloak`, and axum gives no way back to it. So both hold a cell, which is
//! settled when the router is secured. A layer could say it with every request, for the time of a box and of an extension.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};

use crate::{
    Keycloak,
    extract::{Enforcement, Secured},
};

/// The side of a router, or of a method router: the cells of all handlers in it.
#[derive(Debug, Default)]
pub struct Handing {
    cells: Vec<Arc<Cell>>,
    needs_layer: bool,
}

#[derive(Debug, Default)]
pub(super) struct Cell {
    settled: OnceLock<Secured>,
    is_report_only: AtomicBool,
}

impl Handing {
    /// What a handler gets that is added.
    pub(super) fn next_handed(&mut self) -> Handed {
        if let Some(cell) = self.cells.last().filter(|cell| cell.is_open()) {
            return Handed::Awaited(Arc::clone(cell));
        }
        let cell = Arc::default();
        self.cells.push(Arc::clone(&cell));
        Handed::Awaited(cell)
    }

    /// Notes somebody in front of handlers who has no cell and may ask who the caller is.
    pub(super) const fn note_layer(&mut self) {
        self.needs_layer = true;
    }

    /// Takes over the handlers of another router.
    pub(super) fn merge(&mut self, other: Self) {
        self.cells.extend(other.cells);
        self.needs_layer |= other.needs_layer;
    }

    /// Says to all handlers so far that their policies are reported about. `false` when a layer has to say it to some.
    #[must_use]
    pub(super) fn report_only(&self) -> bool {
        let open = self.cells.iter().filter(|cell| !cell.is_settled());
        open.for_each(|cell| cell.is_report_only.store(true, Ordering::Relaxed));
        !self.needs_layer && !self.is_shared()
    }

    /// Hands `keycloak` to all handlers. `false` when a layer has to hand it to some.
    #[must_use]
    pub(super) fn hand(self, keycloak: &Keycloak) -> bool {
        let needs_layer = self.needs_layer || self.is_shared();
        self.settle(&Secured {
            keycloak: (!needs_layer).then(|| keycloak.clone()),
            is_in_state: false,
            enforcement: Enforcement::Enforced,
        });
        !needs_layer
    }

    /// Says to all handlers that the [`Keycloak`] is in the state.
    pub(super) fn hand_state(self) {
        self.settle(&Secured {
            keycloak: None,
            is_in_state: true,
            enforcement: Enforcement::Enforced,
        });
    }

    fn settle(&self, secured: &Secured) {
        for cell in &self.cells {
            cell.settle(secured);
        }
    }

    /// Whether some handlers are in a clone as well.
    fn is_shared(&self) -> bool {
        self.cells.iter().any(|cell| cell.is_settled())
    }
}

impl Clone for Handing {
    /// The handlers are in two routers now, which may be secured differently: what both say to them is in the request.
    fn clone(&self) -> Self {
        self.settle(Secured::AS_REQUESTED);
        Self {
            cells: self.cells.clone(),
            needs_layer: self.needs_layer,
        }
    }
}

impl Cell {
    /// The first word counts.
    fn settle(&self, secured: &Secured) {
        let is_report_only = self.is_report_only.load(Ordering::Relaxed);
        self.settled.get_or_init(|| {
            let mut secured = secured.clone();
            if is_report_only {
                secured.enforcement = Enforcement::ReportOnly;
            }
            secured
        });
    }

    fn is_settled(&self) -> bool {
        self.settled.get().is_some()
    }

    /// Whether a further handler may have it.
    fn is_open(&self) -> bool {
        !self.is_settled() && !self.is_report_only.load(Ordering::Relaxed)
    }
}

/// The side of a handler.
#[derive(Debug)]
pub(super) enum Handed {
    /// In the router, which may not be secured yet.
    Awaited(Arc<Cell>),
    /// In one of the copies that axum makes for each request: it needs no cell, and counts no reference to one.
    Settled(Secured),
}

impl Handed {
    pub(super) fn secured(&self) -> &Secured {
        match self {
            Self::Awaited(cell) => cell.settled.get().unwrap_or(Secured::AS_REQUESTED),
            Self::Settled(secured) => secured,
        }
    }
}

impl Clone for Handed {
    fn clone(&self) -> Self {
        match self {
            Self::Awaited(cell) => match cell.settled.get() {
                Some(secured) => Self::Settled(secured.clone()),
                None => Self::Awaited(Arc::clone(cell)),
            },
            Self::Settled(secured) => Self::Settled(secured.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keycloak() -> Keycloak {
        let builder = Keycloak::builder().server_url("https://id.example.com").realm("acme");
        builder
            .client_id("orders-api")
            .audience("orders-api")
            .build()
            .expect("valid")
    }

    fn handed(handing: Handing, handed: &Handed) -> Option<Keycloak> {
        let keycloak = keycloak();
        let is_handed = handing.hand(&keycloak);
        let found = handed.clone().secured().keycloak.clone();
        assert_eq!(found.is_some(), is_handed);
        assert!(found.is_none_or(|found| found.is_same(&keycloak)));
        is_handed.then_some(keycloak)
    }

    #[test]
    fn a_router_hands_over_what_no_layer_has_to() {
        let mut alone = Handing::default();
        let handler = alone.next_handed();
        assert!(handed(alone, &handler).is_some());

        let (mut outer, mut inner) = (Handing::default(), Handing::default());
        let (first, second) = (outer.next_handed(), inner.next_handed());
        assert!(inner.report_only(), "nor does that need one");
        outer.merge(inner);
        let third = outer.next_handed();
        assert!(handed(outer, &second).is_some());
        let enforcement = |handed: &Handed| handed.clone().secured().enforcement;
        assert_eq!(
            [&first, &second, &third].map(enforcement),
            [Enforcement::Enforced, Enforcement::ReportOnly, Enforcement::Enforced]
        );

        let mut layered = Handing::default();
        let handler = layered.next_handed();
        layered.note_layer();
        assert!(!layered.report_only());
        assert!(handed(layered, &handler).is_none());

        let mut cloned = Handing::default();
        let handler = cloned.next_handed();
        let clone = cloned.clone();
        assert!(!clone.report_only());
        assert_eq!(enforcement(&handler), Enforcement::UnlessMarked);
        assert!(handed(clone, &handler).is_none() && handed(cloned, &handler).is_none());
    }
}
