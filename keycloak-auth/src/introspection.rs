//! Asking Keycloak about a token instead of verifying it here (RFC 7662).
//!
//! What Keycloak says is checked like the claims of a token: issuer, audience, type and times. Its answers are kept for a
//! short while: good ones for at most 30 s and no longer than the token lives, bad ones for a second. One token is asked
//! about once, however many requests wait for the answer. When Keycloak does not answer, nobody knows: that is 503.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use moka::{Expiry, future::Cache};
use serde::Deserialize;
use tokio::sync::Semaphore;

use crate::{
    Clock,
    claims::Claims,
    error::AuthError,
    invalid_token::InvalidToken,
    provider::{Call, ClientCredentials, Provider, ProviderError, Unavailable},
    secret::Secret,
    text::chain,
    validator::Validator,
    verified_token::VerifiedToken,
};

/// How long a good answer is kept.
const GOOD_ANSWER: Duration = Duration::from_secs(30);

/// How long a bad answer is kept.
const BAD_ANSWER: Duration = Duration::from_secs(1);

/// How much memory the answers may take, in bytes.
const MAX_BYTES: u64 = 32 * 1024 * 1024;

/// How many questions Keycloak is asked at a time: who sends garbage must not reach it one to one.
const MAX_CONCURRENT: usize = 64;

/// Asks the introspection endpoint, and remembers what it said.
#[derive(Debug)]
pub(crate) struct Introspection {
    provider: Arc<Provider>,
    client_id: Arc<str>,
    client_secret: Secret,
    clock: Clock,
    answers: Cache<String, Verdict>,
    turns: Semaphore,
    is_failing: AtomicBool,
}

#[derive(Clone, Debug)]
enum Verdict {
    Good { token: Arc<VerifiedToken>, keep: Duration },
    Bad(InvalidToken),
}

impl Verdict {
    fn size(&self) -> usize {
        match self {
            Self::Good { token, .. } => size_of::<Self>() + token.size(),
            Self::Bad(_) => size_of::<Self>(),
        }
    }
}

impl Introspection {
    pub(crate) fn new(provider: Arc<Provider>, client_id: Arc<str>, client_secret: Secret, clock: Clock) -> Self {
        Self {
            provider,
            client_id,
            client_secret,
            clock,
            answers: Cache::builder()
                .weigher(|token: &String, verdict: &Verdict| {
                    u32::try_from(token.len() + verdict.size()).unwrap_or(u32::MAX)
                })
                .max_capacity(MAX_BYTES)
                .expire_after(Lifetime)
                .build(),
            turns: Semaphore::new(MAX_CONCURRENT),
            is_failing: AtomicBool::new(false),
        }
    }

    /// The token with the claims that Keycloak says it has, if it may be used here and now.
    pub(crate) async fn authenticate(
        &self,
        token: &str,
        validator: &Validator,
    ) -> Result<Arc<VerifiedToken>, AuthError> {
        validator.check_size(token)?;
        // What has the form of a JWS must not be worse than one that is verified here; anything else is Keycloak's to judge.
        if token.bytes().filter(|byte| *byte == b'.').count() == 2 {
            validator.inspect(token)?;
        }
        let asked = self
            .answers
            .try_get_with_by_ref(token, self.ask(token, validator))
            .await;
        let verdict = asked.map_err(|cause| AuthError::IntrospectionUnavailable(Unavailable::for_now(cause)))?;
        match verdict {
            Verdict::Good { token, .. } => {
                validator.check_claims(token.claims(), self.clock.now())?;
                Ok(token)
            }
            Verdict::Bad(invalid) => Err(invalid.into()),
        }
    }

    /// Whether the last question was not answered.
    pub(crate) fn is_failing(&self) -> bool {
        self.is_failing.load(Ordering::Relaxed)
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

    async fn ask(&self, token: &str, validator: &Validator) -> Result<Verdict, ProviderError> {
        let asking = async {
            // Never closed, so there is always a turn to wait for.
            let _turn = self.turns.acquire().await;
            self.post(token).await
        };
        let answer = self.provider.within_deadline(asking).await;
        self.note_state(answer.as_ref().err());
        let json = answer?;
        Ok(match self.judge(token, json, validator) {
            Ok(verdict) => verdict,
            Err(invalid) => Verdict::Bad(invalid),
        })
    }

    /// Asks for the claims; `None` for a token that is not active.
    async fn post(&self, token: &str) -> Result<Option<String>, ProviderError> {
        #[derive(Deserialize)]
        struct Answer {
            active: bool,
        }

        let Provider { metadata, http, .. } = &*self.provider;
        let url = metadata.introspection_endpoint(http, self.clock.now()).await?;
        let form = [("token", token), ("token_type_hint", "access_token")];
        let unreadable = || ProviderError::Introspection { url: url.to_string() };
        let client = ClientCredentials::Secret {
            id: &self.client_id,
            secret: self.client_secret.expose(),
        };
        let asking = http.post_form(&url, client, &form);
        let answer = Call::Introspection
            .observe(&url, &self.provider.metrics, asking)
            .await?;
        let body = answer.only_ok(&url)?;
        let json = String::from_utf8(body.into()).map_err(|_| unreadable())?;
        let answer: Answer = serde_json::from_str(&json).map_err(|_| unreadable())?;
        Ok(answer.active.then_some(json))
    }

    fn judge(&self, token: &str, json: Option<String>, validator: &Validator) -> Result<Verdict, InvalidToken> {
        let claims = Claims::parse(&json.ok_or(InvalidToken::Inactive)?)?;
        let now = self.clock.now();
        validator.check_claims(&claims, now)?;
        let expires_in = Duration::from_secs(claims.expires_at().unwrap_or_default()).saturating_sub(now);
        let token = VerifiedToken::introspected(token, claims, Arc::clone(&self.client_id));
        Ok(Verdict::Good {
            token: Arc::new(token),
            keep: expires_in.min(GOOD_ANSWER),
        })
    }

    /// Logs once when the endpoint begins to fail, and once when it answers again.
    fn note_state(&self, error: Option<&ProviderError>) {
        let was_failing = self.is_failing.swap(error.is_some(), Ordering::Relaxed);
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

/// How long an answer is kept.
struct Lifetime;

impl Expiry<String, Verdict> for Lifetime {
    fn expire_after_create(&self, _: &String, verdict: &Verdict, _: Instant) -> Option<Duration> {
        Some(match verdict {
            Verdict::Good { keep, .. } => *keep,
            Verdict::Bad(_) => BAD_ANSWER,
        })
    }
}
