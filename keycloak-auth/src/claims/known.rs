//! The names of the claims that are read when a token is verified.

/// A member of the payload that means something here.
#[derive(Clone, Copy)]
pub(super) enum Known {
    Audience,
    Groups,
    RealmAccess,
    ResourceAccess,
    Scalar(Scalar),
}

/// A claim that is no list and no object.
#[derive(Clone, Copy)]
pub(super) enum Scalar {
    Issuer,
    Subject,
    TokenType,
    AuthorizedParty,
    ExpiresAt,
    NotBefore,
    IssuedAt,
    AuthTime,
    Confirmation,
    TokenId,
    SessionId,
    Scope,
    Acr,
    Username,
    Email,
    EmailVerified,
    Name,
    GivenName,
    FamilyName,
}

impl Known {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "aud" => Self::Audience,
            "groups" => Self::Groups,
            "realm_access" => Self::RealmAccess,
            "resource_access" => Self::ResourceAccess,
            "iss" => Self::Scalar(Scalar::Issuer),
            "sub" => Self::Scalar(Scalar::Subject),
            "typ" => Self::Scalar(Scalar::TokenType),
            "azp" => Self::Scalar(Scalar::AuthorizedParty),
            "exp" => Self::Scalar(Scalar::ExpiresAt),
            "nbf" => Self::Scalar(Scalar::NotBefore),
            "iat" => Self::Scalar(Scalar::IssuedAt),
            "auth_time" => Self::Scalar(Scalar::AuthTime),
            "cnf" => Self::Scalar(Scalar::Confirmation),
            "jti" => Self::Scalar(Scalar::TokenId),
            "sid" => Self::Scalar(Scalar::SessionId),
            "scope" => Self::Scalar(Scalar::Scope),
            "acr" => Self::Scalar(Scalar::Acr),
            "preferred_username" => Self::Scalar(Scalar::Username),
            "email" => Self::Scalar(Scalar::Email),
            "email_verified" => Self::Scalar(Scalar::EmailVerified),
            "name" => Self::Scalar(Scalar::Name),
            "given_name" => Self::Scalar(Scalar::GivenName),
            "family_name" => Self::Scalar(Scalar::FamilyName),
            _ => return None,
        })
    }

    /// A bit of its own, by which it is noticed when it stands twice.
    pub(super) fn bit(self) -> u32 {
        1 << match self {
            Self::Audience => 0,
            Self::Groups => 1,
            Self::RealmAccess => 2,
            Self::ResourceAccess => 3,
            Self::Scalar(scalar) => 4 + scalar as u32,
        }
    }
}
