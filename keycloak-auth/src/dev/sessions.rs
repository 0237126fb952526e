//! What changes while a realm is served: sessions, logins under way, authorization codes, revoked tokens.
//!
//! All of it is in memory and ends with the server. What has expired is dropped whenever something is added.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{
    model::{ClientId, Settings, UserId},
    random::{random_text, random_uuid},
};

/// The state of a realm.
#[derive(Default)]
pub(super) struct Sessions {
    state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    /// By their keys: see [`session_key`].
    pub(super) sessions: HashMap<String, Session>,
    /// Logins under way, by the id that the form sends back.
    pub(super) logins: HashMap<String, Expiring<Login>>,
    pub(super) logouts: HashMap<String, Expiring<Logout>>,
    pub(super) codes: HashMap<String, Expiring<Code>>,
    /// The `jti` of proofs of possession that were used.
    pub(super) proofs: HashMap<String, Expiring<()>>,
    /// The `jti` of revoked access tokens.
    pub(super) revoked: HashMap<String, Expiring<()>>,
}

/// Something with an end, in seconds since the Unix epoch.
pub(super) struct Expiring<T> {
    pub(super) value: T,
    pub(super) expires: u64,
}

/// The session of a user, in one browser or of one password grant.
#[derive(Clone)]
pub(super) struct Session {
    pub(super) id: String,
    pub(super) user: UserId,
    pub(super) started: u64,
    pub(super) last_access: u64,
    pub(super) offline: bool,
    /// What mappers of session notes show.
    pub(super) notes: BTreeMap<String, String>,
    /// What the cookie of the browser holds, where there is one.
    pub(super) cookie: Option<String>,
    pub(super) clients: HashMap<ClientId, ClientSession>,
}

/// The part of a client in a session.
#[derive(Clone, Default)]
pub(super) struct ClientSession {
    pub(super) started: u64,
    /// The user did not have to log in for it: `acr` is `0`.
    pub(super) single_sign_on: bool,
    pub(super) nonce: Option<String>,
    /// The refresh tokens that were used last, by their line.
    pub(super) used: HashMap<String, UsedToken>,
}

/// A refresh token that was used.
#[derive(Clone)]
pub(super) struct UsedToken {
    pub(super) id: String,
    pub(super) issued: u64,
    /// How often.
    pub(super) uses: u64,
}

/// A request for authorization that waits for the user.
#[derive(Clone)]
pub(super) struct Login {
    pub(super) request: AuthorizationRequest,
    /// What the cookie of the browser holds that started it.
    pub(super) cookie: String,
    /// It is over; the browser has gone back to the form.
    pub(super) done: bool,
}

/// A logout that the user is asked about.
#[derive(Clone)]
pub(super) struct Logout {
    /// What the cookie of the browser holds that started it.
    pub(super) cookie: String,
    pub(super) session: Option<String>,
    /// Where the browser goes afterwards.
    pub(super) target: Option<String>,
}

/// A request for authorization that was accepted (RFC 6749 §4.1.1).
#[derive(Clone)]
pub(super) struct AuthorizationRequest {
    pub(super) client: ClientId,
    pub(super) redirect_uri: String,
    /// Whether it stood in the request: then the token request has to repeat it.
    pub(super) redirect_uri_given: bool,
    pub(super) state: Option<String>,
    pub(super) nonce: Option<String>,
    pub(super) scope: Option<String>,
    pub(super) response_mode: ResponseMode,
    pub(super) code_challenge: Option<(String, ChallengeMethod)>,
    pub(super) login_hint: Option<String>,
}

/// How the answer to a request for authorization travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ResponseMode {
    Query,
    Fragment,
    FormPost,
}

/// How a code verifier becomes a challenge (RFC 7636 §4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChallengeMethod {
    Plain,
    S256,
}

/// What an authorization code stands for.
#[derive(Clone)]
pub(super) struct Code {
    pub(super) request: AuthorizationRequest,
    pub(super) session: String,
}

impl Sessions {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Under what a session is kept. An offline session has the id of the one that it was made of and outlives it, so both
/// are there.
pub(super) fn session_key(id: &str, offline: bool) -> String {
    if offline {
        format!("offline:{id}")
    } else {
        id.to_owned()
    }
}

/// How many logins may be under way: a page that starts one after the other must not fill the memory.
const MAX_LOGINS: usize = 200;

fn oldest(logins: &HashMap<String, Expiring<Login>>) -> Option<String> {
    let oldest = logins.iter().min_by_key(|(_, login)| login.expires);
    oldest.map(|(id, _)| id.clone())
}

impl State {
    /// Starts a session and returns its id.
    pub(super) fn start(&mut self, user: UserId, now: u64, settings: &Settings) -> &mut Session {
        self.drop_expired(now, settings);
        let id = random_uuid();
        let session = Session {
            id: id.clone(),
            user,
            started: now,
            last_access: now,
            offline: false,
            notes: BTreeMap::new(),
            cookie: None,
            clients: HashMap::new(),
        };
        self.sessions.entry(id).or_insert(session)
    }

