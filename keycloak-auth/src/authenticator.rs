//! From a token to a caller: by the keys and the cache at hand, by keys that are fetched for it, or by asking Keycloak.

use std::{borrow::Borrow, sync::Arc, time::Duration};

use crate::{
    AuthError, KeycloakUser, Unavailable,
    acceptance::Acceptance,
    bearer::BearerToken,
    cache::Place,
    challenge::code_of,
    error::Cause,
    introspection::Introspector,
    invalid_token::InvalidToken,
    jose::KeySet,
    metrics::Recorder,
    provider::{Provider, RemoteKeySet},
    text::{chain, shortened},
    validator::{Found, Unverified, Validator},
    verification_turns::{self, Order},
    verified_token::{Verified, VerifiedToken},
};

/// Whose token it is, and where it was found, or why it is not acceptable.
pub(crate) type Judged<'a> = Result<(KeycloakUser, Place<'a>), Cause>;

/// What came of a token, and for which request it was verified.
enum Outcome {
    /// For this one.
    Verified(Result<Verified, InvalidToken>),
    /// For another one, while this one waited for its turn.
    Remembered(Result<Verified, InvalidToken>),
}

/// Judges access tokens.
pub(crate) struct Authenticator {
    validator: Arc<Validator>,
    key_set: Arc<RemoteKeySet>,
    /// Where it takes the place of validating tokens by keys, or comes on top of it.
    introspection: Option<Arc<Introspector>>,
    provider: Arc<Provider>,
    acceptance: Acceptance,
}

impl Authenticator {
    pub(crate) fn new(
        validator: Arc<Validator>,
        key_set: Arc<RemoteKeySet>,
        introspection: Option<Arc<Introspector>>,
        provider: Arc<Provider>,
    ) -> Self {
        Self {
            validator,
            key_set,
            introspection,
            provider,
            acceptance: Acceptance::default(),
        }
    }

    pub(crate) fn validator(&self) -> &Validator {
        &self.validator
    }

    pub(crate) fn key_set(&self) -> &RemoteKeySet {
        &self.key_set
    }

    pub(crate) fn introspection(&self) -> Option<&Arc<Introspector>> {
        self.introspection.as_ref()
    }

    /// Whether verified tokens are remembered.
    pub(crate) fn has_cache(&self) -> bool {
        self.validator.has_cache()
    }

    /// Whether any token is judged by the realm's keys.
    pub(crate) fn needs_keys(&self) -> bool {
        self.introspection()
            .is_none_or(|introspection| !introspection.mode().covers_all())
    }

    /// Fetches what is needed before the first token can be judged.
    pub(crate) async fn ready(&self) -> Result<(), Unavailable> {
        if let Some(introspection) = self.introspection() {
            introspection.ready().await?;
        }
        if self.needs_keys() {
            self.key_set.keys(self.provider.now()).await?;
        }
        Ok(())
    }

