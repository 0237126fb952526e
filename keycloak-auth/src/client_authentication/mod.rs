//! How this service proves to Keycloak that it is the client (RFC 6749 §2.3, OpenID Connect Core 1.0 §9).

mod assertion;
mod client;
mod method;
mod private_key;

pub use method::{ClientAuthentication, PrivateKeyJwt};

pub(crate) use client::{Client, ClientCredentials, ClientProof};
