//! What can go wrong with a call to another service.

use super::NoToken;
use crate::HttpClientError;

/// Why a service client cannot be made, or a call not be sent.
///
/// A service that answers is no error, whatever its status: `reqwest::Response::error_for_status` makes it one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceClientError {
    /// No origin is named, so no token could go anywhere.
    #[error("no origin is named: say where tokens may go, as in `.for_origin(\"https://stock.example.com\")`")]
    NoOrigin,
    /// An address of the configuration is none.
    #[error("`{setting}` {message}")]
    Origin {
        /// The setting, by the name of the builder's method.
        setting: &'static str,
        /// What is wrong with it, and what to do.
        message: &'static str,
    },
    /// No HTTP client can be made.
    #[error("no HTTP client can be made")]
    HttpClient(#[source] HttpClientError),
    /// What is to be called is neither a path nor an address.
    #[error(
        "what is to be called is neither a path that begins with `/` nor an address that begins with `https://` or `http://`"
    )]
    NoAddress,
    /// What is to be called is on an origin that was not named, so it gets no token.
    #[error(
        "`{origin}` is not an origin that was named, and gets no token: if it is to have one, add `.for_origin(\"{origin}\")`"
    )]
    ForeignOrigin {
        /// Scheme, host and port.
        origin: String,
    },
    /// The request is not one, such as a header with a line break.
    #[error("the request to `{origin}` cannot be made")]
    Request {
        /// The service.
        origin: String,
        /// What the HTTP client says.
        #[source]
        source: HttpClientError,
    },
    /// There is no token for the call.
    #[error(transparent)]
    Token(NoToken),
    /// An exchange is to be for nobody in particular: Keycloak would give a token without an audience, which no service accepts.
    #[error(
        "`{origin}` is not called: say for whom the caller's token is to be exchanged, by `.audience(\"stock-api\")` of \
         `service_client()`, or by `.scope(…)` where a client scope has an audience mapper"
    )]
    NoAudience {
        /// The service.
        origin: String,
    },
    /// The token cannot be sent as a bearer token: it is bound to a key (RFC 9449, RFC 8705), or no token at all.
    #[error("`{origin}` is not called: the token is bound to a key, or otherwise not a bearer token")]
    NotBearer {
        /// The service.
        origin: String,
    },
    /// The service does not answer.
    #[error("`{origin}` does not answer")]
    NoAnswer {
        /// The service.
        origin: String,
        /// What the HTTP client says.
        #[source]
        source: HttpClientError,
    },
}
