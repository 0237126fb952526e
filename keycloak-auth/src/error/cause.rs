//! An error on its way to the response.

use std::{borrow::Borrow, ops::Deref};

use super::AuthError;
use crate::{bearer::HeaderFault, invalid_token::InvalidToken, jose::MalformedToken};

/// An error, small enough to be handed on in a register. One that depends on nothing lies in the program already: refusing
/// garbage must not allocate.
#[derive(Clone, Debug)]
pub(crate) enum Cause {
    Known(&'static AuthError),
    Other(Box<AuthError>),
}

impl Cause {
    pub(crate) const NO_CREDENTIALS: Self = Self::Known(&AuthError::MissingCredentials);

    pub(crate) fn into_error(self) -> AuthError {
        match self {
            Self::Known(error) => error.clone(),
            Self::Other(error) => *error,
        }
    }
}

/// The same error as it lies in the program, for those that are listed.
macro_rules! known {
    ($error:expr; $($known:ident $(($($of:tt)+))?),+ $(,)?) => {
        match $error {
            $(AuthError::$known $(($($of)+))? => Some(const { &AuthError::$known $(($($of)+))? }),)+
            _ => None,
        }
    };
}

fn known(error: &AuthError) -> Option<&'static AuthError> {
    known!(
        error;
        MissingCredentials,
        NotInstalled,
        InvalidRequest(HeaderFault::SeveralCredentials),
        InvalidRequest(HeaderFault::Malformed),
        InvalidToken(InvalidToken::Malformed(MalformedToken::Parts)),
        InvalidToken(InvalidToken::Malformed(MalformedToken::Encoding)),
        InvalidToken(InvalidToken::Malformed(MalformedToken::Header)),
        InvalidToken(InvalidToken::Malformed(MalformedToken::Payload)),
        InvalidToken(InvalidToken::Malformed(MalformedToken::TooLarge)),
        InvalidToken(InvalidToken::Algorithm),
        InvalidToken(InvalidToken::UnknownKey),
        InvalidToken(InvalidToken::Signature),
        InvalidToken(InvalidToken::CustomClaims),
        InvalidToken(InvalidToken::Inactive),
        InvalidToken(InvalidToken::IssuedBeforeNotBefore),
        InvalidToken(InvalidToken::Expired),
        InvalidToken(InvalidToken::NotYetValid),
        InvalidToken(InvalidToken::TokenType),
        InvalidToken(InvalidToken::SenderConstrained),
    )
}

impl From<AuthError> for Cause {
    fn from(error: AuthError) -> Self {
        match known(&error) {
            Some(known) => Self::Known(known),
            None => Self::Other(Box::new(error)),
        }
    }
}

impl From<InvalidToken> for Cause {
    fn from(invalid: InvalidToken) -> Self {
        AuthError::InvalidToken(invalid).into()
    }
}

impl From<HeaderFault> for Cause {
    fn from(fault: HeaderFault) -> Self {
        AuthError::InvalidRequest(fault).into()
    }
}

impl Deref for Cause {
    type Target = AuthError;

    fn deref(&self) -> &AuthError {
        match self {
            Self::Known(error) => error,
            Self::Other(error) => error,
        }
    }
}

impl Borrow<AuthError> for Cause {
    fn borrow(&self) -> &AuthError {
        self
    }
}

/// The errors of credentials that depend on nothing.
#[cfg(test)]
pub(crate) fn credential_errors() -> Vec<AuthError> {
    let invalid_tokens = [
        InvalidToken::Malformed(MalformedToken::Parts),
        InvalidToken::Malformed(MalformedToken::Encoding),
        InvalidToken::Malformed(MalformedToken::Header),
        InvalidToken::Malformed(MalformedToken::Payload),
        InvalidToken::Malformed(MalformedToken::TooLarge),
        InvalidToken::Algorithm,
        InvalidToken::UnknownKey,
        InvalidToken::Signature,
        InvalidToken::CustomClaims,
        InvalidToken::Inactive,
        InvalidToken::IssuedBeforeNotBefore,
        InvalidToken::Expired,
        InvalidToken::NotYetValid,
        InvalidToken::TokenType,
        InvalidToken::SenderConstrained,
    ];
    let mut errors = vec![AuthError::MissingCredentials];
    errors.extend([HeaderFault::SeveralCredentials, HeaderFault::Malformed].map(AuthError::from));
    errors.extend(invalid_tokens.map(AuthError::from));
    errors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_stays_the_one_that_it_is() {
        let naming = [InvalidToken::HeaderParameter("crit"), InvalidToken::MissingClaim("aud")].map(AuthError::from);
        let known = credential_errors().into_iter().chain([AuthError::NotInstalled]);
        let errors = known.map(|error| (error, true));
        for (error, is_known) in errors.chain(naming.map(|error| (error, false))) {
            let told = format!("{error:?}");
            let cause = Cause::from(error);
            assert_eq!(matches!(cause, Cause::Known(_)), is_known, "{told}");
            assert_eq!(format!("{:?}", &*cause), told);
            assert_eq!(format!("{:?}", cause.into_error()), told);
        }
    }
}
