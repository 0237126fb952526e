//! Asking Keycloak about a token, instead of verifying it here or on top of that (RFC 7662).
//!
//! [`Introspection`] says about which tokens. What Keycloak says is checked like the claims of a token: issuer, audience,
//! type and times; and it has to be about the token that was asked about. Its answers are kept for a short while: good ones
//! for at most 30 s and no longer than the token lives, bad ones for a second. One token is asked about once, however many
//! requests wait for the answer. When Keycloak does not answer, nobody knows: that is 503. It is
//! asked about 64 tokens of a kind at a time, so that garbage neither floods it nor keeps out those that somebody vouches for.

mod introspector;
mod mode;
mod token;
mod turns;
mod verdicts;

pub use mode::Introspection;

pub(crate) use introspector::Introspector;
