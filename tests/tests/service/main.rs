//! What a service shows to its clients, over HTTP, with a local issuer: how it behaves while the issuer misbehaves, how
//! routers and layers fit together, the forms of its answers, and its OpenAPI document.

mod access_matrix;
mod client_authentication;
mod dev;
mod diagnostics;
mod error_chains;
mod explain;
mod verification_turns;
mod faults;
mod grammar;
mod guide;
mod introspection;
mod layer;
mod known_tokens;
mod metrics;
mod observability;
mod openapi;
mod openapi_validity;
mod policies;
mod provider;
mod report_only;
mod responses;
mod router;
mod securing;
mod service_client;
mod setup;
mod testing;
mod token_endpoint;
mod two_keycloaks;
