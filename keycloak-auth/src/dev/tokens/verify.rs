//! Reading tokens that this realm made.

use base64_simd::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::{Claims, Issue, Scope, SessionKind};
use crate::dev::{
    endpoints::Incoming,
    keys::Keys,
    model::{ClientId, Model, UserId},
    sessions::{State, session_key},
};

/// An access token of this realm that is still good.
pub(in crate::dev) struct AccessToken {
    pub(in crate::dev) claims: Claims,
    pub(in crate::dev) client: ClientId,
    pub(in crate::dev) user: UserId,
    /// The key of its session.
    pub(in crate::dev) session: Option<String>,
}

/// Why an access token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dev) enum Unusable {
    /// It is none of this realm, or not good any more.
    Invalid,
    Revoked,
    /// The user has logged out.
    NoSession,
}

/// A refresh token of this realm; whether its session lives is not checked yet.
pub(in crate::dev) struct RefreshToken {
    pub(in crate::dev) claims: Claims,
}

impl AccessToken {
    /// Reads the access token that came with a request.
    ///
    /// # Errors
    ///
    /// When it is not good, with the reason.
    pub(in crate::dev) fn of(request: &Incoming, text: &str) -> Result<Self, Unusable> {
        let shared = &request.shared;
        let mut state = shared.sessions.lock();
        Self::read(
            text,
            &shared.keys,
            &shared.model,
            &request.issuer,
            shared.now(),
            &mut state,
        )
    }

    /// What could be issued in the place of this token; `None` when its session has ended in the meantime.
    pub(in crate::dev) fn issue<T>(&self, request: &Incoming, answer: impl FnOnce(&Issue<'_>) -> T) -> Option<T> {
        let shared = &request.shared;
        let model = &shared.model;
        let (client, user) = (model.client(self.client), model.user(self.user));
        let words = self.claims.get("scope").and_then(Value::as_str);
        let scope = Scope::requested(model, client, user, words);
        let session = match &self.session {
            Some(id) => Some(shared.sessions.lock().sessions.get(id)?.clone()),
            None => None,
        };
        let notes = super::service_account_notes(client);
        Some(answer(&Issue {
            model,
            keys: &shared.keys,
            issuer: &request.issuer,
            now: shared.now(),
            client: self.client,
            user: self.user,
            scope: &scope,
            refreshed: None,
            session: session
                .as_ref()
                .map_or(SessionKind::Transient(&notes), SessionKind::Online),
            grant: "",
            dpop_thumbprint: None,
        }))
    }

    fn read(
        text: &str,
        keys: &Keys,
        model: &Model,
        issuer: &str,
        now: u64,
        state: &mut State,
    ) -> Result<Self, Unusable> {
        let (claims, client) = Self::good_claims(text, keys, model, issuer, now).ok_or(Unusable::Invalid)?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let jti = text("jti").ok_or(Unusable::Invalid)?;
        if state.revoked.contains_key(jti) {
            return Err(Unusable::Revoked);
        }
        // Whether the session is an offline one stands in the first letters of the `jti` alone.
        let offline = jti.starts_with("of") || jti.starts_with("ft");
        let session = text("sid").map(|id| session_key(id, offline));
        let user = match &session {
            Some(key) => {
                let session = state.active(key, now, &model.settings);
                session.ok_or(Unusable::NoSession)?.user
            }
            None => model.service_account(client).ok_or(Unusable::Invalid)?,
        };
        let (of_user, issued) = (model.user(user), claims.get("iat").and_then(Value::as_u64));
        if !of_user.enabled || issued < Some(of_user.not_before) {
            return Err(Unusable::Invalid);
        }
        Ok(Self {
            claims,
            client,
            user,
            session,
        })
    }

    /// The claims of an access token that is good by itself; whether its session lives is not checked.
    fn good_claims(text: &str, keys: &Keys, model: &Model, issuer: &str, now: u64) -> Option<(Claims, ClientId)> {
        let payload = keys.key_set().verify(text).ok()?;
        let claims: Claims = serde_json::from_slice(&payload).ok()?;
        if !matches!(claims.get("typ").and_then(Value::as_str), Some("Bearer" | "DPoP")) {
            return None;
        }
        let client = model.client_named(claims.get("azp")?.as_str()?)?;
        let good = claims.get("iss")?.as_str()? == issuer
            && now < claims.get("exp")?.as_u64()?
            && claims.get("iat")?.as_u64()? >= model.settings.not_before.max(model.client(client).not_before)
            && model.client(client).enabled;
        good.then_some((claims, client))
    }
}

impl RefreshToken {
    /// Reads a refresh token, which may have expired; `None` for anything else.
    pub(in crate::dev) fn read(text: &str, keys: &Keys, issuer: &str) -> Option<Self> {
        let (message, signature) = text.rsplit_once('.')?;
        let signature = decode(signature)?;
        let (header, payload) = message.split_once('.')?;
        let header: Value = serde_json::from_slice(&decode(header)?).ok()?;
        if header["alg"] != "HS512" || !keys.refresh().verify(message.as_bytes(), &signature) {
            return None;
        }
        let claims: Claims = serde_json::from_slice(&decode(payload)?).ok()?;
        let refresh = matches!(claims.get("typ").and_then(Value::as_str), Some("Refresh" | "Offline"));
        (refresh && claims.get("iss")?.as_str()? == issuer).then_some(Self { claims })
    }

    /// An offline token never does.
    pub(in crate::dev) fn has_expired(&self, now: u64) -> bool {
        self.claims.get("exp").is_some_and(|end| end.as_u64() <= Some(now))
    }

    pub(in crate::dev) fn text(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim)?.as_str()
    }

    /// The key of its session.
    pub(in crate::dev) fn session(&self) -> Option<String> {
        let offline = self.text("typ") == Some("Offline");
        self.text("sid").map(|id| session_key(id, offline))
    }

    pub(in crate::dev) fn issued(&self) -> u64 {
        self.claims.get("iat").and_then(Value::as_u64).unwrap_or_default()
    }
}

fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode_to_vec(text).ok()
}
