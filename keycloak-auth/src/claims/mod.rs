//! The claims of a verified access token, parsed once into a compact form (RFC 7519 §4, RFC 9068 §2.2).
//!
//! All text lives in one string, the token followed by the text of its claims; a claim is a pair of positions in it. A
//! token therefore costs a handful of allocations however many roles it carries. Its payload is not kept a second time:
//! what asks for the JSON as a whole has it decoded once more, which custom claims do, and nothing else.

mod element;
mod known;
mod lightweight;
mod lists;
mod lookup;
mod parse;
pub(crate) mod path;
mod scratch;

use std::{
    borrow::Cow,
    fmt,
    num::{NonZeroU32, NonZeroU64},
    sync::{Arc, OnceLock},
};

use serde::de::DeserializeOwned;
use smallvec::SmallVec;

use crate::jose;

use self::{
    element::Element,
    known::{DateClaim, TextClaim},
};

pub(crate) use lightweight::{is_lightweight, says_that_it_is_lightweight};
pub(crate) use parse::InvalidPayload;

/// The claims of an access token.
///
/// A [`KeycloakUser`](crate::KeycloakUser) dereferences to them.
// In this order, so that what every request looks at stands side by side.
#[derive(Clone)]
#[repr(C)]
pub struct Claims {
    dates: [Option<Seconds>; DateClaim::COUNT],
    /// What the claims were read from, followed by the strings that are not in there as they are. Shared with the key of the
    /// cache's entry.
    text: Arc<str>,
    /// How much of `text` is what the claims were read from: a token, or JSON.
    source_length: u32,
    is_bound: bool,
    email_verified: Option<bool>,
    /// Where in a token its payload is, base64url.
    payload: Option<Text>,
    realm_roles: List,
    clients: List,
    groups: List,
    audience: Option<List>,
    /// The elements of all lists, one list after the other. Those of `clients` are, for each client: its name, the
    /// positions of its roles, and these.
    elements: Elements,
    texts: [Option<Text>; TextClaim::COUNT],
    /// The payload of a token, decoded, once somebody has asked for it.
    json: OnceLock<Box<str>>,
}

/// Those of a usual token take no allocation of their own.
type Elements = SmallVec<[Element; 22]>;

/// A time since the Unix epoch, as one second more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seconds(NonZeroU64);

/// Positions of a string in [`Claims::text`]. It never ends at 0: something stands before the first one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Text {
    start: u32,
    end: NonZeroU32,
}

/// Positions of a list in [`Claims::elements`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct List {
    start: u32,
    end: u32,
}

