//! Secrets, which do not show.

use std::fmt;

/// A secret, text or bytes, that no `Debug` output gives away.
#[derive(Clone)]
pub(crate) struct Secret<T = String>(T);

impl<T> Secret<T> {
    pub(crate) fn new(secret: impl Into<T>) -> Self {
        Self(secret.into())
    }

    /// The secret itself: not to be stored, shown or logged.
    pub(crate) fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}
