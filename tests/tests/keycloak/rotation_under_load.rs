//! Keys rotate while requests flow: no answer is wrong.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use keycloak_auth_tests::{KeyProvider, Keycloak, Realm, Service, Token, claims_of, header_of, rsa_key, suite};
use serde_json::json;

use crate::{
    load::{Expected, Load},
    setup::{builder, clock, eventually, routes},
};

pub fn tests() -> Vec<suite::Test> {
    vec![suite::test(
        "rotation::no_answer_is_wrong_in_10_000_requests_while_keys_rotate",
        no_answer_is_wrong,
    )]
}

const REQUESTS: usize = 10_000;
const ROTATIONS: usize = 5;

/// Each rotation has four phases.
const A_PHASE: usize = REQUESTS / ROTATIONS / 4;

const DAY: u64 = 86_400;

async fn no_answer_is_wrong(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm_of_its_own("under-load").await?;
    let admin = realm.admin();
    // The clock of the service runs ahead of that of Keycloak by some minutes for each rotation.
    let settings = json!({ "accessTokenLifespan": DAY, "ssoSessionMaxLifespan": DAY, "ssoSessionIdleTimeout": DAY });
    admin.update_realm(realm.name(), &settings).await?;
    let clock = clock();
    let runtime = builder(&realm)
        .clock(clock.clone())
        .build()
        .context("a valid configuration")?;
    let service = Arc::new(Service::start(routes().secure_with(runtime.clone())).await);

    let mut tokens = log_in(&realm).await?;
    tokens.push((forged(&tokens[0].0), Expected::Refused("invalid_signature")));
    let mut old_key = admin
        .key_providers(realm.name())
        .await?
        .iter()
        .find(|provider| provider["providerId"] == "rsa-generated")
        .and_then(|provider| Some(provider["id"].as_str()?.to_owned()))
        .context("a realm has a key")?;
    runtime.ready().await?;
    let load = Load::start(&service, tokens);
    for rotation in 0..ROTATIONS {
        load.flow(A_PHASE).await;

        // A new key signs from now on, and its tokens are good from the first: the cooldown is over.
        let priority = 200 + u32::try_from(rotation)?;
        let new_key = admin
            .add_key_provider(realm.name(), KeyProvider::Rsa("RS256"), priority)
            .await?;
        let new = log_in(&realm).await?;
        clock.advance(Duration::from_secs(31));
        let forged = (forged(&new[0].0), Expected::Refused("invalid_signature"));
        {
            let mut tokens = load.tokens().await;
            // Those of the key before the last are refused for good; they need not grow more.
            tokens.retain(|(_, expected)| matches!(expected, Expected::Admitted(_)));
            tokens.extend(new);
        }
        load.flow(A_PHASE).await;
        load.tokens().await.push(forged);

        // The old key goes. Until the service hears of it, its tokens are good.
        let kid = header_of(&load.tokens().await[0].0)["kid"].clone();
        for (token, expected) in &mut *load.tokens().await {
            if let Expected::Admitted(user) = *expected
                && header_of(token)["kid"] == kid
            {
                *expected = Expected::Leaving(user);
            }
        }
        admin.remove_component(realm.name(), &old_key).await?;
        load.flow(A_PHASE).await;

        // Close to the end of the key set's lifetime of 5 min it is reloaded in the background.
        clock.advance(Duration::from_secs(290));
        let leaving = load.tokens().await[0].0.clone();
        eventually("the service hears of it", Duration::from_secs(20), async || {
            service.get_as("/me", &leaving).await.status == 401
        })
        .await;
        for (_, expected) in &mut *load.tokens().await {
            if let Expected::Leaving(_) = expected {
                *expected = Expected::Refused("unknown_kid");
            }
        }
        load.flow(A_PHASE).await;
        old_key = new_key;
    }
    let sent = load.sent();
    load.stop().await?;
    anyhow::ensure!(sent >= REQUESTS, "only {sent} requests were sent");
    Ok(())
}

async fn log_in(realm: &Realm) -> Result<Vec<(String, Expected)>> {
    let mut tokens = Vec::new();
    for user in ["alice", "bob", "carol", "dave"] {
        let token = realm.login("orders-web", user).await?.access;
        tokens.push((token, Expected::Admitted(user)));
    }
    Ok(tokens)
}

/// The same claims under the same `kid`, by a key that the realm does not have.
fn forged(token: &str) -> String {
    let kid = header_of(token)["kid"].as_str().unwrap_or_default().to_owned();
    Token::of(&header_of(token), &claims_of(token)).sign(&rsa_key(0).with_kid(&kid))
}
