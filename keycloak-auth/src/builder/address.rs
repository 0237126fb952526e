//! An address as it was written: whether it holds a password is known only when it is checked.

use std::{fmt, ops::Deref};

use crate::text::without_credentials;

/// The text of an address, of which `Debug` shows no user name and password.
#[derive(Clone)]
pub(super) struct Address(String);

impl Address {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }
}

impl Deref for Address {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&without_credentials(self), f)
    }
}
