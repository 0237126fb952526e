//! A token that was found to be genuine.

use std::{fmt, sync::Arc};

use crate::{claims::Claims, jose::VerificationKey};

/// A genuine token with its claims.
pub(crate) struct VerifiedToken {
    token: Box<str>,
    claims: Claims,
    /// The key that verified the signature; none where Keycloak itself vouched for the token.
    key: Option<Arc<VerificationKey>>,
    client_id: Arc<str>,
}

impl VerifiedToken {
    pub(crate) fn new(token: &str, claims: Claims, key: Option<Arc<VerificationKey>>, client_id: Arc<str>) -> Self {
        Self {
            token: token.into(),
            claims,
            key,
            client_id,
        }
    }

    /// The client that this service is, whose roles count beside realm roles.
    pub(crate) fn client_id(&self) -> &str {
        &self.client_id
    }

    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    pub(crate) fn claims(&self) -> &Claims {
        &self.claims
    }

    pub(crate) fn key(&self) -> Option<&Arc<VerificationKey>> {
        self.key.as_ref()
    }

    /// The bytes that this takes in memory.
    pub(crate) fn size(&self) -> usize {
        self.token.len() + self.claims.heap_size() + size_of::<Self>()
    }
}

impl fmt::Debug for VerifiedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedToken")
            .field("claims", &self.claims)
            .finish_non_exhaustive()
    }
}
