//! The attack rows: each one is sent over HTTP to real axum services, and status, challenge and body are checked.
//!
//! The tokens come from a local issuer, since a real Keycloak cannot be made to send them. `row_NN` is the number of the
//! row in the threat model.

mod answers;
mod audience_and_issuer;
mod credentials;
mod foreign_keys;
mod form;
mod key_fetches;
mod kind;
mod roles_and_groups;
mod secrets;
mod setup;
mod signatures;
mod times;
