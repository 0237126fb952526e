//! Tokens from Keycloak's token endpoint (RFC 6749 §3.2): refreshing those of users, this service's own, and exchanging
//! one for another.

mod grants;
mod refusal;
mod response;
mod single_flight;

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use aws_lc_rs::digest;
use futures_util::future::FutureExt as _;
use http::StatusCode;
use serde::Deserialize;

pub use grants::{ExchangeToken, RefreshToken};
pub use refusal::{GrantKind, OAuthError, TokenRefusal};
pub use response::TokenResponse;

use self::single_flight::SingleFlight;
use crate::{
    AuthError, Clock,
    challenge::Answer,
    metrics::Recorder,
    provider::{Call, ClientCredentials, HttpAnswer, Provider, ProviderError, Unavailable},
    secret::Secret,
    text::chain,
};

/// The service's own token is not handed out any more when it lives for less than this.
const SPARE: Duration = Duration::from_secs(10);

/// The service's own token is replaced in the last fifth of its life, as long as the old one still serves.
const AHEAD: u32 = 5;

/// How long a caller waits for a new token while the old one still serves.
const PATIENCE: Duration = Duration::from_millis(500);

/// The pause after a replacement that failed.
const COOLDOWN: Duration = Duration::from_secs(10);

type Outcome = Result<Arc<TokenResponse>, AuthError>;

/// Asks the token endpoint as the configured client.
#[derive(Debug)]
pub(crate) struct TokenEndpoint {
    provider: Arc<Provider>,
    client_id: Arc<str>,
    client_secret: Option<Secret>,
    clock: Clock,
    metrics: Recorder,
    refreshes: SingleFlight<[u8; 32], Outcome>,
    own_token: Mutex<Option<OwnToken>>,
    own_token_requests: SingleFlight<(), Outcome>,
    /// When the next attempt to replace it is due after one that failed, in milliseconds since the Unix epoch.
    own_token_retry_at: AtomicU64,
    /// By grant, whether Keycloak refuses the client itself, so that this is not said for each request.
    is_misconfigured: [AtomicBool; 3],
}

/// The service's own token, with the times by the clock of the configuration.
#[derive(Clone, Debug)]
struct OwnToken {
    tokens: Arc<TokenResponse>,
    obtained_at: Duration,
}

impl OwnToken {
    fn remaining(&self, now: Duration) -> Duration {
        (self.obtained_at + self.tokens.lifetime()).saturating_sub(now)
    }

    fn is_usable(&self, now: Duration) -> bool {
        now >= self.obtained_at && self.remaining(now) >= SPARE.min(self.tokens.lifetime() / 2)
    }

    fn is_due(&self, now: Duration) -> bool {
        self.remaining(now) < self.tokens.lifetime() / AHEAD
    }

    /// With the lifetime that is left.
    fn as_of(&self, now: Duration) -> TokenResponse {
        TokenResponse {
            expires_in: self.remaining(now).as_secs(),
            ..(*self.tokens).clone()
        }
    }
}

impl TokenEndpoint {
    pub(crate) fn new(
        provider: Arc<Provider>,
        client_id: Arc<str>,
        client_secret: Option<Secret>,
        clock: Clock,
        metrics: Recorder,
    ) -> Self {
        Self {
            provider,
            client_id,
            client_secret,
            clock,
            metrics,
            refreshes: SingleFlight::default(),
            own_token: Mutex::new(None),
            own_token_requests: SingleFlight::default(),
            own_token_retry_at: AtomicU64::new(0),
            is_misconfigured: Default::default(),
        }
    }

    /// Uses a refresh token, once for all who do so at the same time: Keycloak may accept it only once.
    async fn refresh(self: Arc<Self>, refresh_token: &str, public_client: Option<&str>) -> Outcome {
        let mut key = digest::Context::new(&digest::SHA256);
        key.update(refresh_token.as_bytes());
        // A client without a name is another one than no client.
        key.update(&[0, u8::from(public_client.is_some())]);
        key.update(public_client.unwrap_or_default().as_bytes());
        let key = key.finish().as_ref().try_into().expect("SHA-256 has 32 bytes");
        let flight = self.refreshes.join(key, || {
            let endpoint = Arc::clone(&self);
            let (refresh_token, public_client) = (refresh_token.to_owned(), public_client.map(str::to_owned));
            async move {
                let began = Instant::now();
                let form = [("grant_type", "refresh_token"), ("refresh_token", &*refresh_token)];
                let client = public_client.as_deref().map(|id| ClientCredentials::Public { id });
                let client = client.unwrap_or_else(|| endpoint.client());
                let outcome = endpoint.ask(GrantKind::RefreshToken, client, &form).await;
                let error_code = outcome.as_ref().err().map(|error| Answer::to(error).code);
                endpoint.metrics.token_refreshed(began.elapsed(), error_code);
                outcome
            }
            .boxed()
        });
        flight.await
    }

