//! The realm gets new keys while the service runs.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use keycloak_auth_tests::{KeyProvider, Keycloak, header_of, suite};
use serde_json::json;

use crate::{
    answers::{assert_admitted, assert_invalid_token},
    setup::{builder, clock, eventually, service},
};

pub fn tests() -> Vec<suite::Test> {
    vec![
        suite::test("rotation::a_new_key_is_good_within_31_s", a_new_key),
        suite::test("rotation::a_removed_key_is_dead_after_the_next_fetch", a_removed_key),
    ]
}

async fn a_new_key(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm_of_its_own("new-key").await?;
    let clock = clock();
    let service = service(builder(&realm).clock(clock.clone())).await;
    let old = realm.login("orders-web", "alice").await?.access;
    assert_admitted(&service.get_as("/me", &old).await, "alice");
    realm
        .admin()
        .add_key_provider(realm.name(), KeyProvider::Rsa("RS256"), 200)
        .await?;
    let new = realm.login("orders-web", "bob").await?.access;
    assert_ne!(header_of(&new)["kid"], header_of(&old)["kid"]);
    assert_invalid_token(&service.get_as("/me", &new).await, "unknown_kid");
    clock.advance(Duration::from_secs(31));
    assert_admitted(&service.get_as("/me", &new).await, "bob");
    // The old key is still published.
    assert_admitted(&service.get_as("/me", &old).await, "alice");
    Ok(())
}

async fn a_removed_key(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm_of_its_own("removed-key").await?;
    let admin = realm.admin();
    admin
        .update_realm(realm.name(), &json!({ "accessTokenLifespan": 3600 }))
        .await?;
    let clock = clock();
    let service = service(builder(&realm).clock(clock.clone())).await;
    let old = realm.login("orders-web", "alice").await?.access;
    let unseen = realm.login("orders-web", "bob").await?.access;
    assert_admitted(&service.get_as("/me", &old).await, "alice");
    let providers = admin.key_providers(realm.name()).await?;
    let old_provider = providers
        .iter()
        .find(|provider| provider["providerId"] == "rsa-generated");
    let old_provider = old_provider.and_then(|provider| provider["id"].as_str());
    admin
        .add_key_provider(realm.name(), KeyProvider::Rsa("RS256"), 200)
        .await?;
    admin
        .remove_component(realm.name(), old_provider.context("a realm has a key")?)
        .await?;
    // Nothing was fetched since, so nothing is known of it.
    assert_admitted(&service.get_as("/me", &old).await, "alice");
    // Close to the end of the key set's lifetime of 5 min, when it is reloaded in the background.
    clock.advance(Duration::from_secs(280));
    eventually("the cached token is refused", Duration::from_secs(10), async || {
        service.get_as("/me", &old).await.status != 200
    })
    .await;
    for token in [&old, &unseen] {
        assert_invalid_token(&service.get_as("/me", token).await, "unknown_kid");
    }
    let new = realm.login("orders-web", "bob").await?.access;
    assert_admitted(&service.get_as("/me", &new).await, "bob");
    Ok(())
}
