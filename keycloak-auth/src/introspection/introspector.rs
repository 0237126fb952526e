//! Asks the introspection endpoint.

use std::sync::Arc;

use futures_util::future::FutureExt as _;
use serde::Deserialize;
use tokio::sync::Semaphore;

use super::{
    Introspection,
    answers::{Answer, Answers},
    token::{check_same_token, is_opaque},
};
use crate::{
    claims::Claims,
    client_authentication::{Client, ClientCredentials},
    error::AuthError,
    invalid_token::InvalidToken,
    provider::{Call, Change, Provider, ProviderError, Reachability, Unavailable},
    text::chain,
    validator::Validator,
    verified_token::VerifiedToken,
};

/// How many questions of a kind Keycloak is asked at a time: who sends garbage must not reach it one to one.
const MAX_CONCURRENT: usize = 64;

/// Asks the introspection endpoint, and remembers what it said.
#[derive(Debug)]
pub(crate) struct Introspector {
    mode: Introspection,
    provider: Arc<Provider>,
    client: Arc<Client>,
    validator: Arc<Validator>,
    answers: Answers,
    /// For tokens that verified here. They do not wait for those of whom nobody knows whether they are garbage.
    verified_turns: Semaphore,
    other_turns: Semaphore,
    reachability: Reachability,
}

impl Introspector {
    pub(crate) fn new(
        mode: Introspection,
        provider: Arc<Provider>,
        client: Arc<Client>,
        validator: Arc<Validator>,
    ) -> Self {
        Self {
            mode,
            answers: Answers::new(provider.clock.clone()),
            provider,
            client,
            validator,
            verified_turns: Semaphore::new(MAX_CONCURRENT),
            other_turns: Semaphore::new(MAX_CONCURRENT),
            reachability: Reachability::default(),
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
    pub(crate) async fn authenticate(self: &Arc<Self>, token: &str) -> Result<Arc<VerifiedToken>, AuthError> {
        self.validator.check_size(token)?;
        // What has the form of a JWS must not be worse than one that is verified here; anything else is Keycloak's to judge.
        if !is_opaque(token.as_bytes()) {
            self.validator.inspect(token)?;
        }
        self.claims_of(token, |introspector| &introspector.other_turns).await
    }

    /// The same for a token that is verified, and lacks claims.
    pub(crate) async fn complete(self: &Arc<Self>, verified: &VerifiedToken) -> Result<Arc<VerifiedToken>, AuthError> {
        self.claims_of(verified.token(), |introspector| &introspector.verified_turns)
            .await
    }

    async fn claims_of(
        self: &Arc<Self>,
        token: &str,
        turns: fn(&Self) -> &Semaphore,
    ) -> Result<Arc<VerifiedToken>, AuthError> {
        let ask = |token: Arc<str>| {
            let introspector = Arc::clone(self);
            async move { introspector.ask(&token, turns(&introspector)).await }.boxed()
        };
        match self.answers.about(token, ask).await {
            Answer::Good(token) => {
                self.validator.check_claims(token.claims(), self.provider.clock.now())?;
                Ok(token)
            }
            Answer::Bad(invalid) => Err(invalid.into()),
            Answer::None(cause) => Err(AuthError::IntrospectionUnavailable(Unavailable::for_now(cause))),
        }
    }

    /// Whether a question was not answered in the last seconds: only another one can tell whether the next will be.
    pub(crate) fn is_failing(&self) -> bool {
        self.reachability.is_failing(self.provider.clock.now())
    }

    /// Finds out whether the endpoint is known, which takes the discovery document unless it is configured.
    pub(crate) async fn ready(&self) -> Result<(), Unavailable> {
        let provider = &self.provider;
        let found = provider.within_deadline(provider.introspection_endpoint()).await;
        found.map(drop).map_err(|error| Unavailable::for_now(Arc::new(error)))
    }

    async fn ask(&self, token: &str, turns: &Semaphore) -> Answer {
        let own = match self.own_claims(token) {
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
            Ok(json) => match self.judge(token, own.as_ref(), json) {
                Ok(token) => Answer::Good(Arc::new(token)),
                Err(invalid) => Answer::Bad(invalid),
            },
            Err(error) => Answer::None(Arc::new(error)),
        }
    }

    /// What the token says of itself, whether it is true or not.
    fn own_claims(&self, token: &str) -> Result<Option<Claims>, InvalidToken> {
        if is_opaque(token.as_bytes()) {
            return Ok(None);
        }
        self.validator.inspect(token)?.claims().map(Some)
    }

    /// Asks for the claims; `None` for a token that is not active.
    async fn post(&self, token: &str) -> Result<Option<String>, ProviderError> {
        #[derive(Deserialize)]
        struct Answer {
            active: bool,
        }

        let url = self.provider.introspection_endpoint().await?;
        let form = [("token", token), ("token_type_hint", "access_token")];
        let unreadable = || ProviderError::Introspection { url: url.to_string() };
        let client = ClientCredentials::Configured(&self.client);
        let asking = self.provider.post_form(&url, client, &form);
        let answer = Call::Introspection
            .observe(&url, &self.provider.metrics, asking)
            .await?;
        let body = answer.only_ok(&url)?;
        let json = String::from_utf8(body.into()).map_err(|_| unreadable())?;
        let answer: Answer = serde_json::from_str(&json).map_err(|_| unreadable())?;
        Ok(answer.active.then_some(json))
    }

    fn judge(&self, token: &str, own: Option<&Claims>, json: Option<String>) -> Result<VerifiedToken, InvalidToken> {
        let claims = Claims::parse(&json.ok_or(InvalidToken::Inactive)?)?;
        if let Some(own) = own {
            check_same_token(own, &claims)?;
        }
        self.validator.check_claims(&claims, self.provider.clock.now())?;
        let expectations = Arc::clone(self.validator.expectations());
        Ok(VerifiedToken::introspected(token, claims, expectations))
    }

    /// Logs once when the endpoint begins to fail, and once when it answers again.
    fn note_state(&self, error: Option<&ProviderError>) {
        let change = self.reachability.note(error.is_some(), self.provider.clock.now());
        match (change, error) {
            (Change::Failed, Some(error)) => {
                self.provider.metadata.forget();
                tracing::warn!(
                    name: "keycloak.introspection_failed",
                    target: "keycloak_auth",
                    { "error.type" = &*error.kind() },
                    "cannot introspect tokens: {}", chain(error)
                );
            }
            (Change::Recovered, _) => tracing::info!(
                name: "keycloak.introspection_recovered",
                target: "keycloak_auth",
                "tokens can be introspected again"
            ),
            _ => {}
        }
    }
}
