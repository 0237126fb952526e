//! The realm that names are checked against: what its file says exists, found and read once a process.
//!
//! The check is opt-in: without a `realm` key in `Cargo.toml` and without the environment variable, every name passes.

mod built_in;
mod essence;
mod export;
mod load;
mod names;
mod settings;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use proc_macro2::TokenStream;

use crate::errors::Errors;

pub(crate) use built_in::is_built_in;
pub(crate) use load::check;
pub(crate) use names::{Realm, Scope};

/// What one expansion needs to know about the realm.
#[derive(Default)]
pub(crate) struct RealmCheck {
    /// The realm; `None` when nothing is to be checked, or its file cannot be read.
    pub(crate) realm: Option<Arc<Realm>>,
    /// Why the realm file cannot be used; told to one expansion, so that it is one error a compilation.
    pub(crate) problem: Option<Problem>,
    /// Items by which the compiler learns what the crate depends on, so that cargo builds it again when one of the files
    /// changes; told to one expansion as well.
    pub(crate) dependencies: TokenStream,
}

impl RealmCheck {
    pub(crate) fn report(&self, errors: &mut Errors) {
        if let Some(Problem { message, help }) = &self.problem {
            errors.report(TokenStream::new(), message, help);
        }
    }
}

/// What keeps the realm file from being used, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) message: String,
    pub(crate) help: String,
}

impl Problem {
    fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: help.into(),
        }
    }
}
