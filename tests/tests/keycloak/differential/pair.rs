//! One realm file, served twice.

use anyhow::Result;
use keycloak_auth::dev::{DevRealm, RunningDevRealm};
use keycloak_auth_tests::Realm;

/// The same realm in a real Keycloak and as an embedded realm.
pub struct Pair {
    pub real: Realm,
    pub embedded: Realm,
    /// Ends the embedded realm.
    _server: RunningDevRealm,
}

impl Pair {
    /// Serves `json` beside the realm that Keycloak has already.
    pub async fn of(real: &Realm, json: &str) -> Result<Self> {
        let server = DevRealm::from_json(json)?.start().await?;
        Ok(Self {
            real: real.clone(),
            embedded: Realm::served_at(server.server_url(), real.file().clone()),
            _server: server,
        })
    }
}