    /// The service's own token: the one at hand, or a new one shortly before that one expires.
    pub(crate) async fn own_token(self: &Arc<Self>) -> Result<TokenResponse, AuthError> {
        let now = self.clock.now();
        let at_hand = self.own_token.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let at_hand = at_hand.filter(|own| own.is_usable(now));
        let retry_at = Duration::from_millis(self.own_token_retry_at.load(Ordering::Relaxed));
        if let Some(own) = at_hand.as_ref().filter(|own| !own.is_due(now) || now < retry_at) {
            return Ok(own.as_of(now));
        }
        let endpoint = Arc::clone(self);
        let flight = self
            .own_token_requests
            .join((), || async move { endpoint.request_own_token().await }.boxed());
        let Some(own) = at_hand else {
            return flight.await.map(Arc::unwrap_or_clone);
        };
        // The old one serves as long as it lives, so nobody waits long for its successor, and not again right away.
        match tokio::time::timeout(PATIENCE, flight).await {
            Ok(Ok(tokens)) => Ok(Arc::unwrap_or_clone(tokens)),
            Ok(Err(_)) | Err(_) => {
                let retry_at = u64::try_from((now + COOLDOWN).as_millis()).unwrap_or(u64::MAX);
                self.own_token_retry_at.store(retry_at, Ordering::Relaxed);
                Ok(own.as_of(now))
            }
        }
    }

    async fn request_own_token(&self) -> Outcome {
        let form = [("grant_type", "client_credentials")];
        let tokens = self
            .ask(
                GrantKind::ClientCredentials,
                self.secret_client(GrantKind::ClientCredentials)?,
                &form,
            )
            .await?;
        let own = OwnToken {
            tokens: Arc::clone(&tokens),
            obtained_at: self.clock.now(),
        };
        *self.own_token.lock().unwrap_or_else(PoisonError::into_inner) = Some(own);
        Ok(tokens)
    }

    async fn exchange(&self, subject_token: &str, audiences: &[String], scope: Option<&str>) -> Outcome {
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
        self.ask(GrantKind::TokenExchange, client, &form).await
    }

    fn client(&self) -> ClientCredentials<'_> {
        let id = &*self.client_id;
        match &self.client_secret {
            Some(secret) => ClientCredentials::Secret {
                id,
                secret: secret.expose(),
            },
            None => ClientCredentials::Public { id },
        }
    }

    /// The client, for grants that are for confidential clients only.
    fn secret_client(&self, grant: GrantKind) -> Result<ClientCredentials<'_>, AuthError> {
        match self.client() {
            ClientCredentials::Public { .. } => Err(AuthError::TokenRefused(TokenRefusal {
                grant,
                error: OAuthError::UnauthorizedClient,
                description: Some("set `client_secret`: this grant is for confidential clients".to_owned()),
            })),
            client @ ClientCredentials::Secret { .. } => Ok(client),
        }
    }

    async fn ask(&self, grant: GrantKind, client: ClientCredentials<'_>, form: &[(&str, &str)]) -> Outcome {
        let asked = self.provider.within_deadline(self.post(grant, client, form)).await;
        let refused = match asked {
            Ok(Ok(tokens)) => {
                self.is_misconfigured[grant as usize].store(false, Ordering::Relaxed);
                return Ok(Arc::new(tokens));
            }
            Ok(Err(refusal)) => AuthError::TokenRefused(refusal),
            Err(cause) => {
                tracing::debug!(
                    name: "keycloak.token_endpoint_failed",
                    target: "keycloak_auth",
                    { "error.type" = &*cause.kind() },
                    "the token endpoint did not answer: {}", chain(&cause)
                );
                AuthError::TokenEndpointUnavailable(Unavailable::for_now(Arc::new(cause)))
            }
        };
        if let AuthError::TokenRefused(refusal) = &refused {
            self.note_refusal(refusal);
        }
        Err(refused)
    }

    /// Says why there is no token: a mistake in the configuration once, until the grant works again.
    fn note_refusal(&self, refusal: &TokenRefusal) {
        let is_new = refusal.error.is_configuration()
            && !self.is_misconfigured[refusal.grant as usize].swap(true, Ordering::Relaxed);
        if is_new {
            tracing::warn!(
                name: "keycloak.client_refused",
                target: "keycloak_auth",
                { "error.type" = refusal.error.as_str() },
                "{refusal}"
            );
        } else {
            tracing::debug!(
                name: "keycloak.grant_refused",
                target: "keycloak_auth",
                { "error.type" = refusal.error.as_str() },
                "{refusal}"
            );
        }
    }

    async fn post(
        &self,
        grant: GrantKind,
        client: ClientCredentials<'_>,
        form: &[(&str, &str)],
    ) -> Result<Result<TokenResponse, TokenRefusal>, ProviderError> {
        #[derive(Deserialize)]
        struct Failure {
            error: OAuthError,
            error_description: Option<String>,
        }

        let Provider { metadata, http, .. } = &*self.provider;
        let url = metadata.token_endpoint(http, self.clock.now()).await?;
        let asking = http.post_form(&url, client, form);
        let HttpAnswer { status, body, .. } = Call::Token.observe(&url, &self.metrics, asking).await?;
        let unreadable = || ProviderError::TokenEndpoint { url: url.to_string() };
        match status {
            StatusCode::OK => serde_json::from_slice(&body).map(Ok).map_err(|_| unreadable()),
            // RFC 6749 §5.2; Keycloak answers 403 where the client's policy forbids the exchange.
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let failure: Failure = serde_json::from_slice(&body).map_err(|_| unreadable())?;
                Ok(Err(TokenRefusal {
                    grant,
                    error: failure.error,
                    description: failure.error_description,
                }))
            }
            status => Err(ProviderError::Status {
                url: url.to_string(),
                status: status.as_u16(),
            }),
        }
    }
}
