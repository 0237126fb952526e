//! Whose token a call carries.

use std::{fmt, sync::Arc};

use http::HeaderValue;

use crate::{
    AuthError, KeycloakUser,
    token_endpoint::{Exchange, KeptToken, TokenEndpoint},
};

/// What is asked for where tokens are obtained.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    pub(super) scope: Option<Arc<str>>,
    pub(super) audiences: Vec<String>,
}

/// Whose token it is.
#[derive(Clone, Debug)]
pub(super) enum TokenSource {
    /// The service's own.
    Service,
    /// The caller's, as it came.
    PassOn(KeycloakUser),
    /// One that Keycloak gives for the caller's.
    Exchange(KeycloakUser),
}

/// A token for one call.
pub(super) enum CallToken<'a> {
    PassedOn(&'a KeycloakUser),
    Obtained(KeptToken),
}

impl TokenSource {
    /// The token at hand, or a new one.
    pub(super) async fn token(
        &self,
        endpoint: &Arc<TokenEndpoint>,
        wanted: &Wanted,
    ) -> Result<CallToken<'_>, AuthError> {
        Ok(match self {
            Self::Service => CallToken::Obtained(endpoint.own_token(wanted.scope.as_ref()).await?),
            Self::PassOn(user) => CallToken::PassedOn(user),
            Self::Exchange(user) => CallToken::Obtained(endpoint.exchanged_token(exchange(user, wanted)).await?),
        })
    }

    /// Whether what is asked for says for whom the token is to be. One of the service's own gets its audience by mappers.
    pub(super) fn is_for_somebody(&self, wanted: &Wanted) -> bool {
        match self {
            Self::Service | Self::PassOn(_) => true,
            Self::Exchange(_) => wanted.scope.is_some() || !wanted.audiences.is_empty(),
        }
    }

    /// Gives up a token that was not accepted; whether there may be another one.
    pub(super) fn give_up(&self, endpoint: &TokenEndpoint, wanted: &Wanted, refused: &CallToken<'_>) -> bool {
        match (self, refused) {
            (Self::Service, CallToken::Obtained(refused)) => endpoint.give_up_own_token(wanted.scope.as_ref(), refused),
            (Self::Exchange(user), CallToken::Obtained(refused)) => {
                endpoint.give_up_exchanged_token(exchange(user, wanted), refused)
            }
            (_, CallToken::PassedOn(_)) | (Self::PassOn(_), _) => false,
        }
    }
}

fn exchange<'a>(user: &'a KeycloakUser, wanted: &'a Wanted) -> Exchange<'a> {
    Exchange {
        subject_token: user.access_token(),
        audiences: &wanted.audiences,
        scope: wanted.scope.as_deref(),
    }
}

impl CallToken<'_> {
    /// The value of `Authorization` (RFC 6750 §2.1); `None` for a token that is not a bearer token.
    pub(super) fn authorization(&self) -> Option<HeaderValue> {
        let token = match self {
            // Only who has the key can use it (RFC 9449 §7, RFC 8705 §3).
            Self::PassedOn(user) if user.is_bound() => return None,
            Self::PassedOn(user) => user.access_token(),
            Self::Obtained(kept) => {
                let tokens = kept.tokens();
                // RFC 6749 §5.1: the type is case insensitive.
                if !tokens.token_type.eq_ignore_ascii_case("Bearer") {
                    return None;
                }
                &tokens.access_token
            }
        };
        let mut value = HeaderValue::try_from(format!("Bearer {token}")).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

/// Shows no token.
impl fmt::Debug for CallToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PassedOn(_) => "PassedOn",
            Self::Obtained(_) => "Obtained",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{claims::Claims, expectations::Expectations, verified_token::VerifiedToken};

    #[test]
    fn a_bound_token_is_not_passed_on() {
        let authorization = |claims: &str| {
            let claims = Claims::parse(claims).expect("claims");
            let token = VerifiedToken::introspected("opaque", claims, Expectations::of_audience("orders-api").into());
            let user = KeycloakUser::new(Arc::new(token));
            CallToken::PassedOn(&user).authorization()
        };
        let value = authorization(r#"{"sub":"alice"}"#).expect("a bearer token");
        assert!(value == "Bearer opaque" && value.is_sensitive());
        assert_eq!(authorization(r#"{"sub":"alice","cnf":{"jkt":"key"}}"#), None);
    }
}
