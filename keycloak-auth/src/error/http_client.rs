//! What the HTTP client says went wrong.

/// What the HTTP client says: a text, and the causes of it by [`source`](std::error::Error::source).
///
/// It holds the client's own error and does not show its type, so that a new major version of that client changes no error of this
/// crate.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct HttpClientError(reqwest::Error);

impl HttpClientError {
    /// Without the address, which may have a query: the error around this one says what may be told of it.
    pub(crate) fn new(error: reqwest::Error) -> Self {
        Self(error.without_url())
    }

    /// Whether there was no connection, so that nothing was sent.
    #[must_use]
    pub fn is_connect(&self) -> bool {
        self.0.is_connect()
    }

    /// Whether a time was over that the client waits at most.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.0.is_timeout()
    }
}
