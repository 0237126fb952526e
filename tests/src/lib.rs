//! What the tests of `keycloak-auth` stand on: a real Keycloak, a local issuer that can be made to misbehave, real
//! axum services, and clients that see everything a service answers.

mod admin;
mod answer;
mod browser;
mod chromium;
mod fault;
mod gateway;
mod issuer;
pub mod keycloak;
mod keys;
mod logs;
mod proxy;
mod realm;
mod records;
mod service;
pub mod suite;
mod tls;
mod token;
mod tokens;
mod trap;

pub use admin::{Admin, KeyProvider};
pub use answer::Answer;
pub use browser::Browser;
pub use chromium::Chromium;
pub use fault::Fault;
pub use gateway::Gateway;
pub use issuer::{Issuer, Received, Reply};
pub use keycloak::Keycloak;
pub use keys::{SigningKey, rsa_key};
pub use logs::Logs;
pub use proxy::Proxy;
pub use realm::{ACME, ACME_JSON, Realm};
pub use records::Record;
pub use service::{Request, Service};
pub use tls::{Authority, Https};
pub use token::{Token, base64url, base64url_decode, claims_of, dpop_proof, header_of, now, sha256};
pub use tokens::{Grant, Tokens};
pub use trap::Trap;

/// The examples in the README compile as they stand there.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}

/// A client without proxy and without redirects.
pub fn http_client() -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .expect("the platform has a TLS backend")
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system has random numbers");
    bytes
}

pub(crate) fn random_hex(bytes: usize) -> String {
    hex(&random::<16>()[..bytes])
}
