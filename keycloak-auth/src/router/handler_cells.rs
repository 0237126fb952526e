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
    extract::{Enforcement, InState, Secured},
};

/// The side of a router, or of a method router: the cells of all handlers in it.
#[derive(Debug, Default)]
pub struct HandlerCells {
    cells: Vec<Arc<Cell>>,
    /// Whether somebody in front of handlers may ask who the caller is.
    asks_in_front: bool,
    /// Whether there are guards that only find what the request says.
    has_guards_without_cell: bool,
}

#[derive(Debug, Default)]
pub(super) struct Cell {
    settled: OnceLock<Secured>,
    is_report_only: AtomicBool,
}

impl HandlerCells {
    /// What a handler gets that is added.
    pub(super) fn next_cell(&mut self) -> HandlerCell {
        if let Some(cell) = self.cells.last().filter(|cell| cell.is_open()) {
            return HandlerCell::Awaited(Arc::clone(cell));
        }
        let cell = Arc::default();
        self.cells.push(Arc::clone(&cell));
        HandlerCell::Awaited(cell)
    }

    /// Notes a layer around handlers.
    pub(super) const fn note_layer(&mut self) {
        self.asks_in_front = true;
    }

    /// Notes a handler inside of layers of its own: none of them has a cell.
    pub(super) const fn note_layered_handler(&mut self) {
        self.has_guards_without_cell = true;
    }

    /// Takes over the handlers of another router.
    pub(super) fn merge(&mut self, other: Self) {
        self.cells.extend(other.cells);
        self.asks_in_front |= other.asks_in_front;
        self.has_guards_without_cell |= other.has_guards_without_cell;
    }

    /// Says to all handlers so far that their policies are reported about. `false` when a layer has to say it to some.
    #[must_use]
    pub(super) fn report_only(&self) -> bool {
        let open = self.cells.iter().filter(|cell| !cell.is_settled());
        open.for_each(|cell| cell.is_report_only.store(true, Ordering::Relaxed));
        !self.needs_layer()
    }

    /// Hands `keycloak` to all handlers. `false` when a layer has to hand it to some.
    #[must_use]
    pub(super) fn settle_with(self, keycloak: &Keycloak) -> bool {
        let needs_layer = self.needs_layer();
        self.settle(&if needs_layer {
            Secured::AsRequested(Enforcement::Enforced)
        } else {
            Secured::With(keycloak.clone(), Enforcement::Enforced)
        });
        !needs_layer
    }

    /// Says to all handlers that the [`Keycloak`] is in the state. `false` when there are guards who only find what the request says.
    #[must_use]
    pub(super) fn settle_from_state(self, in_state: InState) -> bool {
        let finds_all = !self.has_guards_that_are_not_told();
        self.settle(&Secured::FromState(in_state, Enforcement::Enforced));
        finds_all
    }

    fn needs_layer(&self) -> bool {
        self.asks_in_front || self.has_guards_that_are_not_told()
    }

    fn has_guards_that_are_not_told(&self) -> bool {
        self.has_guards_without_cell || self.is_shared()
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

impl Clone for HandlerCells {
    /// The handlers are in two routers now, which may be secured differently: what both say to them is in the request.
    fn clone(&self) -> Self {
        self.settle(Secured::UNSAID);
        Self {
            cells: self.cells.clone(),
            asks_in_front: self.asks_in_front,
            has_guards_without_cell: self.has_guards_without_cell,
        }
    }
}

impl Cell {
    /// The first word counts.
    fn settle(&self, secured: &Secured) {
        let is_report_only = self.is_report_only.load(Ordering::Relaxed);
        self.settled.get_or_init(|| {
            if is_report_only {
                secured.clone().enforced(Enforcement::ReportOnly)
            } else {
                secured.clone()
            }
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
pub(super) enum HandlerCell {
    /// In the router, which may not be secured yet.
    Awaited(Arc<Cell>),
    /// In one of the copies that axum makes for each request: it needs no cell, and counts no reference to one.
    Settled(Secured),
}

impl HandlerCell {
    pub(super) fn secured(&self) -> &Secured {
        match self {
            Self::Awaited(cell) => cell.settled.get().unwrap_or(Secured::UNSAID),
            Self::Settled(secured) => secured,
        }
    }
}

impl Clone for HandlerCell {
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

    fn handed(cells: HandlerCells, handed: &HandlerCell) -> Option<Keycloak> {
        let keycloak = keycloak();
        let is_handed = cells.settle_with(&keycloak);
        match handed.clone().secured() {
            Secured::With(found, _) => assert!(is_handed && found.is_same(&keycloak)),
            Secured::FromState(..) | Secured::AsRequested(_) => assert!(!is_handed),
        }
        is_handed.then_some(keycloak)
    }

    #[test]
    fn a_router_hands_over_what_no_layer_has_to() {
        let mut alone = HandlerCells::default();
        let handler = alone.next_cell();
        assert!(handed(alone, &handler).is_some());

        let (mut outer, mut inner) = (HandlerCells::default(), HandlerCells::default());
        let (first, second) = (outer.next_cell(), inner.next_cell());
        assert!(inner.report_only(), "nor does that need one");
        outer.merge(inner);
        let third = outer.next_cell();
        assert!(handed(outer, &second).is_some());
        let enforcement = |handed: &HandlerCell| handed.clone().secured().enforcement();
        assert_eq!(
            [&first, &second, &third].map(enforcement),
            [Enforcement::Enforced, Enforcement::ReportOnly, Enforcement::Enforced]
        );

        let mut layered = HandlerCells::default();
        let handler = layered.next_cell();
        layered.note_layer();
        assert!(!layered.report_only());
        assert!(handed(layered, &handler).is_none());

        let mut cloned = HandlerCells::default();
        let handler = cloned.next_cell();
        let clone = cloned.clone();
        assert!(!clone.report_only());
        assert_eq!(enforcement(&handler), Enforcement::UnlessMarked);
        assert!(handed(clone, &handler).is_none() && handed(cloned, &handler).is_none());
    }
}
