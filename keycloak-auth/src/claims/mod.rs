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

use std::{borrow::Cow, fmt, num::NonZeroU32, sync::OnceLock};

use serde::de::DeserializeOwned;

use crate::jose;

use element::Element;

pub(crate) use lightweight::{is_lightweight, says_that_it_is_lightweight};
pub(crate) use parse::InvalidPayload;

/// The claims of an access token.
///
/// A [`KeycloakUser`](crate::KeycloakUser) dereferences to them.
#[derive(Clone)]
pub struct Claims {
    /// What the claims were read from, followed by the strings that are not in there as they are.
    text: Box<str>,
    /// Where in `text` is what the claims were read from.
    source: Source,
    /// The elements of all lists, one list after the other. Those of `clients` are, for each client: its name, the
    /// positions of its roles, and these.
    elements: Box<[Element]>,
    registered: Registered,
}

#[derive(Clone)]
enum Source {
    /// A token with its payload, base64url, at these positions.
    Token {
        length: u32,
        payload: Text,
        /// Once somebody has asked for it.
        json: OnceLock<Box<str>>,
    },
    /// JSON of this length.
    Json { length: u32 },
}

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

#[derive(Clone, Debug, Default)]
struct Registered {
    issuer: Option<Text>,
    subject: Option<Text>,
    audience: Option<List>,
    expires_at: Option<u64>,
    not_before: Option<u64>,
    issued_at: Option<u64>,
    auth_time: Option<u64>,
    token_id: Option<Text>,
    token_type: Option<Text>,
    authorized_party: Option<Text>,
    session_id: Option<Text>,
    scope: Option<Text>,
    acr: Option<Text>,
    is_bound: bool,
    username: Option<Text>,
    email: Option<Text>,
    email_verified: Option<bool>,
    name: Option<Text>,
    given_name: Option<Text>,
    family_name: Option<Text>,
    realm_roles: List,
    groups: List,
    clients: List,
}

/// Accessors for text claims, which differ in nothing but the claim.
macro_rules! text_claims {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $(
            $(#[$doc])*
            #[must_use]
            pub fn $name(&self) -> Option<&str> {
                self.registered.$name.map(|text| self.text(text))
            }
        )*
    };
}

impl Claims {
    text_claims! {
        /// `iss`: who issued the token (RFC 7519 §4.1.1).
        issuer;
        /// `sub`: the user's id (RFC 7519 §4.1.2). Absent in Keycloak's lightweight tokens.
        subject;
        /// `jti`: the token's id (RFC 7519 §4.1.7).
        token_id;
        /// `typ` of the payload: `Bearer` in Keycloak's access tokens.
        token_type;
        /// `azp`: the client that the token was issued to (OpenID Connect Core §2).
        authorized_party;
        /// `sid`: the session; absent for client credentials.
        session_id;
        /// `acr`: how the user logged in (OpenID Connect Core §2).
        acr;
        /// `preferred_username`; absent in lightweight tokens.
        username;
        /// `email`.
        email;
        /// `name`: the full name.
        name;
        /// `given_name`.
        given_name;
        /// `family_name`.
        family_name;
    }

    /// `exp`: when the token ends, in seconds since the Unix epoch (RFC 7519 §4.1.4).
    #[must_use]
    pub fn expires_at(&self) -> Option<u64> {
        self.registered.expires_at
    }

    /// `nbf`: from when the token holds, in seconds since the Unix epoch (RFC 7519 §4.1.5).
    #[must_use]
    pub fn not_before(&self) -> Option<u64> {
        self.registered.not_before
    }

    /// `iat`: when the token was issued, in seconds since the Unix epoch (RFC 7519 §4.1.6).
    #[must_use]
    pub fn issued_at(&self) -> Option<u64> {
        self.registered.issued_at
    }

    /// `auth_time`: when the user logged in, in seconds since the Unix epoch (OpenID Connect Core §2).
    #[must_use]
    pub fn auth_time(&self) -> Option<u64> {
        self.registered.auth_time
    }

    /// `email_verified`; `false` when the token does not say.
    #[must_use]
    pub fn email_verified(&self) -> bool {
        self.registered.email_verified.unwrap_or(false)
    }

    /// Whether the token is bound to a key (`cnf`, RFC 7800), and so is no bearer token.
    #[must_use]
    pub fn is_bound(&self) -> bool {
        self.registered.is_bound
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
        match &self.source {
            Source::Json { length } => &self.text[..*length as usize],
            Source::Token { payload, json, .. } => json.get_or_init(|| {
                let json = jose::decode_text(self.text(*payload));
                json.expect("it was decoded before").into_boxed_str()
            }),
        }
    }

    /// The token that the claims were read from; `None` where Keycloak told them.
    pub(crate) fn token(&self) -> Option<&str> {
        match &self.source {
            Source::Token { length, .. } => Some(&self.text[..*length as usize]),
            Source::Json { .. } => None,
        }
    }

    /// The bytes that these claims take in memory, or may come to take, beside the value itself.
    pub(crate) fn heap_size(&self) -> usize {
        let json = match &self.source {
            Source::Token { payload, .. } => self.text(*payload).len() / 4 * 3,
            Source::Json { .. } => 0,
        };
        self.text.len() + size_of_val(&*self.elements) + json
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
        self.registered.audience.is_some()
    }

    fn text(&self, text: Text) -> &str {
        &self.text[text.start as usize..text.end.get() as usize]
    }
}

impl Text {
    fn new(start: usize, end: usize) -> Self {
        Self {
            start: position(start),
            end: NonZeroU32::new(position(end)).expect("the JSON's brace, or a token, stands before every string"),
        }
    }
}

/// A position or length in a text; an [`Element`] has room for 24 bits of it.
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
