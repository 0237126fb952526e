//! The embedded development realm over HTTP: what it answers is what a real Keycloak 26.7 was seen to answer.

mod browser;
mod client;
mod cors;
mod errors;
mod grants;
mod login;
mod logout;
mod mappers;
mod refresh;
mod server;

pub use browser::Browser;
pub use client::{Client, Reply};
