//! Tokens from Keycloak's token endpoint (RFC 6749 §3.2): refreshing those of users, this service's own, and exchanging
//! one for another.

mod exchanged_tokens;
mod grants;
mod kept;
mod own_tokens;
mod refused_exchanges;
mod response;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::FutureExt as _;
use http::StatusCode;
use serde::Deserialize;

pub use grants::{ExchangeToken, RefreshToken};
pub use response::TokenResponse;

pub(crate) use exchanged_tokens::Exchange;
pub(crate) use kept::KeptToken;

use self::{exchanged_tokens::ExchangedTokens, own_tokens::OwnTokens, refused_exchanges::RefusedExchanges};
use crate::{
    challenge::Answer,
    client_authentication::{Client, ClientCredentials},
    digest::{Digest, digest_of},
    error::{AuthError, GrantKind, ProviderError, TokenRefusal, Unavailable},
    provider::{Change, Endpoint, HttpAnswer, Provider, Reachability, Request},
    single_flight::SingleFlight,
    text::chain,
    trouble::Trouble,
};

/// The pause after a replacement that failed, and the age from which a token that a service refuses is replaced.
const COOLDOWN: Duration = Duration::from_secs(10);

/// The tokens of a grant, or why there are none.
type TokenResult = Result<Arc<TokenResponse>, AuthError>;

/// Asks the token endpoint as the configured client.
#[derive(Debug)]
pub(crate) struct TokenEndpoint {
    provider: Arc<Provider>,
    client: Arc<Client>,
    refreshes: SingleFlight<Digest, TokenResult>,
    own_tokens: OwnTokens,
    exchanged_tokens: ExchangedTokens,
    refused_exchanges: RefusedExchanges,
    reachability: Reachability,
    /// By grant, whether Keycloak refuses the client itself.
    misconfiguration: [Trouble; 3],
}

impl TokenEndpoint {
    pub(crate) fn new(provider: Arc<Provider>, client: Arc<Client>) -> Self {
        Self {
            provider,
            client,
            refreshes: SingleFlight::default(),
            own_tokens: OwnTokens::default(),
            exchanged_tokens: ExchangedTokens::default(),
            refused_exchanges: RefusedExchanges::default(),
            reachability: Reachability::of(Endpoint::Token),
            misconfiguration: Default::default(),
        }
    }

    /// Uses a refresh token, once for all who do so at the same time: Keycloak may accept it only once.
    async fn refresh(self: Arc<Self>, refresh_token: &str, public_client: Option<&str>) -> TokenResult {
        // A client without a name is another one than no client.
        let key = digest_of([Some(refresh_token), public_client]);
        let flight = self.refreshes.join(key, || {
            let endpoint = Arc::clone(&self);
            let (refresh_token, public_client) = (refresh_token.to_owned(), public_client.map(str::to_owned));
            async move {
                let began = Instant::now();
                let form = [("grant_type", "refresh_token"), ("refresh_token", &*refresh_token)];
                let client = public_client.as_deref().map(|id| ClientCredentials::Public { id });
                let client = client.unwrap_or_else(|| endpoint.client());
                let outcome = endpoint.request(GrantKind::RefreshToken, client, &form).await;
                let error_code = outcome.as_ref().err().map(|error| Answer::to(error).code);
                endpoint.provider.metrics().token_refreshed(began.elapsed(), error_code);
                outcome
            }
            .boxed()
        });
        flight.await
    }

    async fn exchange(&self, subject_token: &str, audiences: &[String], scope: Option<&str>) -> TokenResult {
        const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
        let client = self.secret_client(GrantKind::TokenExchange)?;
        let mut form = vec![
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("subject_token", subject_token),
            ("subject_token_type", ACCESS_TOKEN),
            ("requested_token_type", ACCESS_TOKEN),
        ];
        form.extend(audiences.iter().map(|audience| ("audience", &**audience)));
        form.extend(scope.map(|scope| ("scope", scope)));
        self.request(GrantKind::TokenExchange, client, &form).await
    }

