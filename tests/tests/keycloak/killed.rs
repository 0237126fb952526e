//! Keycloak is killed and started again while requests flow: no valid token is refused.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use keycloak_auth_tests::{Keycloak, Service, suite};

use crate::{
    answers::assert_admitted,
    load::{Expected, Load},
    setup::{builder, eventually, routes},
};

pub fn tests() -> Vec<suite::Test> {
    vec![suite::restarting_test(
        "outage::no_valid_token_is_refused_while_keycloak_is_killed_and_started_again",
        no_valid_token_is_refused,
    )]
}

/// How often Keycloak is asked for its keys, so that an outage is noticed.
const LIFETIME: Duration = Duration::from_secs(1);

/// The server of the run stays as it is: who is killed may lose what it did not write.
async fn no_valid_token_is_refused(_: Arc<Keycloak>) -> Result<()> {
    let keycloak = Keycloak::start().await.map_err(|error| anyhow::anyhow!("{error}"))?;
    let realm = keycloak.realm();
    let runtime = builder(realm)
        .key_set_lifetime(LIFETIME)
        .key_set_cooldown(LIFETIME)
        .build()
        .context("a valid configuration")?;
    let service = Arc::new(Service::start(routes().secure_with(runtime.clone())).await);
    let mut tokens = Vec::new();
    for user in ["alice", "bob", "carol", "dave"] {
        for _ in 0..5 {
            let token = realm.login("orders-web", user).await?.access;
            tokens.push((token, Expected::Admitted(user)));
        }
    }
    // Half of them come for the first time while Keycloak is gone.
    let unseen: Vec<_> = tokens.iter().skip(1).step_by(2).cloned().collect();
    tokens.retain(|token| !unseen.contains(token));
    runtime.ready().await?;
    let load = Load::start(&service, tokens);
    for is_last in [false, true] {
        load.flow(500).await;
        keycloak.kill().await?;
        load.flow(500).await;
        eventually("the outage is noticed", Duration::from_secs(20), async || {
            runtime.last_provider_error().is_some()
        })
        .await;
        assert!(runtime.is_ready(), "the keys at hand serve on");
        if !is_last {
            load.tokens().await.extend(unseen.iter().cloned());
        }
        load.flow(500).await;
        keycloak.start_again().await?;
        eventually(
            "the end of the outage is noticed",
            Duration::from_secs(20),
            async || runtime.last_provider_error().is_none(),
        )
        .await;
    }
    load.flow(500).await;
    load.stop().await?;
    let fresh = realm.login("orders-web", "alice").await?.access;
    assert_admitted(&service.get_as("/me", &fresh).await, "alice");
    Ok(())
}
