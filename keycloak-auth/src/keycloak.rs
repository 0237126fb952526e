//! The handle: everything that a service holds of Keycloak.

use std::{fmt, sync::Arc, time::Duration};

use axum::response::Response;
use http::HeaderValue;

use crate::{
    AuthError, BuildError, FutureNotBefore, KeycloakBuilder, KeycloakUser, ProviderError, Unavailable,
    authenticator::Authenticator,
    bearer::BearerToken,
    challenge::{self, ErrorFormat},
    client_authentication::Client,
    diagnostics::{Recent, Route},
    error::Cause,
    metrics::Recorder,
    policy::{Decision, EvaluationContext, Policy},
    provider::{Provider, RealmUrl},
    token_endpoint::TokenEndpoint,
};

/// A realm of Keycloak, and this service's place in it.
///
/// Cloning is cheap: all clones share keys and caches. When the last one is dropped, nothing is left running.
///
/// ```no_run
/// use keycloak_auth::Keycloak;
///
/// # async fn demo(token: &str) -> Result<(), Box<dyn std::error::Error>> {
/// let keycloak = Keycloak::from_env()?;
/// let user = keycloak.authenticate(token).await?;
/// println!("{:?} may write: {}", user.username(), user.has_role("orders:write"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Keycloak {
    parts: Arc<Parts>,
}

/// What a [`Keycloak`] is made of; put together by the builder.
///
/// Every request reads it, and counts references to it: in memory of their own, lest processors wait for each other's counts
/// when they want to read.
#[repr(align(128))]
pub(crate) struct Parts {
    pub(crate) realm_url: RealmUrl,
    pub(crate) issuer: String,
    pub(crate) client: Arc<Client>,
    pub(crate) error_format: ErrorFormat,
    /// What a request without credentials is answered with: it names the realm.
    pub(crate) challenge: HeaderValue,
    #[cfg(feature = "utoipa")]
    pub(crate) openapi: crate::openapi::SchemeSettings,
    pub(crate) authenticator: Authenticator,
    pub(crate) provider: Arc<Provider>,
    pub(crate) connection: ConnectionSettings,
    pub(crate) recent_diagnosis: Recent,
    pub(crate) token_endpoint: Arc<TokenEndpoint>,
    pub(crate) records_enduser_id: bool,
}

/// How Keycloak is reached, as far as a diagnosis has to know.
#[derive(Debug)]
pub(crate) struct ConnectionSettings {
    pub(crate) accepts_invalid_certificates: bool,
    /// Who looks up names and makes connections.
    pub(crate) route: Route,
    /// Authorities that are trusted beside those of the system, as PEM texts.
    #[cfg(feature = "tls-diagnostics")]
    pub(crate) root_certificates: Vec<Vec<u8>>,
}

impl Keycloak {
    /// Begins a configuration.
    pub fn builder() -> KeycloakBuilder {
        KeycloakBuilder::default()
    }

    /// Takes the configuration from the environment: `KEYCLOAK_SERVER_URL`, `KEYCLOAK_REALM`, `KEYCLOAK_CLIENT_ID`,
    /// `KEYCLOAK_AUDIENCE`, and where needed `KEYCLOAK_CLIENT_SECRET` and `KEYCLOAK_ISSUER`.
    ///
    /// [`KeycloakBuilder::environment`] does the same in the midst of other settings.
    ///
    /// # Errors
    ///
    /// With every problem of the configuration, as [`KeycloakBuilder::build`].
    pub fn from_env() -> Result<Self, BuildError> {
        Self::builder().environment().build()
    }

    pub(crate) fn assemble(parts: Parts) -> Self {
        Self { parts: Arc::new(parts) }
    }

    /// Validates an access token and says whose it is. Waits for nothing but answers of Keycloak: not for its turn, as new tokens
    /// of requests do where many come at once.
    ///
    /// # Errors
    ///
    /// [`AuthError::InvalidToken`] when the token is not acceptable, [`AuthError::Unavailable`] when that cannot be known
    /// because no keys could be fetched yet, and [`AuthError::IntrospectionUnavailable`] when Keycloak has to be asked about
    /// the token and does not answer.
    pub async fn authenticate(&self, access_token: &str) -> Result<KeycloakUser, AuthError> {
        let token = BearerToken::new(access_token);
        let authenticator = self.authenticator();
        let Some(judged) = authenticator.judge(token, self.now()) else {
            return authenticator.judge_by_asking(token).await.map(KeycloakUser::new);
        };
        let (user, place) = judged.map_err(Cause::into_error)?;
        authenticator.hand_back(user.clone(), place);
        Ok(user)
    }

    /// Decides about a user: what a handler with this policy would answer.
    ///
    /// Policies with `owner(…)` are about a request and its path, so without one they do not hold.
    #[must_use]
    pub fn evaluate(&self, policy: &Policy, user: &KeycloakUser) -> Decision {
        policy.evaluate(user, &self.evaluation_context(self.now()))
    }

    /// Fetches the keys, if that has not happened yet, and finds the introspection endpoint where one is needed: to find out
    /// at start-up whether Keycloak can be reached and is the one that is meant. Serving does not depend on it.
    ///
    /// # Errors
    ///
    /// When there are no keys and none can be fetched, or the introspection endpoint cannot be found; the cause says why.
    pub async fn ready(&self) -> Result<(), Unavailable> {
        self.parts.authenticator.ready().await
    }