    /// Judges the token by the keys at hand; `None` when that takes a question to Keycloak, or others are to be served first. Never
    /// waits, so that the usual request neither allocates a future nor yields.
    #[inline(always)] // as `Validator::find`
    pub(crate) fn judge(&self, token: BearerToken<'_>, now: Duration) -> Option<Judged<'_>> {
        if !self.needs_keys() {
            return None;
        }
        let is_usable = self.key_set.is_usable(now);
        if is_usable && let Some(found) = self.validator.find(token.as_bytes(), now) {
            if !found.is_good() {
                return self.judge_found(found, token);
            }
            self.provider.metrics().known_token_accepted();
            return Some(Ok((KeycloakUser::new(found.verified), found.place)));
        }
        self.judge_unknown(token, now, is_usable)
    }

    /// A token that was good once.
    #[cold]
    fn judge_found<'a>(&'a self, found: Found<'a>, token: BearerToken<'_>) -> Option<Judged<'a>> {
        match self.validator.judge_found(found) {
            // All that it may lack is claims.
            Ok(_) => None,
            Err(invalid) => {
                let cause = Cause::from(invalid);
                self.note_refused_token(&cause, token.as_bytes());
                Some(Err(cause))
            }
        }
    }

    #[inline(never)]
    fn judge_unknown(&self, token: BearerToken<'_>, now: Duration, has_keys: bool) -> Option<Judged<'_>> {
        let judged = self.judge_new(token, now, has_keys)?;
        Some(judged.map(|verified| (KeycloakUser::new(verified), Place::NONE)))
    }

    /// A token that is not known.
    fn judge_new(
        &self,
        token: BearerToken<'_>,
        now: Duration,
        has_keys: bool,
    ) -> Option<Result<Arc<VerifiedToken>, Cause>> {
        let Self {
            validator,
            key_set,
            introspection,
            ..
        } = self;
        let word = match token.word() {
            Ok(word) => word,
            Err(fault) => return Some(self.noted(Err(fault.into()), token.as_bytes())),
        };
        let unverified = match validator.inspect_word(word) {
            Ok(unverified) => unverified,
            Err(_) if introspection.as_ref().is_some_and(|asked| asked.judges(word.bytes)) => return None,
            Err(invalid) => return Some(self.noted(Err(invalid.into()), word.bytes)),
        };
        let snapshot = has_keys.then(|| key_set.usable_snapshot())?;
        let stopwatch = self.provider.metrics().stopwatch();
        let key = unverified.select_key(snapshot.keys());
        if key.is_ok() && !verification_turns::try_take(token.order(), now) {
            return None;
        }
        let result = match key.and_then(|key| validator.verify(&unverified, key, now)) {
            Ok(Verified::Complete(verified)) => Ok(verified),
            Ok(Verified::Lightweight(_)) => return None,
            Err(invalid) => Err(invalid),
        };
        match result {
            Err(InvalidToken::UnknownKey) if unverified.names_its_key() => {
                // Keys that came since the look at them may have it.
                if !key_set.is_cooling_down(now) || !key_set.is_current(&snapshot) {
                    return None;
                }
                note_unknown_key(&unverified);
                self.provider.metrics().key_looked_up(false);
                Some(self.noted(Err(InvalidToken::UnknownKey.into()), word.bytes))
            }
            result => {
                self.provider
                    .metrics()
                    .key_looked_up(!matches!(result, Err(InvalidToken::UnknownKey)));
                if let Err(invalid) = &result {
                    self.warn_if_nobody_is_accepted(*invalid, word.bytes);
                }
                let result = result.map_err(Cause::from);
                self.provider.metrics().token_judged(stopwatch, code_of_result(&result));
                Some(self.noted(result, word.bytes))
            }
        }
    }

    /// Takes back what [`judge`](Self::judge) gave, so that it is judged sooner when it comes again.
    #[inline]
    pub(crate) fn hand_back(&self, user: KeycloakUser, place: Place<'_>) {
        self.validator.hand_back(user.into_token(), place);
    }

    /// Judges the token by waiting: for its turn, or by asking Keycloak for the keys that are missing, as far as a fetch is allowed,
    /// or about the token.
    pub(crate) async fn judge_by_asking(&self, token: BearerToken<'_>) -> Result<Arc<VerifiedToken>, AuthError> {
        let metrics = self.provider.metrics();
        let stopwatch = metrics.stopwatch();
        let bytes = token.as_bytes();
        let result = self.ask_about(token, metrics).await;
        // What Keycloak says of a token need not stand in it.
        if let (Err(AuthError::InvalidToken(invalid)), None) = (&result, &self.introspection) {
            self.warn_if_nobody_is_accepted(*invalid, bytes);
        }
        metrics.token_judged(stopwatch, code_of_result(&result));
        self.noted(result, bytes)
    }

    /// Judges the token as for a request, but neither counts nor logs what becomes of it: it is nobody's request.
    pub(crate) async fn ask_unnoted(&self, access_token: &str) -> Result<Arc<VerifiedToken>, AuthError> {
        self.ask_about(BearerToken::new(access_token), &Recorder::default())
            .await
    }

    async fn ask_about(&self, token: BearerToken<'_>, metrics: &Recorder) -> Result<Arc<VerifiedToken>, AuthError> {
        let Self {
            validator,
            introspection,
            ..
        } = self;
        let order = token.order();
        let token = token.text()?;
        if let Some(introspector) = introspection.as_ref().filter(|asked| asked.judges(token.as_bytes())) {
            return introspector.authenticate(token).await;
        }
        match (
            self.verify_with_fetched_keys(token, order, metrics).await?,
            introspection,
        ) {
            (Verified::Complete(verified), _) => Ok(verified),
            (Verified::Lightweight(verified), Some(introspector)) => introspector.complete(&verified).await,
            // With nobody to complete it, it has to pass every check as it is.
            (Verified::Lightweight(verified), None) => {
                validator.check_claims(verified.claims(), self.provider.now())?;
                Ok(verified)
            }
        }
    }

    /// Verifies the token with the keys at hand or, where that does not suffice, with new ones.
    async fn verify_with_fetched_keys(
        &self,
        token: &str,
        order: Order,
        metrics: &Recorder,
    ) -> Result<Verified, AuthError> {
        let Self { validator, key_set, .. } = self;
        let now = self.provider.now();
        if let Some(known) = self.judge_known(token, now, metrics) {
            return Ok(known?);
        }
        let unverified = validator.inspect(token)?;
        let has_keys = key_set.snapshot(now).is_some();
        let judged = self.verify_in_turn(token, &unverified, order, metrics).await;
        let result = match judged.inspect_err(|_| metrics.key_looked_up(false))? {
            Outcome::Verified(result) => result,
            Outcome::Remembered(result) => return Ok(result?),
        };
        let is_unknown = matches!(result, Err(InvalidToken::UnknownKey));
        metrics.key_looked_up(has_keys && !is_unknown);
        if !is_unknown || !unverified.names_its_key() {
            return Ok(result?);
        }
        key_set.look_for_unknown_key(now).await;
        let (Outcome::Verified(result) | Outcome::Remembered(result)) =
            self.verify_in_turn(token, &unverified, order, metrics).await?;
        if matches!(result, Err(InvalidToken::UnknownKey)) {
            note_unknown_key(&unverified);
        }
        Ok(result?)
    }

    /// Verifies the token with the keys at hand or fetched, when it is its turn.
    async fn verify_in_turn(
        &self,
        token: &str,
        unverified: &Unverified<'_>,
        order: Order,
        metrics: &Recorder,
    ) -> Result<Outcome, Unavailable> {
        let Self { validator, key_set, .. } = self;
        let now = || self.provider.now();
        let verify = |keys: &KeySet| {
            let key = unverified.select_key(keys);
            key.and_then(|key| validator.verify(unverified, key, now()))
        };
        let keys = key_set.keys(now()).await?;
        // Nobody waits for what is not verified in the end.
        if unverified.select_key(keys.keys()).is_err() || verification_turns::try_take(order, now()) {
            return Ok(Outcome::Verified(verify(keys.keys())));
        }
        let turn = verification_turns::wait(now).await;
        // By now the token may have come with another request, and the keys may be others.
        if let Some(known) = self.judge_known(token, now(), metrics) {
            return Ok(Outcome::Remembered(known));
        }
        let keys = key_set.keys(now()).await?;
        Ok(Outcome::Verified(turn.measure(|| verify(keys.keys()))))
    }

    /// The token as it was verified before, if it is remembered.
    fn judge_known(&self, token: &str, now: Duration, metrics: &Recorder) -> Option<Result<Verified, InvalidToken>> {
        if !self.key_set.is_usable(now) {
            return None;
        }
        let found = self.validator.find(token.as_bytes(), now)?;
        let judged = self.validator.judge_found(found);
        if matches!(judged, Ok(Verified::Complete(_))) {
            metrics.known_token_found();
        }
        Some(judged)
    }

    fn noted<E: Borrow<AuthError>>(
        &self,
        result: Result<Arc<VerifiedToken>, E>,
        token: &[u8],
    ) -> Result<Arc<VerifiedToken>, E> {
        match &result {
            Ok(_) => {
                self.acceptance.note_accepted();
                self.provider.metrics().token_accepted();
            }
            Err(error) => self.note_refused_token(error.borrow(), token),
        }
        result
    }

    /// Warns, where nobody was accepted so far, of a request's token that is refused and may be genuine.
    #[cold]
    fn warn_if_nobody_is_accepted(&self, invalid: InvalidToken, token: &[u8]) {
        let mismatch = || self.validator.mismatch(str::from_utf8(token).ok()?, invalid);
        self.acceptance.note_refused(invalid, self.provider.now(), mismatch);
    }

    #[cold]
    fn note_refused_token(&self, error: &AuthError, token: &[u8]) {
        if self.provider.metrics().is_listening() {
            self.provider.metrics().token_refused(code_of(error));
        }
        match error {
            AuthError::InvalidToken(invalid) => tracing::debug!(
                name: "keycloak.token_refused",
                target: "keycloak_auth",
                { "error.type" = code_of(error) },
                "access token refused: {}", self.why(*invalid, token)
            ),
            other => tracing::debug!(
                name: "keycloak.token_not_judged",
                target: "keycloak_auth",
                { "error.type" = code_of(other) },
                "access token not judged: {}", chain(other)
            ),
        }
    }

    /// Why a token is refused, for the log. Of what nobody vouches for only the algorithm is shown.
    fn why(&self, invalid: InvalidToken, token: &[u8]) -> String {
        let mismatch = match invalid {
            InvalidToken::Algorithm => self.validator.algorithm_mismatch(token),
            _ => None,
        };
        mismatch.map_or_else(|| invalid.to_string(), |mismatch| format!("{invalid}: {mismatch}"))
    }
}

/// The code of the error, if it is one.
fn code_of_result<T, E: Borrow<AuthError>>(result: &Result<T, E>) -> Option<&'static str> {
    result.as_ref().err().map(|error| code_of(error.borrow()))
}

#[cold]
fn note_unknown_key(unverified: &Unverified<'_>) {
    tracing::debug!(
        name: "keycloak.unknown_key",
        target: "keycloak_auth",
        { keycloak.key_id = %shortened(unverified.key_id()) },
        "unknown key"
    );
}
