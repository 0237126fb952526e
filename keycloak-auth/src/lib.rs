//! Declarative authorization for axum services behind Keycloak.
pub mod policy;
pub use policy::Policy;