    /// Why the last fetch of the keys failed; `None` when it succeeded or none was needed so far.
    #[must_use]
    pub fn last_provider_error(&self) -> Option<Arc<ProviderError>> {
        self.parts.authenticator.key_set().last_error()
    }

    /// Refuses tokens that were issued before this time, in seconds since the Unix epoch: the realm's not-before, which
    /// Keycloak tells resource servers only where tokens are introspected.
    ///
    /// For whoever revokes all tokens of the realm (Sessions, Revocation in Keycloak's console) and has a way to tell this
    /// service, such as a handler for administrators. It holds for all clones from the next request on, also for tokens that
    /// are remembered; of several times the latest counts; nothing of it outlives the process.
    ///
    /// The `not-before-policy` of a token answer is not taken over: it may be that of one user or client.
    ///
    /// ```
    /// use axum::{Json, extract::State, http::StatusCode};
    /// use keycloak_auth::{Keycloak, keycloak};
    ///
    /// #[keycloak(realm_roles = "admin")]
    /// async fn revoke_all(State(keycloak): State<Keycloak>, Json(seconds): Json<u64>) -> Result<(), (StatusCode, String)> {
    ///     let set = keycloak.set_not_before(seconds);
    ///     set.map_err(|error| (StatusCode::UNPROCESSABLE_ENTITY, error.to_string()))
    /// }
    /// # let _ = revoke_all;
    /// ```
    ///
    /// # Errors
    ///
    /// [`FutureNotBefore`] for a time that is later than now and the [leeway](KeycloakBuilder::leeway): one wrong number would
    /// refuse every token until then, and there is no way back. Keycloak itself sets the present time.
    pub fn set_not_before(&self, seconds: u64) -> Result<(), FutureNotBefore> {
        self.parts
            .authenticator
            .validator()
            .raise_not_before(seconds, self.now())
    }

    /// The latest not-before that was [set](Self::set_not_before), in seconds since the Unix epoch; 0 for none.
    #[must_use]
    pub fn not_before(&self) -> u64 {
        self.parts.authenticator.validator().not_before()
    }

    /// Ends the task and the connections to Keycloak. Requests are served from the keys at hand from then on.
    pub async fn close(&self) {
        self.parts.provider.close();
        self.parts.authenticator.key_set().end().await;
    }

    /// The response to an error, in the configured format.
    #[must_use]
    pub fn respond(&self, error: &AuthError) -> Response {
        let Parts {
            error_format,
            challenge,
            ..
        } = &*self.parts;
        challenge::respond(error, error_format, self.realm(), challenge)
    }

    /// Whether the response to an error is that of any other realm as well, in the usual format.
    pub(crate) fn answers_as_anybody(&self, error: &AuthError) -> bool {
        matches!(self.parts.error_format, ErrorFormat::Envelope) && !matches!(error, AuthError::MissingCredentials)
    }

    /// The realm's name.
    #[must_use]
    pub fn realm(&self) -> &str {
        self.parts.realm_url.realm()
    }

    /// The address of the realm on the configured server.
    #[must_use]
    pub fn realm_url(&self) -> &str {
        self.parts.realm_url.as_str()
    }

    /// The issuer of the tokens; the first one, when several are accepted.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.parts.issuer
    }

    /// This service's client.
    #[must_use]
    pub fn client_id(&self) -> &str {
        self.parts.client.id()
    }

    #[cfg(feature = "utoipa")]
    pub(crate) fn openapi_settings(&self) -> &crate::openapi::SchemeSettings {
        &self.parts.openapi
    }

    #[cfg(feature = "utoipa")]
    pub(crate) fn openapi_error_format(&self) -> &ErrorFormat {
        &self.parts.error_format
    }

    /// Whether both are handles of the same one.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.parts, &other.parts)
    }

    pub(crate) fn parts(&self) -> &Parts {
        &self.parts
    }

    pub(crate) fn authenticator(&self) -> &Authenticator {
        &self.parts.authenticator
    }

    pub(crate) fn token_endpoint(&self) -> &Arc<TokenEndpoint> {
        &self.parts.token_endpoint
    }

    /// Whether tokens that are no JWTs may be good.
    #[cfg(feature = "utoipa")]
    pub(crate) fn accepts_opaque_tokens(&self) -> bool {
        let introspection = self.parts.authenticator.introspection();
        introspection.is_some_and(|introspection| introspection.mode().covers_opaque())
    }

    pub(crate) fn metrics(&self) -> &Recorder {
        self.parts.provider.metrics()
    }

    /// Whether the log may say who the caller is.
    pub(crate) fn records_enduser_id(&self) -> bool {
        self.parts.records_enduser_id
    }

    pub(crate) fn now(&self) -> Duration {
        self.parts.provider.now()
    }

    /// What this service's policies depend on, but for the request.
    pub(crate) fn evaluation_context(&self, now: Duration) -> EvaluationContext<'_> {
        EvaluationContext::new(self.client_id(), now)
            .with_leeway(self.parts.authenticator.validator().expectations().leeway)
    }
}

/// Shows where and who, and no secret.
impl fmt::Debug for Keycloak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keycloak")
            .field("realm_url", &self.realm_url())
            .field("issuer", &self.issuer())
            .field("client_id", &self.client_id())
            .field("client_authentication", &self.parts.client.method())
            .finish_non_exhaustive()
    }
}