    fn client(&self) -> ClientCredentials<'_> {
        ClientCredentials::Configured(&self.client)
    }

    /// The client, for grants that are for confidential clients only.
    fn secret_client(&self, grant: GrantKind) -> Result<ClientCredentials<'_>, AuthError> {
        if self.client.is_confidential() {
            return Ok(self.client());
        }
        let refusal = TokenRefusal::for_want_of_credentials(grant);
        self.note_refused_grant(&refusal);
        Err(AuthError::TokenRefused(refusal))
    }

    /// Whether the endpoint may be asked now, or has said when.
    pub(crate) fn may_ask(&self) -> Result<(), Unavailable> {
        self.reachability.may_ask(self.provider.now())
    }

    async fn request(&self, grant: GrantKind, client: ClientCredentials<'_>, form: &[(&str, &str)]) -> TokenResult {
        self.may_ask().map_err(AuthError::TokenEndpointUnavailable)?;
        let request = Request::post(Endpoint::Token, client, form);
        let asked = self.provider.ask(request, |answer| read(grant, &answer)).await;
        let asked = asked.map_err(Arc::new);
        self.note_state(asked.as_ref().err());
        let refused = match asked {
            Ok(Ok(tokens)) => {
                self.misconfiguration[grant as usize].ends();
                return Ok(Arc::new(tokens));
            }
            Ok(Err(refusal)) => AuthError::TokenRefused(refusal),
            Err(cause) => AuthError::TokenEndpointUnavailable(Unavailable::for_now(cause)),
        };
        if let AuthError::TokenRefused(refusal) = &refused {
            self.note_refused_grant(refusal);
        }
        // Those of refreshes are counted with the refreshes.
        if grant != GrantKind::RefreshToken {
            self.provider.metrics().grant_failed(Answer::to(&refused).code);
        }
        Err(refused)
    }

    /// Discards the token at hand when it is the one that a service did not accept; whether there is a point in asking for another
    /// one.
    ///
    /// A token that was just obtained is kept: a service that accepts none must not cost a token for each call.
    fn give_up(&self, at_hand: Option<&KeptToken>, refused: &KeptToken, discard: impl FnOnce()) -> bool {
        if !at_hand.is_some_and(|at_hand| at_hand.is_same(refused)) {
            return true;
        }
        let is_worn = refused.is_older_than(COOLDOWN, self.provider.now());
        if is_worn {
            discard();
        }
        is_worn
    }

    /// Warns once when the endpoint begins to fail, and says once that it answers again.
    fn note_state(&self, error: Option<&Arc<ProviderError>>) {
        let change = self.reachability.note(error, &self.provider);
        match (change, error) {
            (Change::Failed, Some(error)) => tracing::warn!(
                name: "keycloak.token_endpoint_failed",
                target: "keycloak_auth",
                { "error.type" = &*error.kind() },
                "the token endpoint does not answer: {}", chain(error)
            ),
            (Change::StillFailing, Some(error)) => tracing::debug!(
                name: "keycloak.token_endpoint_still_failing",
                target: "keycloak_auth",
                { "error.type" = &*error.kind() },
                "the token endpoint still does not answer: {}", chain(error)
            ),
            (Change::Recovered, _) => tracing::info!(
                name: "keycloak.token_endpoint_recovered",
                target: "keycloak_auth",
                "the token endpoint answers again"
            ),
            _ => {}
        }
    }

    /// Says why there is no token: a mistake in the configuration once, until the grant works again.
    fn note_refused_grant(&self, refusal: &TokenRefusal) {
        let is_new = refusal.error().is_configuration()
            && self.misconfiguration[refusal.grant() as usize].begins(self.provider.now());
        if is_new {
            tracing::warn!(
                name: "keycloak.client_refused",
                target: "keycloak_auth",
                { "error.type" = refusal.error().as_str() },
                "{refusal}"
            );
        } else {
            tracing::debug!(
                name: "keycloak.grant_refused",
                target: "keycloak_auth",
                { "error.type" = refusal.error().as_str() },
                "{refusal}"
            );
        }
    }
}

/// Reads the answer to a grant: tokens, or a refusal (RFC 6749 §5).
pub(crate) fn read(
    grant: GrantKind,
    answer: &HttpAnswer,
) -> Result<Result<TokenResponse, TokenRefusal>, ProviderError> {
    #[derive(Deserialize)]
    struct Failure {
        error: String,
        error_description: Option<String>,
    }

    let unreadable = |_| ProviderError::TokenEndpoint { url: answer.url() };
    match answer.status {
        StatusCode::OK => serde_json::from_slice(&answer.body).map(Ok).map_err(unreadable),
        // RFC 6749 §5.2; Keycloak answers 403 where the client's policy forbids the exchange.
        StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            let failure: Failure = serde_json::from_slice(&answer.body).map_err(unreadable)?;
            Ok(Err(TokenRefusal::new(grant, failure.error, failure.error_description)))
        }
        _ => Err(answer.wrong_status()),
    }
}
