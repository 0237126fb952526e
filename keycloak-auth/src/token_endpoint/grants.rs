//! Grants with optional parameters: built, then awaited.

use std::{fmt, sync::Arc};

use futures_util::future::{BoxFuture, FutureExt as _};

use super::{TokenEndpoint, TokenResponse};
use crate::{AuthError, Keycloak};

/// A refresh to be awaited; made by [`Keycloak::refresh_token`].
#[must_use = "nothing is sent until it is awaited"]
pub struct RefreshToken<'a> {
    endpoint: &'a Arc<TokenEndpoint>,
    refresh_token: &'a str,
    public_client: Option<&'a str>,
}

impl<'a> RefreshToken<'a> {
    /// Names the public client to which the refresh token was issued, where that is not the configured one: refresh
    /// tokens are bound to the client by which the user logged in (RFC 6749 §6).
    pub const fn public_client(mut self, client_id: &'a str) -> Self {
        self.public_client = Some(client_id);
        self
    }
}

impl<'a> IntoFuture for RefreshToken<'a> {
    type Output = Result<TokenResponse, AuthError>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let refresh = Arc::clone(self.endpoint).refresh(self.refresh_token, self.public_client);
        refresh.map(|outcome| outcome.map(Arc::unwrap_or_clone)).boxed()
    }
}

impl fmt::Debug for RefreshToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshToken")
            .field("public_client", &self.public_client)
            .finish_non_exhaustive()
    }
}

/// A token exchange to be awaited; made by [`Keycloak::exchange_token`].
#[must_use = "nothing is sent until it is awaited"]
pub struct ExchangeToken<'a> {
    endpoint: &'a Arc<TokenEndpoint>,
    subject_token: &'a str,
    audiences: Vec<String>,
    scope: Option<String>,
}

impl ExchangeToken<'_> {
    /// A client that is to accept the token; each call adds one (RFC 8693 §2.1).
    pub fn audience(mut self, client_id: impl Into<String>) -> Self {
        self.audiences.push(client_id.into());
        self
    }

    /// The scopes to ask for, separated by spaces.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = Some(scope.into());
        self
    }
}

impl<'a> IntoFuture for ExchangeToken<'a> {
    type Output = Result<TokenResponse, AuthError>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        async move {
            let Self {
                endpoint,
                subject_token,
                audiences,
                scope,
            } = self;
            let outcome = endpoint.exchange(subject_token, &audiences, scope.as_deref()).await;
            outcome.map(Arc::unwrap_or_clone)
        }
        .boxed()
    }
}

impl fmt::Debug for ExchangeToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExchangeToken")
            .field("audiences", &self.audiences)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

impl Keycloak {
    /// Exchanges a refresh token for new tokens (RFC 6749 §6).
    ///
    /// Keycloak may accept a refresh token only once and answer with the next one, so all who use the same one at the
    /// same time share one request. Tokens of another client than the configured one need
    /// [`public_client`](RefreshToken::public_client).
    ///
    /// ```no_run
    /// # async fn demo(keycloak: keycloak_auth::Keycloak, refresh_token: String) -> Result<(), keycloak_auth::AuthError> {
    /// let tokens = keycloak.refresh_token(&refresh_token).public_client("orders-web").await?;
    /// println!("good for {} s", tokens.expires_in);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`AuthError::TokenRefused`] with Keycloak's code, such as `invalid_grant` for a refresh token that is expired,
    /// revoked or used; [`AuthError::TokenEndpointUnavailable`] when Keycloak does not answer.
    pub fn refresh_token<'a>(&'a self, refresh_token: &'a str) -> RefreshToken<'a> {
        RefreshToken {
            endpoint: self.token_endpoint(),
            refresh_token,
            public_client: None,
        }
    }

    /// An access token of the service itself, for calls to other services (RFC 6749 §4.4).
    ///
    /// It is kept, and replaced shortly before it expires, by one request for all who wait for it.
    ///
    /// ```no_run
    /// # async fn demo(keycloak: keycloak_auth::Keycloak) -> Result<(), Box<dyn std::error::Error>> {
    /// let tokens = keycloak.client_credentials().await?;
    /// reqwest::Client::new()
    ///     .get("https://billing.example.com/invoices")
    ///     .bearer_auth(&tokens.access_token)
    ///     .send()
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`refresh_token`](Self::refresh_token); `unauthorized_client` where no `client_secret` is configured, or the
    /// client has no service account.
    pub async fn client_credentials(&self) -> Result<TokenResponse, AuthError> {
        let own = self.token_endpoint().own_token(None).await?;
        Ok(own.as_of(self.now()))
    }

    /// Exchanges a caller's access token for one that other services accept (RFC 8693, Keycloak's standard token
    /// exchange).
    ///
    /// ```no_run
    /// # async fn demo(keycloak: keycloak_auth::Keycloak, user: keycloak_auth::KeycloakUser) -> Result<(), keycloak_auth::AuthError> {
    /// let tokens = keycloak.exchange_token(user.access_token()).audience("billing-api").await?;
    /// # let _ = tokens;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`refresh_token`](Self::refresh_token); `unauthorized_client` where no `client_secret` is configured,
    /// `invalid_request` where *Standard token exchange* is not switched on for the client, the token is not active, or the
    /// caller has nothing at that audience.
    pub fn exchange_token<'a>(&'a self, access_token: &'a str) -> ExchangeToken<'a> {
        ExchangeToken {
            endpoint: self.token_endpoint(),
            subject_token: access_token,
            audiences: Vec::new(),
            scope: None,
        }
    }
}
