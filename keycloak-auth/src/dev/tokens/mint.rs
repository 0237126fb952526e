//! Making tokens.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Claims, RefreshToken, Scope, sign, sign_refresh, token_hash};
use crate::dev::{
    keys::Keys,
    mappers::{Subject, Target, apply},
    model::{ClientId, Model, UserId},
    random::random_uuid,
    sessions::Session,
};

static NO_NOTES: BTreeMap<String, String> = BTreeMap::new();

/// Everything that goes into the tokens of one grant.
pub(in crate::dev) struct Issue<'a> {
    pub(in crate::dev) model: &'a Model,
    pub(in crate::dev) keys: &'a Keys,
    pub(in crate::dev) issuer: &'a str,
    pub(in crate::dev) now: u64,
    pub(in crate::dev) client: ClientId,
    pub(in crate::dev) user: UserId,
    pub(in crate::dev) scope: &'a Scope,
    /// The refresh token that was given for these, if one was.
    pub(in crate::dev) refreshed: Option<&'a RefreshToken>,
    pub(in crate::dev) session: SessionKind<'a>,
    /// Two letters of the grant for the `jti`, as Keycloak has them.
    pub(in crate::dev) grant: &'static str,
    /// The thumbprint of the key that the tokens are bound to (RFC 9449 §6.1).
    pub(in crate::dev) dpop_thumbprint: Option<&'a str>,
}

