//! The names of the claims that are read when a token is verified.

/// A member of the payload that means something here.
#[derive(Clone, Copy)]
pub(super) enum Known {
    Text(TextClaim),
    Date(DateClaim),
    Audience,
    Groups,
    RealmAccess,
    ResourceAccess,
    Confirmation,
    EmailVerified,
}

/// A claim that is a string.
#[derive(Clone, Copy)]
pub(super) enum TextClaim {
    Issuer,
    Subject,
    TokenType,
    AuthorizedParty,
    TokenId,
    SessionId,
    Scope,
    Acr,
    Username,
    Email,
    Name,
    GivenName,
    FamilyName,
}

/// A claim that is a time.
#[derive(Clone, Copy)]
pub(super) enum DateClaim {
    ExpiresAt,
    NotBefore,
    IssuedAt,
    AuthTime,
}

impl Known {
    #[inline]
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "aud" => Self::Audience,
            "groups" => Self::Groups,
            "realm_access" => Self::RealmAccess,
            "resource_access" => Self::ResourceAccess,
            "iss" => Self::Text(TextClaim::Issuer),
            "sub" => Self::Text(TextClaim::Subject),
            "typ" => Self::Text(TextClaim::TokenType),
            "azp" => Self::Text(TextClaim::AuthorizedParty),
            "exp" => Self::Date(DateClaim::ExpiresAt),
            "nbf" => Self::Date(DateClaim::NotBefore),
            "iat" => Self::Date(DateClaim::IssuedAt),
            "auth_time" => Self::Date(DateClaim::AuthTime),
            "cnf" => Self::Confirmation,
            "jti" => Self::Text(TextClaim::TokenId),
            "sid" => Self::Text(TextClaim::SessionId),
            "scope" => Self::Text(TextClaim::Scope),
            "acr" => Self::Text(TextClaim::Acr),
            "preferred_username" => Self::Text(TextClaim::Username),
            "email" => Self::Text(TextClaim::Email),
            "email_verified" => Self::EmailVerified,
            "name" => Self::Text(TextClaim::Name),
            "given_name" => Self::Text(TextClaim::GivenName),
            "family_name" => Self::Text(TextClaim::FamilyName),
            _ => return None,
        })
    }

    /// A bit of its own, by which it is noticed when it stands twice.
    pub(super) fn bit(self) -> u32 {
        1 << match self {
            Self::Text(claim) => claim as u32,
            Self::Date(claim) => TextClaim::COUNT as u32 + claim as u32,
            Self::Audience => 26,
            Self::Groups => 27,
            Self::RealmAccess => 28,
            Self::ResourceAccess => 29,
            Self::Confirmation => 30,
            Self::EmailVerified => 31,
        }
    }
}

// Those that have bits by their number leave six for the others.
const _: () = assert!(TextClaim::COUNT + DateClaim::COUNT <= 26);

impl TextClaim {
    pub(super) const COUNT: usize = Self::FamilyName as usize + 1;

    /// Its name, where the claim decides about the token, so that nothing else than a string may stand there.
    pub(super) fn required(self) -> Option<&'static str> {
        match self {
            Self::Issuer => Some("iss"),
            Self::Subject => Some("sub"),
            Self::TokenType => Some("typ"),
            Self::AuthorizedParty => Some("azp"),
            _ => None,
        }
    }
}

impl DateClaim {
    pub(super) const COUNT: usize = Self::AuthTime as usize + 1;

    /// Its name, where the claim decides about the token, so that nothing else than a time may stand there.
    pub(super) fn required(self) -> Option<&'static str> {
        match self {
            Self::ExpiresAt => Some("exp"),
            Self::NotBefore => Some("nbf"),
            Self::IssuedAt => Some("iat"),
            Self::AuthTime => None,
        }
    }

    /// A whole number of seconds: fractions go where they shorten the token's life.
    pub(super) fn whole(self, seconds: f64) -> f64 {
        match self {
            Self::ExpiresAt | Self::AuthTime => seconds.floor(),
            Self::NotBefore | Self::IssuedAt => seconds.ceil(),
        }
    }
}
