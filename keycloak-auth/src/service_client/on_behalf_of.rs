//! Calls for the caller of this service, with a token that is theirs.

use super::{ServiceClient, token_source::TokenSource};
use crate::KeycloakUser;

/// How the caller's token reaches the other service; made by [`ServiceClient::on_behalf_of`].
#[derive(Clone, Debug)]
#[must_use = "say whether to `pass_on` or to `exchange` the caller's token"]
pub struct OnBehalfOf<'a> {
    pub(super) client: &'a ServiceClient,
    pub(super) user: &'a KeycloakUser,
}

impl OnBehalfOf<'_> {
    /// Passes on the token that the caller sent, as it is.
    ///
    /// The other service must be in its audience beside this one, and can do with it all that this service can: it is for
    /// services that trust each other. [`exchange`](Self::exchange) gives it a token of its own.
    pub fn pass_on(self) -> ServiceClient {
        self.client.with_source(TokenSource::PassOn(self.user.clone()))
    }

    /// Exchanges the token that the caller sent for one with the client's [`audience`] and [`scope`] (RFC 8693, Keycloak's
    /// standard token exchange, since version 26.2).
    ///
    /// The new token is kept until shortly before it expires, for this token of the caller, audience and scope, and all who
    /// need it at the same time share one exchange. A refusal is remembered for 2 s. After a logout it serves as long as it lives, as tokens do. This service's
    /// client needs *Standard token exchange* among its capabilities, and must itself be in the audience of the caller's token.
    ///
    /// The client must have said for whom, by `audience` or by a `scope` that has an audience mapper: otherwise Keycloak gives a
    /// token that no service accepts, so a call is [`ServiceClientError::NoAudience`](super::ServiceClientError::NoAudience).
    ///
    /// [`audience`]: super::ServiceClientBuilder::audience
    /// [`scope`]: super::ServiceClientBuilder::scope
    pub fn exchange(self) -> ServiceClient {
        self.client.with_source(TokenSource::Exchange(self.user.clone()))
    }
}
