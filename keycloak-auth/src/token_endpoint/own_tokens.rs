//! The service's own tokens (RFC 6749 §4.4), one for each scope that is asked for: kept, and replaced ahead.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::future::FutureExt as _;
use quick_cache::sync::Cache;

use super::{COOLDOWN, KeptToken, TokenEndpoint, TokenResult};
use crate::{AuthError, GrantKind, clock::milliseconds, single_flight::SingleFlight};

/// How long a caller waits for a new token while the old one still serves.
const PATIENCE: Duration = Duration::from_millis(500);

/// How many scopes have a token at a time. A program names its scopes, so there are few.
const MAX_SCOPES: usize = 64;

/// The tokens at hand.
pub(super) struct OwnTokens {
    slots: Cache<Option<Arc<str>>, Arc<Slot>>,
}

/// The token for one scope.
#[derive(Default)]
struct Slot {
    kept: Mutex<Option<KeptToken>>,
    requests: SingleFlight<(), Result<KeptToken, AuthError>>,
    /// When the next attempt to replace it is due after one that failed, in milliseconds since the Unix epoch.
    retry_at: AtomicU64,
}

impl OwnTokens {
    fn slot(&self, scope: Option<&Arc<str>>) -> Arc<Slot> {
        let scope = scope.cloned();
        let found = self
            .slots
            .get_or_insert_with(&scope, || Ok::<_, std::convert::Infallible>(Arc::default()));
        match found {
            Ok(slot) => slot,
            Err(never) => match never {},
        }
    }
}

impl TokenEndpoint {
    /// The service's own token: the one at hand, or a new one shortly before that one expires.
    pub(crate) async fn own_token(self: &Arc<Self>, scope: Option<&Arc<str>>) -> Result<KeptToken, AuthError> {
        let now = self.provider.now();
        let slot = self.own_tokens.slot(scope);
        let at_hand = slot.kept().filter(|own| own.is_usable(now));
        let retry_at = Duration::from_millis(slot.retry_at.load(Ordering::Relaxed));
        if let Some(own) = at_hand.as_ref().filter(|own| !own.is_due(now) || now < retry_at) {
            return Ok(own.clone());
        }
        let flight = slot.requests.join((), || {
            let (endpoint, slot, scope) = (Arc::clone(self), Arc::clone(&slot), scope.cloned());
            async move {
                // Another one may have been faster, between the look and the joining.
                let now = endpoint.provider.now();
                if let Some(own) = slot.kept().filter(|own| own.is_usable(now) && !own.is_due(now)) {
                    return Ok(own);
                }
                let tokens = endpoint.request_own_token(scope.as_deref()).await?;
                let own = KeptToken::new(tokens, endpoint.provider.now());
                slot.keep(own.clone());
                Ok(own)
            }
            .boxed()
        });
        let Some(own) = at_hand else {
            return flight.await;
        };
        // The old one serves as long as it lives, so nobody waits long for its successor, and not again right away.
        match tokio::time::timeout(PATIENCE, flight).await {
            Ok(Ok(successor)) => Ok(successor),
            Ok(Err(_)) | Err(_) => {
                slot.retry_at.store(milliseconds(now + COOLDOWN), Ordering::Relaxed);
                Ok(own)
            }
        }
    }

    /// [Gives up](Self::give_up) a token that a service did not accept.
    pub(crate) fn give_up_own_token(&self, scope: Option<&Arc<str>>, refused: &KeptToken) -> bool {
        let slot = self.own_tokens.slot(scope);
        let mut kept = slot.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let at_hand = kept.clone();
        self.give_up(at_hand.as_ref(), refused, || *kept = None)
    }

    async fn request_own_token(&self, scope: Option<&str>) -> TokenResult {
        let client = self.secret_client(GrantKind::ClientCredentials)?;
        let mut form = vec![("grant_type", "client_credentials")];
        form.extend(scope.map(|scope| ("scope", scope)));
        self.request(GrantKind::ClientCredentials, client, &form).await
    }
}

impl Slot {
    fn kept(&self) -> Option<KeptToken> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, token: KeptToken) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
    }
}

impl Default for OwnTokens {
    fn default() -> Self {
        Self {
            slots: Cache::new(MAX_SCOPES),
        }
    }
}

impl fmt::Debug for OwnTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnTokens").finish_non_exhaustive()
    }
}