    /// Makes an offline session of this session for a client; the session itself stays as it is.
    ///
    /// Kept is only one that an offline token was given for: without one it ends with the answer.
    pub(super) fn go_offline(&mut self, session: &Session, client: ClientId, keep: bool) -> Session {
        let key = session_key(&session.id, true);
        let mut offline = self.sessions.get(&key).cloned().unwrap_or_else(|| Session {
            offline: true,
            cookie: None,
            clients: HashMap::new(),
            ..session.clone()
        });
        offline.last_access = session.last_access;
        if let Some(of_client) = session.clients.get(&client) {
            offline.clients.insert(client, of_client.clone());
        }
        if keep {
            self.sessions.insert(key, offline.clone());
        }
        offline
    }

    /// The session with this key, while it is active.
    pub(super) fn active(&mut self, key: &str, now: u64, settings: &Settings) -> Option<&mut Session> {
        let session = self.sessions.get_mut(key)?;
        session.is_active(now, settings).then_some(session)
    }

    /// The session of a browser.
    pub(super) fn of_cookie(&mut self, cookie: &str, now: u64, settings: &Settings) -> Option<&mut Session> {
        let mut sessions = self.sessions.values_mut();
        sessions.find(|session| session.cookie.as_deref() == Some(cookie) && session.is_active(now, settings))
    }

    /// Keeps a login under way and returns its id.
    pub(super) fn add_login(&mut self, login: Login, now: u64, settings: &Settings) -> String {
        self.drop_expired(now, settings);
        let id = random_text();
        let expires = now.saturating_add(settings.login_lifespan);
        while self.logins.len() >= MAX_LOGINS
            && let Some(oldest) = oldest(&self.logins)
        {
            self.logins.remove(&oldest);
        }
        self.logins.insert(id.clone(), Expiring { value: login, expires });
        id
    }

    /// Keeps a logout that the user is asked about and returns its id.
    pub(super) fn add_logout(&mut self, logout: Logout, now: u64, settings: &Settings) -> String {
        self.drop_expired(now, settings);
        let id = random_text();
        let expires = now.saturating_add(settings.login_lifespan);
        self.logouts.insert(id.clone(), Expiring { value: logout, expires });
        id
    }

    /// Keeps what a code stands for and returns the code.
    pub(super) fn add_code(&mut self, code: Code, now: u64, settings: &Settings) -> String {
        self.drop_expired(now, settings);
        let id = format!("{}.{}", random_uuid(), code.session);
        let expires = now.saturating_add(settings.code_lifespan);
        self.codes.insert(id.clone(), Expiring { value: code, expires });
        id
    }

    fn drop_expired(&mut self, now: u64, settings: &Settings) {
        self.sessions.retain(|_, session| session.is_active(now, settings));
        self.logins.retain(|_, login| login.expires > now);
        self.logouts.retain(|_, logout| logout.expires > now);
        self.codes.retain(|_, code| code.expires > now);
        self.revoked.retain(|_, revoked| revoked.expires > now);
    }
}

impl Session {
    /// When the user logged in last.
    pub(super) fn authenticated(&self) -> u64 {
        self.notes
            .get("AUTH_TIME")
            .and_then(|time| time.parse().ok())
            .unwrap_or(self.started)
    }

    fn is_active(&self, now: u64, settings: &Settings) -> bool {
        if self.offline {
            return now < self.last_access.saturating_add(settings.offline_session_idle);
        }
        now < self.last_access.saturating_add(settings.session_idle)
            && now < self.started.saturating_add(settings.session_lifespan)
    }

    /// When a refresh token ends that is issued now; `None` for an offline one, which ends by idling only.
    pub(super) fn refresh_expires(&self, client: ClientId, now: u64, settings: &Settings) -> Option<u64> {
        if self.offline {
            return None;
        }
        let of_client = self.clients.get(&client).map_or(self.started, |client| client.started);
        let idle = settings
            .client_session_idle
            .unwrap_or(settings.session_idle)
            .min(settings.session_idle);
        let mut end = now
            .saturating_add(idle)
            .min(self.started.saturating_add(settings.session_lifespan));
        if let Some(lifespan) = settings.client_session_lifespan {
            end = end.min(of_client.saturating_add(lifespan));
        }
        Some(end)
    }

    /// When the session ends however much it is used.
    pub(super) fn latest_end(&self, settings: &Settings) -> u64 {
        if self.offline {
            u64::MAX
        } else {
            self.started.saturating_add(settings.session_lifespan)
        }
    }
}
