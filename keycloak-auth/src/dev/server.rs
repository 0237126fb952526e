//! The server of a realm, which ends with its last handle.

use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::TcpListener,
    sync::{Mutex, oneshot},
    task::JoinHandle,
    time::timeout,
};

use super::{endpoints, error::StartError, keys::Keys, model::Model, realm::DevRealm, sessions::Sessions};
use crate::Clock;

/// How long `close` lets requests under way finish.
const GRACE: Duration = Duration::from_secs(1);

/// A development realm that is being served. It ends with its last clone, or by [`close`](Self::close).
#[derive(Clone)]
#[must_use = "the server ends when this is dropped"]
pub struct RunningDevRealm {
    running: Arc<Running>,
}

struct Running {
    realm: DevRealm,
    server_url: String,
    issuer: String,
    /// Dropping it ends the server.
    end: Mutex<Option<(oneshot::Sender<()>, JoinHandle<()>)>>,
}

/// What every request needs.
pub(super) struct Shared {
    pub(super) model: Arc<Model>,
    pub(super) keys: Keys,
    pub(super) sessions: Sessions,
    pub(super) clock: Clock,
    /// The address that the server listens on.
    pub(super) server_url: String,
}

pub(super) async fn start(realm: DevRealm, address: SocketAddr) -> Result<RunningDevRealm, StartError> {
    if !address.ip().is_loopback() {
        return Err(StartError::NotLoopback(address));
    }
    let bind_error = |source| StartError::Bind { address, source };
    let listener = TcpListener::bind(address).await.map_err(bind_error)?;
    let address = listener.local_addr().map_err(bind_error)?;
    let server_url = format!("http://{address}");
    let issuer = format!("{server_url}/realms/{}", realm.name());
    let shared = Arc::new(Shared::new(&realm, server_url.clone()));
    let keys = shared.keys.clone();
    tokio::task::spawn_blocking(move || keys.make_all());

    tracing::warn!(name: "keycloak.dev_realm", %issuer, "serving a realm file, for development only: everybody on this machine can use it");
    for warning in realm.warnings() {
        tracing::warn!(
            name: "keycloak.dev_realm_unsupported",
            realm = realm.name(),
            "the embedded realm does not do all that the file asks for: {warning}"
        );
    }

    let (end, ended) = oneshot::channel::<()>();
    let server = axum::serve(listener, endpoints::router(shared)).with_graceful_shutdown(async move {
        // Both a message and the end of the sender mean the end.
        let _ = ended.await;
    });
    let task = tokio::spawn(async move {
        if let Err(error) = server.await {
            tracing::error!(name: "keycloak.dev_realm_ended", %error, "the embedded realm ended");
        }
    });
    Ok(RunningDevRealm {
        running: Arc::new(Running {
            realm,
            server_url,
            issuer,
            end: Mutex::new(Some((end, task))),
        }),
    })
}

impl RunningDevRealm {
    /// The address of the server, such as `http://127.0.0.1:49152`: what a
    /// [`server_url`](crate::KeycloakBuilder::server_url) takes.
    #[must_use]
    pub fn server_url(&self) -> &str {
        &self.running.server_url
    }

    /// The issuer of the tokens: `{server_url}/realms/{realm}`. Who reaches the server as `localhost` gets tokens of
    /// that name, as from a Keycloak without a set host name.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.running.issuer
    }

    /// The realm file that is served.
    #[must_use]
    pub fn realm(&self) -> &DevRealm {
        &self.running.realm
    }

    /// Ends the server, whoever else has a handle; requests under way get a second to finish.
    pub async fn close(self) {
        let Some((end, mut task)) = self.running.end.lock().await.take() else {
            return;
        };
        drop(end);
        if timeout(GRACE, &mut task).await.is_err() {
            task.abort();
        }
    }
}

impl fmt::Debug for RunningDevRealm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunningDevRealm")
            .field("issuer", &self.running.issuer)
            .finish_non_exhaustive()
    }
}

impl Shared {
    pub(super) fn new(realm: &DevRealm, server_url: String) -> Self {
        let model = &realm.model;
        let of_clients = model
            .clients
            .iter()
            .flat_map(|client| [client.access_token_algorithm, client.id_token_algorithm]);
        let algorithms = [model.settings.signature_algorithm]
            .into_iter()
            .chain(of_clients.flatten());
        let keys = Keys::new(model.keys.iter().copied().chain(algorithms));
        Self {
            model: Arc::clone(model),
            keys,
            sessions: Sessions::default(),
            clock: realm.clock.clone(),
            server_url,
        }
    }

    /// Seconds since the Unix epoch.
    pub(super) fn now(&self) -> u64 {
        self.clock.now().as_secs()
    }
}
