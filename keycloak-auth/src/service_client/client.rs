//! The client: requests get a token, and go out.

use std::{fmt, sync::Arc, time::Duration};

use http::{Method, StatusCode, header::AUTHORIZATION};

use super::{
    NoToken, OnBehalfOf, ServiceClientError, ServiceRequest,
    origins::Origins,
    redirects::{Budget, MAX_REDIRECTS, Reading, foreign_location},
    token_source::{CallToken, TokenSource, Wanted},
};
use crate::{AuthError, HttpClientError, KeycloakUser, Unavailable, text::chain, token_endpoint::TokenEndpoint};

/// Calls other services with a current access token; made by [`Keycloak::service_client`](crate::Keycloak::service_client).
///
/// Cloning is cheap, and so is [`on_behalf_of`](Self::on_behalf_of): connections and tokens are shared.
///
/// ```no_run
/// use axum::{extract::{Path, State}, http::StatusCode};
/// use keycloak_auth::{KeycloakUser, ServiceClient, keycloak};
///
/// #[keycloak(roles = "clerk")]
/// async fn stock_level(user: KeycloakUser, Path(item): Path<u32>, State(stock): State<ServiceClient>) -> Result<String, StatusCode> {
///     let stock = stock.on_behalf_of(&user).exchange();
///     let answer = stock.get(&format!("/items/{item}")).send().await.map_err(|_| StatusCode::BAD_GATEWAY)?;
///     answer.text().await.map_err(|_| StatusCode::BAD_GATEWAY)
/// }
/// # let _ = stock_level;
/// ```
#[derive(Clone)]
pub struct ServiceClient {
    shared: Arc<Shared>,
    source: TokenSource,
}

struct Shared {
    token_endpoint: Arc<TokenEndpoint>,
    origins: Origins,
    wanted: Wanted,
    http: HttpClients,
}

/// What calls are sent by.
pub(super) struct HttpClients {
    pub(super) named: reqwest::Client,
    /// For the origins that redirects lead to, where they are followed.
    pub(super) foreign: Option<reqwest::Client>,
    /// The time for a whole call, where the request has none of its own.
    pub(super) timeout: Option<Duration>,
}

impl ServiceClient {
    pub(super) fn new(token_endpoint: Arc<TokenEndpoint>, origins: Origins, wanted: Wanted, http: HttpClients) -> Self {
        Self {
            shared: Arc::new(Shared {
                token_endpoint,
                origins,
                wanted,
                http,
            }),
            source: TokenSource::Service,
        }
    }

