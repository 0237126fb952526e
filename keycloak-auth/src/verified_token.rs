//! A token that was found to be genuine.

use std::{fmt, sync::Arc};

use crate::{claims::Claims, expectations::Expectations, jose::VerificationKey};

/// A genuine token with its claims.
// In this order, so that what every request looks at stands side by side.
#[repr(C)]
pub(crate) struct VerifiedToken {
    /// The key that verified the signature; none where Keycloak itself vouched for the token.
    key: Option<Arc<VerificationKey>>,
    /// What its claims were checked against.
    expectations: Arc<Expectations>,
    completeness: Completeness,
    claims: Claims,
    /// The token, where the claims were not read from it.
    introspected: Option<Box<str>>,
}

/// Whether the claims are all that there is to know.
#[derive(Clone, Copy)]
pub(crate) enum Completeness {
    Complete,
    Lightweight,
}

/// A token that a key vouches for, by whether its claims are all that there is to know.
pub(crate) enum Verified {
    /// It passed every check.
    Complete(Arc<VerifiedToken>),
    /// It passed the checks of what it has. Keycloak has to be asked for the claims that decide.
    Lightweight(Arc<VerifiedToken>),
}

impl VerifiedToken {
    /// A token whose signature `key` verified, and whose payload `claims` are.
    pub(crate) fn signed(
        claims: Claims,
        key: Arc<VerificationKey>,
        expectations: Arc<Expectations>,
        completeness: Completeness,
    ) -> Self {
        Self {
            introspected: None,
            claims,
            key: Some(key),
            expectations,
            completeness,
        }
    }

    /// A token that Keycloak told these claims of.
    pub(crate) fn introspected(token: &str, claims: Claims, expectations: Arc<Expectations>) -> Self {
        Self {
            introspected: Some(token.into()),
            claims,
            key: None,
            expectations,
            completeness: Completeness::Complete,
        }
    }

    /// The client that this service is, whose roles count beside realm roles.
    pub(crate) fn client_id(&self) -> &str {
        &self.expectations.client_id
    }

    pub(crate) fn token(&self) -> &str {
        let own = self.claims.token();
        own.or(self.introspected.as_deref()).unwrap_or_default()
    }

    pub(crate) fn claims(&self) -> &Claims {
        &self.claims
    }

    pub(crate) fn key(&self) -> Option<&Arc<VerificationKey>> {
        self.key.as_ref()
    }

    /// Whether the claims were checked against these very expectations, and not against others that say the same.
    pub(crate) fn is_for(&self, expectations: &Arc<Expectations>) -> bool {
        Arc::ptr_eq(&self.expectations, expectations)
    }

    pub(crate) fn is_complete(&self) -> bool {
        matches!(self.completeness, Completeness::Complete)
    }

    /// The token, by whether its claims are all that there is to know.
    pub(crate) fn into_verified(self: Arc<Self>) -> Verified {
        match self.completeness {
            Completeness::Complete => Verified::Complete(self),
            Completeness::Lightweight => Verified::Lightweight(self),
        }
    }

    /// The bytes that this takes in memory.
    pub(crate) fn size(&self) -> usize {
        self.introspected.as_ref().map_or(0, |token| token.len()) + self.claims.heap_size() + size_of::<Self>()
    }
}

impl fmt::Debug for VerifiedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedToken")
            .field("claims", &self.claims)
            .finish_non_exhaustive()
    }
}
