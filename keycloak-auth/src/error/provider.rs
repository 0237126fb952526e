//! What can go wrong between us and Keycloak.

use std::{borrow::Cow, time::Duration};

use super::{
    HttpClientError,
    tls_fault::{TlsFault, is_no_tls, tls_fault},
};
use crate::{
    jose::KeySetError,
    text::{shortened, span},
};

/// Why Keycloak's metadata or keys could not be fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProviderError {
    /// No connection, or it broke.
    #[error("cannot reach `{url}`: {}", connection_hint(.source))]
    Connection {
        /// The address that was asked.
        url: String,
        /// What the HTTP client says.
        #[source]
        source: HttpClientError,
    },
    /// No complete answer within the request timeout.
    #[error("no complete answer from Keycloak within {seconds} s")]
    Timeout {
        /// The timeout in seconds.
        seconds: f32,
    },
    /// An answer other than 200.
    #[error("`{url}` answered with status {status}{}", status_hint(*.status))]
    Status {
        /// The address that was asked.
        url: String,
        /// The status code of the answer.
        status: u16,
        /// How long the other side wants to be left alone, of a 429 or 503 with `Retry-After`: at most 60 s.
        retry_after: Option<Duration>,
    },
    /// The answer is larger than is read.
    #[error("the answer of `{url}` is larger than {limit} bytes")]
    TooLarge {
        /// The address that was asked.
        url: String,
        /// The cap in bytes.
        limit: usize,
    },
    /// The discovery document is not JSON with the members that are needed.
    #[error("`{url}` is not an OpenID provider's discovery document")]
    Metadata {
        /// The address that was asked.
        url: String,
        /// What the JSON parser says.
        #[source]
        source: serde_json::Error,
    },
    /// The discovery document names an issuer that is neither the address it was fetched from nor configured.
    #[error(
        "the discovery document at `{url}` names issuer `{found}`, but the configured one is {configured}: if `{found}` is this \
         realm, name it by `.issuer(\"{found}\")`, and so each other issuer that tokens carry: the first one takes the \
         place of the default",
        found = shortened(.found),
        configured = crate::text::code_list(.configured.iter().map(String::as_str))
    )]
    Issuer {
        /// The address that was asked.
        url: String,
        /// The issuer in the document.
        found: String,
        /// The issuers that are accepted.
        configured: Vec<String>,
    },
    /// An endpoint in the discovery document is `http` although the server address is `https`.
    #[error(
        "the discovery document's `{member}` is not https although the server address is: set `KC_HOSTNAME` or the proxy headers of Keycloak"
    )]
    InsecureEndpoint {
        /// The member of the document.
        member: &'static str,
    },
    /// An endpoint in the discovery document lies neither on the configured server nor below the issuer.
    #[error("the discovery document's `{member}` is on another server: if that is right, set it with the builder")]
    ForeignEndpoint {
        /// The member of the document.
        member: &'static str,
    },
    /// The discovery document lacks an endpoint that is needed.
    #[error("the discovery document has no `{member}`: set it with the builder")]
    MissingEndpoint {
        /// The member of the document.
        member: &'static str,
    },
    /// Keycloak is asked about as many tokens as it is asked at a time, and no turn came for another one.
    #[error("Keycloak is being asked about {limit} tokens already, and none of these questions ended in time")]
    TooManyQuestions {
        /// How many it is asked about at a time.
        limit: usize,
    },
    /// The introspection endpoint's answer is not one (RFC 7662 §2.2).
    #[error("`{url}` did not answer with a JSON object that has `active`")]
    Introspection {
        /// The address that was asked.
        url: String,
    },
    /// The token endpoint's answer is not one (RFC 6749 §5).
    #[error("`{url}` did not answer as a token endpoint does")]
    TokenEndpoint {
        /// The address that was asked.
        url: String,
    },
    /// The JWT for `private_key_jwt` could not be signed.
    #[error("the assertion of this client cannot be signed: the system has no random numbers")]
    ClientAssertion,
    /// The key set is not a JWK Set.
    #[error("`{url}` is not a key set")]
    KeySet {
        /// The address that was asked.
        url: String,
        /// What is wrong with it.
        #[source]
        source: KeySetError,
    },
    /// The key set has no key that can verify a signature.
    #[error("`{url}` has no key that can verify signatures ({skipped} were left out)")]
    NoUsableKey {
        /// The address that was asked.
        url: String,
        /// How many keys were left out.
        skipped: usize,
    },
    /// The runtime in which the keys were fetched has ended.
    #[error("the task that fetches the keys ended early")]
    Interrupted,
    /// There is no tokio runtime to fetch in.
    #[error("keys are fetched in a tokio runtime, and there is none")]
    NoRuntime,
    /// [`Keycloak::close`](crate::Keycloak::close) was called.
    #[error("this Keycloak was closed")]
    Closed,
    /// Nothing has been fetched for longer than the outage window.
    #[error("no keys could be fetched for {}, the outage window", span(*.window))]
    OutageWindow {
        /// The outage window.
        window: Duration,
    },
}

impl ProviderError {
    /// One word for it, as OpenTelemetry's `error.type` is meant: the status of an answer, or what is wrong.
    pub(crate) fn kind(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Status { status, .. } => return Cow::Owned(status.to_string()),
            Self::Connection { source, .. } if source.is_timeout() => "timeout",
            Self::Connection { .. } if self.tls_fault().is_some() => "tls",
            Self::Connection { .. } => "connection",
            Self::Timeout { .. } => "timeout",
            Self::TooLarge { .. } => "too_large",
            Self::Metadata { .. } | Self::Introspection { .. } | Self::TokenEndpoint { .. } | Self::KeySet { .. } => {
                "malformed_answer"
            }
            Self::Issuer { .. } => "wrong_issuer",
            Self::InsecureEndpoint { .. } => "insecure_endpoint",
            Self::ForeignEndpoint { .. } => "foreign_endpoint",
            Self::MissingEndpoint { .. } => "missing_endpoint",
            Self::TooManyQuestions { .. } => "too_many_questions",
            Self::NoUsableKey { .. } => "no_usable_key",
            Self::ClientAssertion => "client_assertion",
            Self::Interrupted => "interrupted",
            Self::NoRuntime => "no_runtime",
            Self::Closed => "closed",
            Self::OutageWindow { .. } => "outage_window",
        })
    }

    /// How long the other side wants to be left alone, if it said so.
    pub(crate) const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// What is wrong with Keycloak's certificate, where that is why there is no connection.
    #[must_use]
    pub fn tls_fault(&self) -> Option<TlsFault> {
        match self {
            Self::Connection { source, .. } => tls_fault(source),
            _ => None,
        }
    }
}

fn connection_hint(error: &HttpClientError) -> &'static str {
    if is_no_tls(error) {
        return "it does not speak https there, in most cases it is http: check `server_url`";
    }
    "check that Keycloak runs there, and host, port, proxy and TLS certificate"
}

fn status_hint(status: u16) -> &'static str {
    match status {
        300..=399 => ": redirects are not followed, set the final address",
        400 | 401 => ": Keycloak does not accept the client, check `client_id` and its secret, key or certificate",
        404 => ": check the realm's name, and whether the server address needs the base path `/auth`",
        _ => "",
    }
}
