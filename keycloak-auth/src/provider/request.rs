//! What an endpoint is asked.

use super::Endpoint;
use crate::client_authentication::ClientCredentials;

/// A request to an endpoint of the realm.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(super) endpoint: Endpoint,
    /// What is posted; without it a document is asked for.
    pub(super) form: Option<Form<'a>>,
}

#[derive(Clone, Copy)]
pub(super) struct Form<'a> {
    pub(super) client: ClientCredentials<'a>,
    pub(super) parameters: &'a [(&'a str, &'a str)],
}

impl<'a> Request<'a> {
    /// For a document.
    pub(crate) const fn get(endpoint: Endpoint) -> Self {
        Self { endpoint, form: None }
    }

    /// A form, sent as a client (RFC 6749 §2.3).
    pub(crate) const fn post(
        endpoint: Endpoint,
        client: ClientCredentials<'a>,
        parameters: &'a [(&'a str, &'a str)],
    ) -> Self {
        Self {
            endpoint,
            form: Some(Form { client, parameters }),
        }
    }
}
