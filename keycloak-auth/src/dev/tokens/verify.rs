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

/// A refresh token of this realm; whether its session lives is not checked yet.
pub(in crate::dev) struct RefreshToken {
    pub(in crate::dev) claims: Claims,
}

impl AccessToken {
    /// Reads the access token that came with a request.
    pub(in crate::dev) fn of(request: &Incoming, text: &str) -> Option<Self> {
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

    /// Reads an access token; `None` for one that is not good, for whatever reason.
    pub(in crate::dev) fn read(
        text: &str,
        keys: &Keys,
        model: &Model,
        issuer: &str,
        now: u64,
        state: &mut State,
    ) -> Option<Self> {
        let payload = keys.key_set().verify(text).ok()?;
        let claims: Claims = serde_json::from_slice(&payload).ok()?;
        if !matches!(claims.get("typ").and_then(Value::as_str), Some("Bearer" | "DPoP")) {
            return None;
        }
        let client = model.client_named(claims.get("azp")?.as_str()?)?;
        let issued = claims.get("iat")?.as_u64()?;
        let good = claims.get("iss")?.as_str()? == issuer
            && now < claims.get("exp")?.as_u64()?
            && issued >= model.settings.not_before.max(model.client(client).not_before)
            && model.client(client).enabled
            && !state.revoked.contains_key(claims.get("jti")?.as_str()?);
        if !good {
            return None;
        }
        // Whether the session is an offline one stands in the first letters of the `jti` alone.
        let jti = claims.get("jti")?.as_str()?;
        let offline = jti.starts_with("of") || jti.starts_with("ft");
        let id = claims.get("sid").and_then(Value::as_str);
        let session = id.map(|id| session_key(id, offline));
        let user = match &session {
            Some(id) => state.active(id, now, &model.settings)?.user,
            None => model.service_account(client)?,
        };
        let of_user = model.user(user);
        (of_user.enabled && issued >= of_user.not_before).then_some(Self {
            claims,
            client,
            user,
            session,
        })
    }
}

impl RefreshToken {
    /// Reads a refresh token; `None` for anything else, and for one that has expired.
    pub(in crate::dev) fn read(text: &str, keys: &Keys, issuer: &str, now: u64) -> Option<Self> {
        let (message, signature) = text.rsplit_once('.')?;
        let signature = decode(signature)?;
        let (header, payload) = message.split_once('.')?;
        let header: Value = serde_json::from_slice(&decode(header)?).ok()?;
        if header["alg"] != "HS512" || !keys.refresh().verify(message.as_bytes(), &signature) {
            return None;
        }
        let claims: Claims = serde_json::from_slice(&decode(payload)?).ok()?;
        let refresh = matches!(claims.get("typ").and_then(Value::as_str), Some("Refresh" | "Offline"));
        let good = refresh
            && claims.get("iss")?.as_str()? == issuer
            && claims.get("exp").is_none_or(|end| end.as_u64() > Some(now));
        good.then_some(Self { claims })
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