    /// Calls for the caller of this service: with their token as it is, or exchanged for another one.
    ///
    /// ```no_run
    /// # async fn demo(stock: keycloak_auth::ServiceClient, user: keycloak_auth::KeycloakUser)
    /// # -> Result<(), keycloak_auth::ServiceClientError> {
    /// stock.on_behalf_of(&user).pass_on().get("/items/7").send().await?;
    /// stock.on_behalf_of(&user).exchange().get("/items/7").send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_behalf_of<'a>(&'a self, user: &'a KeycloakUser) -> OnBehalfOf<'a> {
        OnBehalfOf { client: self, user }
    }

    /// `GET`, to a path that begins with `/` or to an address of a named origin.
    pub fn get(&self, path_or_url: &str) -> ServiceRequest {
        self.request(Method::GET, path_or_url)
    }

    /// `POST`, as [`get`](Self::get).
    pub fn post(&self, path_or_url: &str) -> ServiceRequest {
        self.request(Method::POST, path_or_url)
    }

    /// `PUT`, as [`get`](Self::get).
    pub fn put(&self, path_or_url: &str) -> ServiceRequest {
        self.request(Method::PUT, path_or_url)
    }

    /// `PATCH`, as [`get`](Self::get).
    pub fn patch(&self, path_or_url: &str) -> ServiceRequest {
        self.request(Method::PATCH, path_or_url)
    }

    /// `DELETE`, as [`get`](Self::get).
    pub fn delete(&self, path_or_url: &str) -> ServiceRequest {
        self.request(Method::DELETE, path_or_url)
    }

    /// `HEAD`, as [`get`](Self::get).
    pub fn head(&self, path_or_url: &str) -> ServiceRequest {
        self.request(Method::HEAD, path_or_url)
    }

    /// Any method, as [`get`](Self::get).
    ///
    /// A path goes to below the base address and cannot leave its origin, whatever is in it. Still, encode what comes from
    /// outside: `..`, `?` and `#` mean there what they mean everywhere.
    pub fn request(&self, method: Method, path_or_url: &str) -> ServiceRequest {
        ServiceRequest::new(self, method, path_or_url)
    }

    /// Sends a request that was made elsewhere, with a token in the place of its `Authorization`.
    ///
    /// Redirects are followed within the origin, with the token. One to another origin, and so one from `https` to `http`, is
    /// followed by nobody: it is the answer, with status 3xx and `Location`, unless
    /// [`follow_foreign_redirects_without_token`](super::ServiceClientBuilder::follow_foreign_redirects_without_token) says
    /// otherwise. The timeout is for the whole call: the token, all redirects, and the second attempt after a 401.
    ///
    /// When the service answers 401 to a token that is not brand-new, and the body is not a stream, it is sent once more with a
    /// fresh one.
    ///
    /// # Errors
    ///
    /// [`ServiceClientError::ForeignOrigin`] for an address that is not of a named origin: nothing is sent then.
    /// [`ServiceClientError::NoAudience`] for an [exchange](super::OnBehalfOf::exchange) without `audience` and `scope`.
    /// [`ServiceClientError::Token`] when there is no token, [`ServiceClientError::NoAnswer`] when the service does not answer.
    pub async fn execute(&self, request: reqwest::Request) -> Result<reqwest::Response, ServiceClientError> {
        let Shared {
            token_endpoint,
            origins,
            wanted,
            http,
        } = &*self.shared;
        origins.check(request.url())?;
        if !self.source.is_for_somebody(wanted) {
            let origin = request.url().origin().ascii_serialization();
            return Err(ServiceClientError::NoAudience { origin });
        }
        let budget = Budget::of(&request, http.timeout);
        let url = request.url().clone();
        let again = request.try_clone();
        let token = self.token(&budget).await.map_err(|cause| {
            let origin = url.origin().ascii_serialization();
            ServiceClientError::Token(NoToken::new(origin, cause))
        })?;
        let response = self.send(request, &token, &budget).await?;
        let Some(again) = again.filter(|_| response.status() == StatusCode::UNAUTHORIZED) else {
            return Ok(response);
        };
        // Behind a redirect to another origin it is no news that the token was not accepted: it was not sent.
        if response.url().origin() != url.origin() || !self.source.give_up(token_endpoint, wanted, &token) {
            return Ok(response);
        }
        let origin = url.host_str();
        match self.token(&budget).await {
            Ok(fresh) => {
                tracing::debug!(
                    name: "keycloak.sending_again",
                    target: "keycloak_auth",
                    { server.address = origin },
                    "token not accepted, sending again with a fresh one"
                );
                self.send(again, &fresh, &budget).await
            }
            Err(error) => {
                tracing::debug!(
                    name: "keycloak.not_sending_again",
                    target: "keycloak_auth",
                    { server.address = origin },
                    "token not accepted, and no fresh one: {}", chain(&error)
                );
                Ok(response)
            }
        }
    }

    pub(super) fn with_source(&self, source: TokenSource) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            source,
        }
    }

    pub(super) fn origins(&self) -> &Origins {
        &self.shared.origins
    }

    pub(super) fn http(&self) -> &reqwest::Client {
        &self.shared.http.named
    }

    /// The token at hand, or a new one within what is left of the time.
    async fn token(&self, budget: &Budget) -> Result<CallToken<'_>, AuthError> {
        let Shared {
            token_endpoint, wanted, ..
        } = &*self.shared;
        let token = budget.within(self.source.token(token_endpoint, wanted)).await;
        token.unwrap_or_else(|error| {
            let unavailable = Unavailable::for_now(Arc::new(error));
            Err(AuthError::TokenEndpointUnavailable(unavailable))
        })
    }

    async fn send(
        &self,
        mut request: reqwest::Request,
        token: &CallToken<'_>,
        budget: &Budget,
    ) -> Result<reqwest::Response, ServiceClientError> {
        let Some(authorization) = token.authorization() else {
            let origin = request.url().origin().ascii_serialization();
            return Err(ServiceClientError::NotBearer { origin });
        };
        request.headers_mut().insert(AUTHORIZATION, authorization);
        budget.limit(&mut request);
        let HttpClients { named, foreign, .. } = &self.shared.http;
        let following = foreign.as_ref().zip(Reading::of(&request));
        let mut response = go(named, request).await?;
        let Some((foreign, reading)) = following else {
            return Ok(response);
        };
        for _ in 0..MAX_REDIRECTS {
            let Some(url) = foreign_location(&response) else { break };
            // From here on it goes where the other side says, so that no token comes along again, even if it leads back.
            response = go(foreign, reading.to(url, budget)).await?;
        }
        Ok(response)
    }
}

async fn go(http: &reqwest::Client, request: reqwest::Request) -> Result<reqwest::Response, ServiceClientError> {
    let origin = request.url().origin();
    let answer = http.execute(request).await;
    answer.map_err(|error| ServiceClientError::NoAnswer {
        origin: origin.ascii_serialization(),
        source: HttpClientError::new(error),
    })
}

/// Shows where tokens go and whose they are, and no token.
impl fmt::Debug for ServiceClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceClient")
            .field("base_url", &self.shared.origins.base_url().as_str())
            .field("scope", &self.shared.wanted.scope)
            .field("audiences", &self.shared.wanted.audiences)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}