/// The session that tokens belong to.
#[derive(Clone, Copy)]
pub(in crate::dev) enum SessionKind<'a> {
    /// A session of a user, which refreshes go on with.
    Online(&'a Session),
    /// One that ends with the answer, with what it remembers.
    Transient(&'a BTreeMap<String, String>),
    /// That of another token of the same client.
    Own(&'a Session),
    /// That of a token of another client.
    Exchanged(&'a Session),
}

impl Issue<'_> {
    /// The answer with an access token, an ID token where `openid` is asked for, and a refresh token where the client
    /// has them.
    pub(in crate::dev) fn answer(&self) -> Claims {
        self.answer_of(self.access_claims())
    }

    /// The answer with an access token that carries less, where `restrict` says so.
    pub(in crate::dev) fn answer_restricted<E>(
        &self,
        restrict: impl FnOnce(&mut Claims) -> Result<(), E>,
    ) -> Result<Claims, E> {
        let mut claims = self.access_claims();
        restrict(&mut claims)?;
        Ok(self.answer_of(claims))
    }

    /// The answer of the token endpoint (RFC 6749 §5.1).
    fn answer_of(&self, claims: Claims) -> Claims {
        let (client, settings) = (self.model.client(self.client), &self.model.settings);
        let expires_in = claims["exp"].as_u64().unwrap_or_default().saturating_sub(self.now);
        let access_token = self.sign_access(&claims);
        let mut body = Claims::new();
        if self.scope.openid {
            let mut id_claims = self.id_claims(&claims);
            let algorithm = client.id_token_algorithm.unwrap_or(settings.signature_algorithm);
            let key = self.keys.signing(algorithm);
            id_claims.insert("at_hash".to_owned(), json!(token_hash(&access_token, key.algorithm)));
            body.insert("id_token".to_owned(), json!(sign(key, "JWT", &id_claims)));
        }
        body.insert("access_token".to_owned(), json!(access_token));
        body.insert("expires_in".to_owned(), json!(expires_in));
        body.insert("refresh_expires_in".to_owned(), json!(0));
        if let SessionKind::Online(session) = self.session
            && client.refresh_tokens
        {
            let (token, refresh_expires_in) = self.refresh_token(session, &claims);
            body.insert("refresh_token".to_owned(), json!(token));
            body.insert("refresh_expires_in".to_owned(), json!(refresh_expires_in));
        }
        let token_type = if self.dpop_thumbprint.is_some() {
            "DPoP"
        } else {
            "Bearer"
        };
        body.insert("token_type".to_owned(), json!(token_type));
        body.insert(
            "not-before-policy".to_owned(),
            json!(settings.not_before.max(client.not_before)),
        );
        if let Some(session) = self.session.session() {
            body.insert("session_state".to_owned(), json!(session.id));
        }
        body.insert("scope".to_owned(), json!(self.scope.shown(self.model)));
        body
    }

    pub(in crate::dev) fn sign_access(&self, claims: &Claims) -> String {
        let client = self.model.client(self.client);
        let algorithm = client
            .access_token_algorithm
            .unwrap_or(self.model.settings.signature_algorithm);
        let header_type = if client.access_token_header_type {
            "at+jwt"
        } else {
            "JWT"
        };
        sign(self.keys.signing(algorithm), header_type, claims)
    }

    pub(in crate::dev) fn sign_id(&self, claims: &Claims) -> String {
        let client = self.model.client(self.client);
        let algorithm = client
            .id_token_algorithm
            .unwrap_or(self.model.settings.signature_algorithm);
        sign(self.keys.signing(algorithm), "JWT", claims)
    }

    /// The claims of the access token.
    pub(in crate::dev) fn access_claims(&self) -> Claims {
        let client = self.model.client(self.client);
        let lifespan = client
            .access_token_lifespan
            .unwrap_or(self.model.settings.access_token_lifespan);
        let latest = self
            .session
            .session()
            .map_or(u64::MAX, |session| session.latest_end(&self.model.settings));
        let kind = if client.lightweight { "lt" } else { "rt" };
        let mut claims = Claims::new();
        claims.insert("exp".to_owned(), json!(self.now.saturating_add(lifespan).min(latest)));
        claims.insert("iat".to_owned(), json!(self.now));
        let jti = format!("{}{kind}{}:{}", self.session.letters(), self.grant, random_uuid());
        claims.insert("jti".to_owned(), json!(jti));
        claims.insert("iss".to_owned(), json!(self.issuer));
        let typ = if self.dpop_thumbprint.is_some() {
            "DPoP"
        } else {
            "Bearer"
        };
        claims.insert("typ".to_owned(), json!(typ));
        claims.insert("azp".to_owned(), json!(client.client_id));
        if let Some(session) = self.session.session() {
            claims.insert("sid".to_owned(), json!(session.id));
        }
        if let SessionKind::Transient(_) = self.session {
            // There is no session to find the user by.
            claims.insert("sub".to_owned(), json!(self.model.user(self.user).id));
        }
        claims.insert("scope".to_owned(), json!(self.scope.shown(self.model)));
        if let Some(thumbprint) = self.dpop_thumbprint {
            claims.insert("cnf".to_owned(), json!({ "jkt": thumbprint, "kc-jkt-type": "DPoP" }));
        }
        let target = if client.lightweight {
            Target::LightweightAccessToken
        } else {
            Target::AccessToken
        };
        self.map(&mut claims, target);
        claims
    }

    /// The claims of the ID token that goes with an access token.
    pub(in crate::dev) fn id_claims(&self, access: &Claims) -> Claims {
        let (client, user) = (self.model.client(self.client), self.model.user(self.user));
        let mut claims = Claims::new();
        for shared in ["exp", "iat", "iss", "azp", "sid", "auth_time", "nonce"] {
            if let Some(value) = access.get(shared) {
                claims.insert(shared.to_owned(), value.clone());
            }
        }
        claims.insert("jti".to_owned(), json!(random_uuid()));
        claims.insert("aud".to_owned(), json!(client.client_id));
        claims.insert("sub".to_owned(), json!(user.id));
        claims.insert("typ".to_owned(), json!("ID"));
        // The nonce is of the login, not of what comes after it, unless a mapper keeps it in every token.
        if self.refreshed.is_none()
            && let Some(nonce) = self.session.nonce(self.client)
        {
            claims.insert("nonce".to_owned(), json!(nonce));
        }
        self.map(&mut claims, Target::IdToken);
        claims
    }

    /// The refresh token and its lifespan, which is 0 for one that does not end by itself.
    fn refresh_token(&self, session: &Session, access: &Claims) -> (String, u64) {
        let settings = &self.model.settings;
        let mut claims = Claims::new();
        let expires = session.refresh_expires(self.client, self.now, settings);
        if let Some(expires) = expires {
            claims.insert("exp".to_owned(), json!(expires));
        }
        claims.insert("iat".to_owned(), json!(self.now));
        claims.insert("jti".to_owned(), json!(random_uuid()));
        claims.insert("aud".to_owned(), json!(self.issuer));
        let typ = if session.offline { "Offline" } else { "Refresh" };
        claims.insert("typ".to_owned(), json!(typ));
        let (scope, line) = match self.refreshed {
            None => (self.scope.full(self.model), None),
            Some(token) => (
                token.text("scope").unwrap_or_default().to_owned(),
                token.text("reuse_id"),
            ),
        };
        if settings.refresh_token_reuse.is_some() {
            // All that come of one login have it in common.
            claims.insert(
                "reuse_id".to_owned(),
                json!(line.map_or_else(random_uuid, str::to_owned)),
            );
        }
        claims.insert("prov".to_owned(), json!("default"));
        claims.insert("scope".to_owned(), json!(scope));
        for shared in ["iss", "azp", "sid", "sub", "nonce"] {
            if let Some(value) = access.get(shared) {
                claims.insert(shared.to_owned(), value.clone());
            }
        }
        if let Some(audience) = access.get("aud") {
            claims.insert("aud_x".to_owned(), audience.clone());
        }
        if self.model.client(self.client).is_public()
            && let Some(confirmation) = access.get("cnf")
        {
            claims.insert("cnf".to_owned(), confirmation.clone());
        }
        let lifespan = expires.map_or(0, |expires| expires.saturating_sub(self.now));
        (sign_refresh(self.keys.refresh(), &claims), lifespan)
    }

    fn map(&self, claims: &mut Claims, target: Target) {
        let (client, user) = (self.model.client(self.client), self.model.user(self.user));
        let roles = self.scope.roles(self.model, client, user);
        let server_url = self.issuer.rsplit_once("/realms/").map_or("", |(url, _)| url);
        let subject = Subject {
            model: self.model,
            server_url,
            user,
            client,
            roles: &roles,
            acr: self.session.acr(self.client),
            nonce: self.session.nonce(self.client),
            notes: match self.session {
                // A session that ended with its answer is not there any more.
                SessionKind::Transient(_) if target == Target::UserInfo => &NO_NOTES,
                session => session.notes(),
            },
        };
        apply(claims, &subject, self.scope.mappers(self.model, client), target);
    }
}

impl<'a> SessionKind<'a> {
    fn session(self) -> Option<&'a Session> {
        match self {
            Self::Online(session) | Self::Own(session) | Self::Exchanged(session) => Some(session),
            Self::Transient(_) => None,
        }
    }

    /// The two letters of the session for the `jti`.
    fn letters(self) -> &'static str {
        match self {
            Self::Online(session) | Self::Own(session) if session.offline => "of",
            Self::Online(_) | Self::Own(_) => "on",
            Self::Transient(_) => "tr",
            Self::Exchanged(session) if session.offline => "ft",
            Self::Exchanged(_) => "nt",
        }
    }

    fn notes(self) -> &'a BTreeMap<String, String> {
        match self {
            Self::Online(session) | Self::Own(session) | Self::Exchanged(session) => &session.notes,
            Self::Transient(notes) => notes,
        }
    }

    fn acr(self, client: ClientId) -> &'static str {
        let of_client = self.session().and_then(|session| session.clients.get(&client));
        if of_client.is_some_and(|client| client.single_sign_on) {
            "0"
        } else {
            "1"
        }
    }

    fn nonce(self, client: ClientId) -> Option<&'a str> {
        self.session()?.clients.get(&client)?.nonce.as_deref()
    }
}

