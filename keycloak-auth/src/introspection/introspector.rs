//! Asks the introspection endpoint.

use std::sync::Arc;

use futures_util::future::FutureExt as _;
use http::StatusCode;
use serde::Deserialize;
use tokio::time::Instant;

use super::{
    Introspection,
    token::{check_same_token, is_opaque},
    turns::{MAX_CONCURRENT, Turns},
    verdicts::{Verdict, Verdicts},
};
use crate::{
    claims::Claims,
    client_authentication::{Client, ClientCredentials},
    error::{AuthError, ProviderError, Unavailable},
    invalid_token::InvalidToken,
    provider::{Change, Endpoint, HttpAnswer, Provider, Reachability, RemoteKeySet, Request},
    text::chain,
    trouble::Trouble,
    validator::Validator,
    verified_token::VerifiedToken,
};

/// Asks the introspection endpoint, and remembers what it said.
#[derive(Debug)]
pub(crate) struct Introspector {
    mode: Introspection,
    provider: Arc<Provider>,
    client: Arc<Client>,
    validator: Arc<Validator>,
    /// For the order in which tokens are asked about, where not all can be at once.
    key_set: Arc<RemoteKeySet>,
    verdicts: Verdicts,
    turns: Turns,
    reachability: Reachability,
    /// Whether answers are about other tokens than those that were asked about.
    mix_up: Trouble,
}

impl Introspector {
    pub(crate) fn new(
        mode: Introspection,
        provider: Arc<Provider>,
        client: Arc<Client>,
        validator: Arc<Validator>,
        key_set: Arc<RemoteKeySet>,
    ) -> Self {
        Self {
            mode,
            verdicts: Verdicts::new(provider.clock().clone()),
            provider,
            client,
            validator,
            key_set,
            turns: Turns::default(),
            reachability: Reachability::of(Endpoint::Introspection),
            mix_up: Trouble::default(),
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
            self.validator.inspect(token)?.check_spelling()?;
        }
        self.claims_of(token, false).await
    }

    /// The same for a token that is verified, and lacks claims.
    pub(crate) async fn complete(self: &Arc<Self>, verified: &VerifiedToken) -> Result<Arc<VerifiedToken>, AuthError> {
        self.claims_of(verified.token(), true).await
    }

    async fn claims_of(self: &Arc<Self>, token: &str, is_verified: bool) -> Result<Arc<VerifiedToken>, AuthError> {
        let ask = |token: Arc<str>| {
            let introspector = Arc::clone(self);
            async move { introspector.introspect(&token, is_verified).await }.boxed()
        };
        match self.verdicts.about(token, ask).await {
            Verdict::Good(token) => {
                self.validator.check_claims(token.claims(), self.provider.now())?;
                Ok(token)
            }
            Verdict::Bad(invalid) => Err(invalid.into()),
            Verdict::Unknown(unavailable) => Err(AuthError::IntrospectionUnavailable(unavailable)),
        }
    }

    /// Whether a question was not answered in the last seconds: only another one can tell whether the next will be.
    pub(crate) fn is_failing(&self) -> bool {
        self.reachability.is_failing(self.provider.now())
    }

    /// Whether the endpoint may be asked now, or has said when.
    pub(crate) fn may_ask(&self) -> Result<(), Unavailable> {
        self.reachability.may_ask(self.provider.now())
    }

    /// Finds out whether the endpoint is known, which takes the discovery document unless it is configured.
    pub(crate) async fn ready(&self) -> Result<(), Unavailable> {
        let found = self.provider.find(Endpoint::Introspection).await;
        found.map(drop).map_err(|error| Unavailable::for_now(Arc::new(error)))
    }

    async fn introspect(&self, token: &str, is_verified: bool) -> Verdict {
        let own = match self.own_claims(token) {
            Ok(own) => own,
            Err(invalid) => return Verdict::Bad(invalid),
        };
        if let Err(unavailable) = self.may_ask() {
            return Verdict::Unknown(unavailable);
        }
        let (began, deadline) = (Instant::now(), self.provider.deadline());
        let turn = if is_verified {
            self.turns.for_verified(deadline).await
        } else {
            self.turns.for_other(token, self.is_genuine(token), deadline).await
        };
        // That many ask says nothing of the endpoint.
        let Some(_turn) = turn else {
            return Verdict::Unknown(Unavailable::for_now(Arc::new(self.too_many())));
        };
        let left = deadline.saturating_sub(began.elapsed());
        let form = [("token", token), ("token_type_hint", "access_token")];
        let client = ClientCredentials::Configured(&self.client);
        let request = Request::post(Endpoint::Introspection, client, &form);
        let answer = self.provider.ask_within(left, request, read).await.map_err(Arc::new);
        self.note_state(answer.as_ref().err());
        match answer.map(|json| self.judge(token, own.as_ref(), json)) {
            Ok(judged) => {
                self.turns.note(token, judged.is_ok());
                judged.map_or_else(Verdict::Bad, |token| Verdict::Good(Arc::new(token)))
            }
            Err(error) => Verdict::Unknown(Unavailable::for_now(error)),
        }
    }

