//! About which tokens Keycloak is asked.

/// Which access tokens Keycloak is asked about (RFC 7662); all others are judged here, by the realm's keys.
///
/// Given to [`KeycloakBuilder::introspection`](crate::KeycloakBuilder::introspection). All but [`Never`](Self::Never) need a
/// confidential client: a [`client_secret`](crate::KeycloakBuilder::client_secret) or another
/// [`client_authentication`](crate::KeycloakBuilder::client_authentication).
///
/// | access token | `Never` | `WhenLightweight` | `WhenOpaque` | `WhenNeeded` | `Always` |
/// |---|---|---|---|---|---|
/// | full JWT | here | here | here | here | Keycloak |
/// | lightweight JWT | here, as it is | here, then Keycloak | here, as it is | here, then Keycloak | Keycloak |
/// | opaque: no JWT | 401 | 401 | Keycloak | Keycloak | Keycloak |
/// | encrypted JWT | 401 | 401 | 401 | 401 | 401 |
///
/// - **here**: signature, issuer, type, audience, authorized party and times, without asking anybody.
/// - **here, as it is**: the same; a lightweight token usually has no roles, no user name and no `sub`, and without a mapper for
///   it no audience either. It meets what needs none of that: `authenticated`, scopes that it carries, every `not(role(…))`.
/// - **here, then Keycloak**: signature, issuer, type and times first, so that a forged token reaches nobody; then Keycloak
///   tells the claims, which must be about the same token (`iss`, `sub`, `azp`, `jti`) and pass every check. Roles, audience
///   and all that policies look at come from the answer alone.
/// - **Keycloak**: what has the form of a JWT must have an acceptable header, and be spelt in the one way there is, first; then
///   Keycloak tells the claims, which must be about the same token and pass every check. No keys are fetched, unless a flood of
///   tokens makes it matter who is asked about first.
///
/// Opaque is what has neither two dots nor four, unless it begins like a JWT and has dots: Keycloak takes a JWT with dots behind it
/// for the same token, which is malformed here. A token that Keycloak refuses as unreadable is not active: 401.
///
/// A token is taken for lightweight unless its `jti` says that it is not: Keycloak 26.2 and later say `onltro:…` or `onrtro:…`.
/// Earlier versions say nothing, and mappers may put any claim into lightweight tokens, so there Keycloak is asked about every JWT.
/// Without an answer the response
/// is 503, in each mode; answers are kept for at most 30 s.
///
/// Keycloak calls a token active only towards a client in its audience: the clients that log in need an audience mapper for
/// the [`client_id`](crate::KeycloakBuilder::client_id) here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Introspection {
    /// About none.
    #[default]
    Never,
    /// About JWTs that verify here and lack the claims that decide, which saves their clients from carrying them.
    WhenLightweight,
    /// About tokens that are no JWTs.
    WhenOpaque,
    /// About lightweight and opaque tokens: whatever cannot be judged here alone.
    WhenNeeded,
    /// About every token: a logout, a revocation or a realm not-before takes effect within 30 s.
    Always,
}

impl Introspection {
    pub(crate) const fn covers_lightweight(self) -> bool {
        matches!(self, Self::WhenLightweight | Self::WhenNeeded)
    }

    pub(crate) const fn covers_opaque(self) -> bool {
        matches!(self, Self::WhenOpaque | Self::WhenNeeded | Self::Always)
    }

    pub(crate) const fn covers_all(self) -> bool {
        matches!(self, Self::Always)
    }
}
