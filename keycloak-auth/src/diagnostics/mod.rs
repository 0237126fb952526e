//! Finding out what is wrong between a service and its Keycloak.
//!
//! [`Keycloak::diagnose`](crate::Keycloak::diagnose) goes the way of a request, from the configuration over name, connection
//! and certificate to the documents of the realm, and says at each step what it found and what to do about it.

mod client;
mod clock;
mod connection;
mod discovery;
mod key_set;
mod recent;
mod report;
mod route;
mod run;
mod service_token;
mod tls;
mod token;

pub use report::{CheckStatus, DiagnosticCheck, DiagnosticReport};
pub use run::Diagnose;

pub(crate) use recent::Recent;
pub(crate) use route::Route;

use report::Finding;