/// What introspection says beside `active` (RFC 7662 §2.2): the token's own claims and those of the mappers for it.
pub(in crate::dev) fn introspection_claims(issue: &Issue<'_>, token: &Claims) -> Claims {
    let mut claims = Claims::new();
    for kept in [
        "exp",
        "iat",
        "jti",
        "iss",
        "aud",
        "sub",
        "typ",
        "azp",
        "sid",
        "scope",
        "auth_time",
        "cnf",
        "nonce",
    ] {
        if let Some(value) = token.get(kept) {
            claims.insert(kept.to_owned(), value.clone());
        }
    }
    if claims.get("scope").is_some_and(|scope| scope == "") {
        claims.remove("scope");
    }
    issue.map(&mut claims, Target::Introspection);
    let client_id = &issue.model.client(issue.client).client_id;
    claims.insert("client_id".to_owned(), json!(client_id));
    claims.insert("username".to_owned(), json!(issue.model.user(issue.user).username));
    claims.insert(
        "token_type".to_owned(),
        token.get("typ").cloned().unwrap_or(Value::Null),
    );
    claims.insert("active".to_owned(), json!(true));
    claims
}

/// What the userinfo endpoint says (OpenID Connect Core §5.3.2).
pub(in crate::dev) fn userinfo_claims(issue: &Issue<'_>) -> Claims {
    let mut claims = Claims::new();
    claims.insert("sub".to_owned(), json!(issue.model.user(issue.user).id));
    issue.map(&mut claims, Target::UserInfo);
    claims
}
