//! What a router says to its handlers when it is secured: the [`Keycloak`] to ask, and whether their policies are enforced.
//!
//! A handler goes into its router before there is a `Keycloak`, and axum gives no way back to it. So both hold a cell, which is
//! settled when the router is secured. A layer could say it with every request, for the time of a box and of an extension.

use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{
    Keycloak,
    extract::{Enforcement, Secured},
};

/// The side of a router, or of a method router.
#[derive(Debug, Default)]
pub struct Handing {
    cells: Vec<Arc<Cell>>,
    needs_layer: bool,
}

#[derive(Debug, Default)]
pub(super) struct Cell {
    settled: OnceLock<Settled>,
    is_report_only: AtomicBool,
}

#[derive(Debug)]
enum Settled {
    /// The router is secured with this one.
    With(Keycloak),
    /// The `Keycloak` is in the state, or a layer leaves it in the request.
    Elsewhere,
    /// The handler is in several routers. What they say to it is in the request.
    Shared,
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

    /// Notes somebody in front of handlers, or a handler, who has no cell and may ask who the caller is.
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
        for cell in &self.cells {
            if cell.settled.get().is_none() {
                cell.is_report_only.store(true, Ordering::Relaxed);
            }
        }
        !self.needs_layer && self.cells.iter().all(|cell| cell.settled.get().is_none())
    }

    /// Hands `keycloak` to all handlers. `false` when a layer has to hand it to some.
    #[must_use]
    pub(super) fn hand(self, keycloak: &Keycloak) -> bool {
        if self.needs_layer || self.cells.iter().any(|cell| cell.settled.get().is_some()) {
            self.hand_nothing();
            return false;
        }
        for cell in self.cells {
            cell.settled.get_or_init(|| Settled::With(keycloak.clone()));
        }
        true
    }

    /// Says to all handlers that they find the [`Keycloak`] elsewhere.
    pub(super) fn hand_nothing(self) {
        for cell in self.cells {
            cell.settled.get_or_init(|| Settled::Elsewhere);
        }
    }
}

impl Clone for Handing {
    /// The handlers are in two routers now, which may be secured differently: both have to say so by layers.
    fn clone(&self) -> Self {
        for cell in &self.cells {
            cell.settled.get_or_init(|| Settled::Shared);
        }
        Self {
            cells: self.cells.clone(),
            needs_layer: self.needs_layer,
        }
    }
}

impl Cell {
    /// Whether a further handler may have it.
    fn is_open(&self) -> bool {
        self.settled.get().is_none() && !self.is_report_only.load(Ordering::Relaxed)
    }

    fn secured(&self) -> Secured<'_> {
        let (keycloak, enforcement) = match self.settled.get() {
            Some(Settled::With(keycloak)) => (Some(keycloak), Enforcement::Enforced),
            Some(Settled::Elsewhere) => (None, Enforcement::Enforced),
            Some(Settled::Shared) | None => (None, Enforcement::UnlessMarked),
        };
        let is_report_only = self.is_report_only.load(Ordering::Relaxed);
        Secured {
            keycloak,
            enforcement: if is_report_only {
                Enforcement::ReportOnly
            } else {
                enforcement
            },
        }
    }
}

/// The side of a handler.
pub(super) enum Handed {
    /// In the router, which may not be secured yet.
    Awaited(Arc<Cell>),
    /// In one of the copies that axum makes for each request: it needs no cell, and counts no reference to one.
    Settled {
        keycloak: Option<Keycloak>,
        enforcement: Enforcement,
    },
}

impl Handed {
    pub(super) fn secured(&self) -> Secured<'_> {
        match self {
            Self::Awaited(cell) => cell.secured(),
            Self::Settled { keycloak, enforcement } => Secured {
                keycloak: keycloak.as_ref(),
                enforcement: *enforcement,
            },
        }
    }
}

impl Clone for Handed {
    fn clone(&self) -> Self {
        match self {
            Self::Awaited(cell) if cell.settled.get().is_none() => Self::Awaited(Arc::clone(cell)),
            Self::Awaited(_) | Self::Settled { .. } => {
                let secured = self.secured();
                Self::Settled {
                    keycloak: secured.keycloak.cloned(),
                    enforcement: secured.enforcement,
                }
            }
        }
    }
}

impl fmt::Debug for Handed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let enforcement = self.secured().enforcement;
        f.debug_struct("Handed")
            .field("enforcement", &enforcement)
            .finish_non_exhaustive()
    }
}
