//! Asks the introspection endpoint.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde::Deserialize;
use tokio::sync::Semaphore;

use super::{
    Introspection,
    answers::{Answer, Answers},
    token::{check_same_token, is_opaque},
};
use crate::{
    Clock,
    claims::Claims,
    client_authentication::{Client, ClientCredentials},
    error::AuthError,
    invalid_token::InvalidToken,
    provider::{Call, Provider, ProviderError, Unavailable},
    text::chain,
    validator::Validator,
    verified_token::VerifiedToken,
};

/// How many questions of a kind Keycloak is asked at a time: who sends garbage must not reach it one to one.
const MAX_CONCURRENT: usize = 64;

/// How long the endpoint counts as failing after a question without an answer.
const FAILING: Duration = Duration::from_secs(10);

/// Asks the introspection endpoint, and remembers what it said.
#[derive(Debug)]
pub(crate) struct Introspector {
    mode: Introspection,
    provider: Arc<Provider>,
    client: Arc<Client>,
    clock: Clock,
    answers: Answers,
    /// For tokens that verified here. They do not wait for those of whom nobody knows whether they are garbage.
    verified_turns: Semaphore,
    other_turns: Semaphore,
    /// Until when the endpoint counts as failing, in milliseconds since the Unix epoch; 0 once it has answered.
    failing_until: AtomicU64,
}

impl Introspector {
    pub(crate) fn new(mode: Introspection, provider: Arc<Provider>, client: Arc<Client>, clock: Clock) -> Self {
        Self {
            mode,
            provider,
            client,
            answers: Answers::new(clock.clone()),
            clock,
            verified_turns: Semaphore::new(MAX_CONCURRENT),
            other_turns: Semaphore::new(MAX_CONCURRENT),
            failing_until: AtomicU64::new(0),
        }
    }

    pub(crate) const fn mode(&self) -> Introspection {
        self.mode
    }

    /// Whether Keycloak alone judges this token, so that there is nothing to verify first.
    pub(crate) fn judges(&self, token: &[u8]) -> bool {
        self.mode.covers_all() || (self.mode.covers_opaque() && is_opaque(token))
    }

    /// The token with the claims that Keycloak says it has, if it may be used here and now.
    pub(crate) async fn authenticate(
        &self,
        token: &str,
        validator: &Validator,
    ) -> Result<Arc<VerifiedToken>, AuthError> {
        validator.check_size(token)?;
        // What has the form of a JWS must not be worse than one that is verified here; anything else is Keycloak's to judge.
        if !is_opaque(token.as_bytes()) {
            validator.inspect(token)?;
        }
        self.claims_of(token, validator, &self.other_turns).await
    }

    /// The same for a token that is verified, and lacks claims.
    pub(crate) async fn complete(
        &self,
        verified: &VerifiedToken,
        validator: &Validator,
    ) -> Result<Arc<VerifiedToken>, AuthError> {
        self.claims_of(verified.token(), validator, &self.verified_turns).await
    }

    async fn claims_of(
        &self,
        token: &str,
        validator: &Validator,
        turns: &Semaphore,
    ) -> Result<Arc<VerifiedToken>, AuthError> {
        match self.answers.about(token, self.ask(token, validator, turns)).await {
            Answer::Good(token) => {
                validator.check_claims(token.claims(), self.clock.now())?;
                Ok(token)
            }
            Answer::Bad(invalid) => Err(invalid.into()),
            Answer::None(cause) => Err(AuthError::IntrospectionUnavailable(Unavailable::for_now(cause))),
        }
    }

    /// Whether a question was not answered in the last seconds: only another one can tell whether the next will be.
    pub(crate) fn is_failing(&self) -> bool {
        self.clock.now() < Duration::from_millis(self.failing_until.load(Ordering::Relaxed))
    }

    /// Finds out whether the endpoint is known, which takes the discovery document unless it is configured.
    pub(crate) async fn ready(&self) -> Result<(), Unavailable> {
        let Provider { metadata, http, .. } = &*self.provider;
        let found = self
            .provider
            .within_deadline(metadata.introspection_endpoint(http, self.clock.now()))
            .await;
        found.map(drop).map_err(|error| Unavailable::for_now(Arc::new(error)))
    }

    async fn ask(&self, token: &str, validator: &Validator, turns: &Semaphore) -> Answer {
        let own = match Self::own_claims(token, validator) {
            Ok(own) => own,
            Err(invalid) => return Answer::Bad(invalid),
        };
        let asking = async {
            // Never closed, so there is always a turn to wait for.
            let _turn = turns.acquire().await;
            self.post(token).await
        };
        let answer = self.provider.within_deadline(asking).await;
        self.note_state(answer.as_ref().err());
        match answer {
            Ok(json) => match self.judge(token, own.as_ref(), json, validator) {
                Ok(token) => Answer::Good(Arc::new(token)),
                Err(invalid) => Answer::Bad(invalid),
            },
            Err(error) => Answer::None(Arc::new(error)),
        }
    }

    /// What the token says of itself, whether it is true or not.
    fn own_claims(token: &str, validator: &Validator) -> Result<Option<Claims>, InvalidToken> {
        if is_opaque(token.as_bytes()) {
            return Ok(None);
        }
        validator.inspect(token)?.claims().map(Some)
    }

    /// Asks for the claims; `None` for a token that is not active.
    async fn post(&self, token: &str) -> Result<Option<String>, ProviderError> {
        #[derive(Deserialize)]
        struct Answer {
            active: bool,
        }

        let Provider { metadata, http, .. } = &*self.provider;
        let now = self.clock.now();
        let url = metadata.introspection_endpoint(http, now).await?;
        let form = [("token", token), ("token_type_hint", "access_token")];
        let unreadable = || ProviderError::Introspection { url: url.to_string() };
        let client = ClientCredentials::Configured(&self.client);
        let asking = self.provider.post_form(&url, client, &form, now);
        let answer = Call::Introspection
            .observe(&url, &self.provider.metrics, asking)
            .await?;
        let body = answer.only_ok(&url)?;
        let json = String::from_utf8(body.into()).map_err(|_| unreadable())?;
        let answer: Answer = serde_json::from_str(&json).map_err(|_| unreadable())?;
        Ok(answer.active.then_some(json))
    }

    fn judge(
        &self,
        token: &str,
        own: Option<&Claims>,
        json: Option<String>,
        validator: &Validator,
    ) -> Result<VerifiedToken, InvalidToken> {
        let claims = Claims::parse(&json.ok_or(InvalidToken::Inactive)?)?;
        if let Some(own) = own {
            check_same_token(own, &claims)?;
        }
        validator.check_claims(&claims, self.clock.now())?;
        Ok(VerifiedToken::introspected(token, claims, Arc::clone(self.client.id())))
    }

    /// Logs once when the endpoint begins to fail, and once when it answers again.
    fn note_state(&self, error: Option<&ProviderError>) {
        let until = error.map_or(Duration::ZERO, |_| self.clock.now() + FAILING);
        let until = u64::try_from(until.as_millis()).unwrap_or(u64::MAX);
        let was_failing = self.failing_until.swap(until, Ordering::Relaxed) > 0;
        match error {
            Some(error) if !was_failing => {
                self.provider.metadata.forget();
                tracing::warn!(
                    name: "keycloak.introspection_failed",
                    target: "keycloak_auth",
                    { "error.type" = &*error.kind() },
                    "cannot introspect tokens: {}", chain(error)
                );
            }
            None if was_failing => tracing::info!(
                name: "keycloak.introspection_recovered",
                target: "keycloak_auth",
                "tokens can be introspected again"
            ),
            _ => {}
        }
    }
}
