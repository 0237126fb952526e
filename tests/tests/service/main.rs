//! What a service shows to its clients, over HTTP, with a local issuer: how it behaves while the issuer misbehaves, how
//! routers and layers fit together, the forms of its answers, and its OpenAPI document.

mod dev;
mod introspection;
mod layer;
mod openapi;
mod provider;
mod responses;
mod router;
mod setup;
mod testing;
mod token_endpoint;