/// Accessors for text claims, which differ in nothing but the claim.
macro_rules! text_claims {
    ($($(#[$doc:meta])* $name:ident is $claim:ident;)*) => {
        $(
            $(#[$doc])*
            #[must_use]
            pub fn $name(&self) -> Option<&str> {
                self.text_of(TextClaim::$claim)
            }
        )*
    };
}

impl Claims {
    text_claims! {
        /// `iss`: who issued the token (RFC 7519 §4.1.1).
        issuer is Issuer;
        /// `sub`: the user's id (RFC 7519 §4.1.2). Absent in Keycloak's lightweight tokens.
        subject is Subject;
        /// `jti`: the token's id (RFC 7519 §4.1.7).
        token_id is TokenId;
        /// `typ` of the payload: `Bearer` in Keycloak's access tokens.
        token_type is TokenType;
        /// `azp`: the client that the token was issued to (OpenID Connect Core §2).
        authorized_party is AuthorizedParty;
        /// `sid`: the session; absent for client credentials.
        session_id is SessionId;
        /// `acr`: how the user logged in (OpenID Connect Core §2).
        acr is Acr;
        /// `preferred_username`; absent in lightweight tokens.
        username is Username;
        /// `email`.
        email is Email;
        /// `name`: the full name.
        name is Name;
        /// `given_name`.
        given_name is GivenName;
        /// `family_name`.
        family_name is FamilyName;
    }

    /// `exp`: when the token ends, in seconds since the Unix epoch (RFC 7519 §4.1.4).
    #[must_use]
    pub fn expires_at(&self) -> Option<u64> {
        self.date(DateClaim::ExpiresAt)
    }

    /// `nbf`: from when the token holds, in seconds since the Unix epoch (RFC 7519 §4.1.5).
    #[must_use]
    pub fn not_before(&self) -> Option<u64> {
        self.date(DateClaim::NotBefore)
    }

    /// `iat`: when the token was issued, in seconds since the Unix epoch (RFC 7519 §4.1.6).
    #[must_use]
    pub fn issued_at(&self) -> Option<u64> {
        self.date(DateClaim::IssuedAt)
    }

    /// `auth_time`: when the user logged in, in seconds since the Unix epoch (OpenID Connect Core §2).
    #[must_use]
    pub fn auth_time(&self) -> Option<u64> {
        self.date(DateClaim::AuthTime)
    }

    /// `email_verified`; `false` when the token does not say.
    #[must_use]
    pub fn email_verified(&self) -> bool {
        self.email_verified.unwrap_or(false)
    }

    /// Whether the token is bound to a key (`cnf`, RFC 7800), and so is no bearer token.
    #[must_use]
    pub fn is_bound(&self) -> bool {
        self.is_bound
    }

    /// Reads the claims into a type of the caller's: the way to custom claims.
    ///
    /// # Errors
    ///
    /// When the claims do not fit `T`.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.json())
    }

    /// The token's payload as it was signed: a JSON object.
    #[must_use]
    pub fn json(&self) -> &str {
        let Some(payload) = self.payload else {
            return self.source();
        };
        self.json.get_or_init(|| {
            let json = jose::decode_text(self.text(payload));
            json.expect("it was decoded before").into_boxed_str()
        })
    }

    /// The token that the claims were read from; `None` where Keycloak told them.
    pub(crate) fn token(&self) -> Option<&str> {
        self.payload.is_some().then(|| self.source())
    }

    /// Text that begins with what the claims were read from: with the token, if that is what they were read from.
    pub(crate) fn shared_text(&self) -> &Arc<str> {
        &self.text
    }

    /// The bytes that these claims take in memory, or may come to take, beside the value itself.
    pub(crate) fn heap_size(&self) -> usize {
        let json = self.payload.map_or(0, |payload| self.text(payload).len() / 4 * 3);
        let elements = if self.elements.spilled() {
            self.elements.capacity() * size_of::<Element>()
        } else {
            0
        };
        self.text.len() + elements + json
    }

    /// The text claim at that path, registered or custom.
    pub(crate) fn text_claim(&self, path: &str) -> Option<Cow<'_, str>> {
        match path {
            "sub" => self.subject().map(Cow::Borrowed),
            "preferred_username" => self.username().map(Cow::Borrowed),
            "email" => self.email().map(Cow::Borrowed),
            _ => lookup::text_claim(self.json(), path),
        }
    }

    pub(crate) fn has_audience(&self) -> bool {
        self.audience.is_some()
    }

    fn date(&self, claim: DateClaim) -> Option<u64> {
        self.dates[claim as usize].map(Seconds::get)
    }

    fn text_of(&self, claim: TextClaim) -> Option<&str> {
        self.texts[claim as usize].map(|text| self.text(text))
    }

    fn source(&self) -> &str {
        &self.text[..self.source_length as usize]
    }

    fn text(&self, text: Text) -> &str {
        &self.text[text.start as usize..text.end.get() as usize]
    }
}

impl Seconds {
    fn new(seconds: u64) -> Option<Self> {
        NonZeroU64::MIN.checked_add(seconds).map(Self)
    }

    fn get(self) -> u64 {
        self.0.get() - 1
    }
}

impl Text {
    #[inline(always)]
    fn new(start: usize, end: usize) -> Self {
        Self {
            start: position(start),
            end: NonZeroU32::new(position(end)).expect("the JSON's brace, or a token, stands before every string"),
        }
    }
}

/// A position or length in a text; an [`Element`] has room for 24 bits of it.
#[inline(always)]
fn position(index: usize) -> u32 {
    let position = u32::try_from(index).ok().filter(|position| position >> 24 == 0);
    position.expect("tokens are capped far below 16 MiB")
}

/// Shows the subject only: claims are personal data, and logs outlive their purpose.
impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims")
            .field("subject", &self.subject())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
