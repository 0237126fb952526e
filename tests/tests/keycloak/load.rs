//! Requests that flow while something happens to Keycloak, each answer compared with what it must be.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::Result;
use keycloak_auth_tests::{Answer, Service};
use tokio::{
    sync::{RwLock, RwLockWriteGuard},
    task::JoinSet,
};

use crate::setup::eventually;

const WORKERS: usize = 4;

/// What must be answered to a token.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Expected {
    /// 200, from this user.
    Admitted(&'static str),
    /// Its key is being taken away: 200 until the service knows, and 401 from then on.
    Leaving(&'static str),
    /// 401, with this code.
    Refused(&'static str),
}

impl Expected {
    fn is_met_by(self, answer: &Answer) -> bool {
        let is_admitted = |user| (answer.status, answer.text().as_str()) == (200, user);
        let is_refused = |code| answer.status == 401 && answer.json()["error"]["code"] == code;
        match self {
            Self::Admitted(user) => is_admitted(user),
            Self::Leaving(user) => is_admitted(user) || is_refused("unknown_kid"),
            Self::Refused(code) => is_refused(code),
        }
    }
}

type Tokens = Vec<(String, Expected)>;

/// Workers that send each token in turn until they are stopped.
pub struct Load {
    shared: Arc<Shared>,
    workers: JoinSet<()>,
}

#[derive(Default)]
struct Shared {
    /// Read for as long as a request is under way.
    tokens: RwLock<Tokens>,
    sent: AtomicUsize,
    is_stopped: AtomicBool,
    wrong: std::sync::Mutex<Vec<String>>,
}

impl Load {
    pub fn start(service: &Arc<Service>, tokens: Tokens) -> Self {
        let shared = Arc::new(Shared {
            tokens: RwLock::new(tokens),
            ..Shared::default()
        });
        let mut workers = JoinSet::new();
        for number in 0..WORKERS {
            workers.spawn(work(Arc::clone(&shared), Arc::clone(service), number));
        }
        Self { shared, workers }
    }

    /// The tokens, to be changed: no request is under way until this is dropped.
    pub async fn tokens(&self) -> RwLockWriteGuard<'_, Tokens> {
        self.shared.tokens.write().await
    }

    /// How many requests were answered.
    pub fn sent(&self) -> usize {
        self.shared.sent.load(Ordering::SeqCst)
    }

    /// Waits for so many further requests.
    pub async fn flow(&self, requests: usize) {
        let until = self.sent() + requests;
        eventually("requests flow", Duration::from_secs(60), async || self.sent() >= until).await;
    }

    /// Ends the workers; fails if one answer was not what it must be.
    pub async fn stop(mut self) -> Result<()> {
        self.shared.is_stopped.store(true, Ordering::SeqCst);
        while let Some(ended) = self.workers.join_next().await {
            ended?;
        }
        let wrong = self.shared.wrong.lock().expect("no worker panicked");
        anyhow::ensure!(
            wrong.is_empty(),
            "{} of {} answers are wrong, the first: {}",
            wrong.len(),
            self.sent(),
            wrong[0]
        );
        Ok(())
    }
}

async fn work(shared: Arc<Shared>, service: Arc<Service>, number: usize) {
    let mut turn = number;
    while !shared.is_stopped.load(Ordering::SeqCst) {
        let tokens = shared.tokens.read().await;
        let (token, expected) = &tokens[turn % tokens.len()];
        let answer = service.get_as("/me", token).await;
        if !expected.is_met_by(&answer) {
            let mut wrong = shared.wrong.lock().expect("no worker panicked");
            wrong.push(format!("{expected:?}, but {answer:?}"));
        }
        drop(tokens);
        shared.sent.fetch_add(1, Ordering::SeqCst);
        turn += 1;
    }
}
