//! A token that was found to be genuine.

use std::{fmt, sync::Arc};

use crate::{claims::Claims, expectations::Expectations, jose::VerificationKey};

/// A genuine token with its claims.
// In this order, so that what every request looks at stands side by side.
#[repr(C)]
pub(crate) struct VerifiedToken {
    /// What its claims were checked against.
    expectations: Arc<Expectations>,
    voucher: Voucher,
    claims: Claims,
}

/// Who vouches for a token.
enum Voucher {
    /// The key that verified the signature.
    Key(Arc<VerificationKey>, Completeness),
    /// Keycloak itself, when it was asked about this token. The claims are what it told, and were not read from it. In a box, so
    /// that the usual case takes two words.
    Introspection(Box<Arc<str>>),
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
            expectations,
            voucher: Voucher::Key(key, completeness),
            claims,
        }
    }

    /// A token that Keycloak told these claims of.
    pub(crate) fn introspected(token: &str, claims: Claims, expectations: Arc<Expectations>) -> Self {
        Self {
            expectations,
            voucher: Voucher::Introspection(Box::new(token.into())),
            claims,
        }
    }

    /// The client that this service is, whose roles count beside realm roles.
    pub(crate) fn client_id(&self) -> &str {
        &self.expectations.client_id
    }

    pub(crate) fn token(&self) -> &str {
        match &self.voucher {
            Voucher::Key(..) => self.claims.token().unwrap_or_default(),
            Voucher::Introspection(token) => token,
        }
    }

    /// Text that begins with the token.
    pub(crate) fn text(&self) -> &Arc<str> {
        match &self.voucher {
            Voucher::Key(..) => self.claims.shared_text(),
            Voucher::Introspection(token) => token,
        }
    }

    pub(crate) fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The key that verified the signature; none where Keycloak itself vouches for the token.
    pub(crate) fn key(&self) -> Option<&Arc<VerificationKey>> {
        match &self.voucher {
            Voucher::Key(key, _) => Some(key),
            Voucher::Introspection(_) => None,
        }
    }

    /// Whether the claims were checked against these very expectations, and not against others that say the same.
    pub(crate) fn is_for(&self, expectations: &Arc<Expectations>) -> bool {
        Arc::ptr_eq(&self.expectations, expectations)
    }

    pub(crate) fn is_complete(&self) -> bool {
        !matches!(self.voucher, Voucher::Key(_, Completeness::Lightweight))
    }

    /// The token, by whether its claims are all that there is to know.
    pub(crate) fn into_verified(self: Arc<Self>) -> Verified {
        if self.is_complete() {
            Verified::Complete(self)
        } else {
            Verified::Lightweight(self)
        }
    }

    /// The bytes that this takes in memory.
    pub(crate) fn size(&self) -> usize {
        let introspected = match &self.voucher {
            Voucher::Key(..) => 0,
            Voucher::Introspection(token) => token.len(),
        };
        introspected + self.claims.heap_size() + size_of::<Self>()
    }
}

impl fmt::Debug for VerifiedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedToken")
            .field("claims", &self.claims)
            .finish_non_exhaustive()
    }
}