    /// Whether a key of the realm signed the token.
    async fn is_genuine(&self, token: &str) -> bool {
        let Ok(unverified) = self.validator.inspect(token) else {
            return false;
        };
        match self.key_set.keys(self.provider.now()).await {
            Ok(snapshot) => unverified.is_signed_by_one_of(snapshot.keys()),
            Err(_) => false,
        }
    }

    #[cold]
    fn too_many(&self) -> ProviderError {
        let error = ProviderError::TooManyQuestions { limit: MAX_CONCURRENT };
        if self.turns.crowd.happens(self.provider.now()) {
            tracing::warn!(
                name: "keycloak.introspection_crowded",
                target: "keycloak_auth",
                { "error.type" = &*error.kind() },
                "tokens are refused with 503 for want of a turn to introspect them: {error}; a flood of garbage looks like this"
            );
        }
        error
    }

    /// What the token says of itself, whether it is true or not; where it is bad by its own word, nobody has to be asked.
    fn own_claims(&self, token: &str) -> Result<Option<Claims>, InvalidToken> {
        if is_opaque(token.as_bytes()) {
            return Ok(None);
        }
        let claims = self.validator.inspect(token)?.claims()?;
        self.validator.check_origin_and_times(&claims, self.provider.now())?;
        Ok(Some(claims))
    }

    fn judge(&self, token: &str, own: Option<&Claims>, json: Option<String>) -> Result<VerifiedToken, InvalidToken> {
        let claims = Claims::parse(&json.ok_or(InvalidToken::Inactive)?)?;
        if let Some(own) = own {
            check_same_token(own, &claims)
                .inspect_err(|claim| self.note_mix_up(claim))
                .map_err(InvalidToken::Claim)?;
        }
        self.validator.check_claims(&claims, self.provider.now())?;
        let expectations = Arc::clone(self.validator.expectations());
        Ok(VerifiedToken::introspected(token, claims, expectations))
    }

    #[cold]
    fn note_mix_up(&self, claim: &'static str) {
        if self.mix_up.happens(self.provider.now()) {
            tracing::warn!(
                name: "keycloak.introspection_of_another_token",
                target: "keycloak_auth",
                { keycloak.claim = claim },
                "the introspection endpoint answers about another token: `{claim}` differs"
            );
        }
    }

    /// Warns once when the endpoint begins to fail, and says once that it answers again.
    fn note_state(&self, error: Option<&Arc<ProviderError>>) {
        let change = self.reachability.note(error, &self.provider);
        match (change, error) {
            (Change::Failed, Some(error)) => tracing::warn!(
                name: "keycloak.introspection_failed",
                target: "keycloak_auth",
                { "error.type" = &*error.kind() },
                "cannot introspect tokens: {}", chain(error)
            ),
            (Change::StillFailing, Some(error)) => tracing::debug!(
                name: "keycloak.introspection_still_failing",
                target: "keycloak_auth",
                { "error.type" = &*error.kind() },
                "still cannot introspect tokens: {}", chain(error)
            ),
            (Change::Recovered, _) => tracing::info!(
                name: "keycloak.introspection_recovered",
                target: "keycloak_auth",
                "tokens can be introspected again"
            ),
            _ => {}
        }
    }
}

/// The claims as JSON; `None` for a token that is not active (RFC 7662 §2.2).
fn read(answer: HttpAnswer) -> Result<Option<String>, ProviderError> {
    #[derive(Deserialize)]
    struct Response {
        active: bool,
    }

    if is_about_the_token(&answer) {
        return Ok(None);
    }
    let url = answer.url();
    let body = answer.only_ok()?;
    let readable = String::from_utf8(body.into()).ok().and_then(|json| {
        let response: Response = serde_json::from_str(&json).ok()?;
        Some(response.active.then_some(json))
    });
    readable.ok_or(ProviderError::Introspection { url })
}

/// Whether Keycloak refuses the token by an error: so it does for what it cannot read, such as `e30.e30`, instead of calling it
/// not active. That says nothing of the endpoint, and whoever sends such a token must not make it count as failing. A client that
/// Keycloak does not accept is told `invalid_client` or `unauthorized_client`.
fn is_about_the_token(answer: &HttpAnswer) -> bool {
    #[derive(Deserialize)]
    struct Failure {
        error: String,
    }

    answer.status == StatusCode::BAD_REQUEST
        && serde_json::from_slice(&answer.body).is_ok_and(|failure: Failure| failure.error == "invalid_request")
}
