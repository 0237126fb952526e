//! Extractors: the caller in a handler's arguments, and the guard that `#[keycloak(...)]` puts before them.

mod authenticate;
mod context;
mod custom_claims;
mod demand;
mod guard;
mod head;
mod outcome;
mod rejection;
mod state;
mod user;

pub use custom_claims::CustomClaims;
pub use guard::{Alone, Guard, HandlerPolicy};
pub use rejection::AuthRejection;

pub(crate) use authenticate::{Asker, caller_by_asking};
pub(crate) use context::{enter_router, leave_router, offer};
pub(crate) use demand::{Demand, Unmet};
pub(crate) use guard::{Hurdle, Rule, Secured, admit, ask, lent};
pub(crate) use outcome::{Enforcement, ReportOnly, note_refusal};
pub(crate) use state::{InState, provide_from_state};
