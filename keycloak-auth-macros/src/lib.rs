//! The `#[keycloak(...)]` attribute and the `policy!` macro of [`keycloak-auth`], which re-exports both.
//!
//! The modules in the order the input passes them: `parse` reads the words into the `ast`, `check` judges what they
//! mean together and looks the names up in the `realm`, `expand` writes the handler with its policy. Mistakes are collected in `errors` on the way and
//! emitted together; the function survives every one of them.
//!
//! [`keycloak-auth`]: https://docs.rs/keycloak-auth
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod ast;
mod check;
mod errors;
mod expand;
mod fallback;
mod handler;
mod openapi;
mod parse;
mod paths;
mod realm;
mod suggest;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

#[doc = include_str!("docs/keycloak.md")]
#[proc_macro_attribute]
pub fn keycloak(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(arguments.into(), item.into(), realm::check()).into()
}

#[doc = include_str!("docs/policy.md")]
#[proc_macro]
pub fn policy(arguments: TokenStream) -> TokenStream {
    expand::policy(arguments.into(), realm::check()).into()
}
