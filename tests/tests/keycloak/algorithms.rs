//! Realms whose keys are for other algorithms than Keycloak's default.

use std::sync::Arc;

use anyhow::Result;
use keycloak_auth::Algorithm;
use keycloak_auth_tests::{KeyProvider, Keycloak, header_of, suite};
use serde_json::json;

use crate::{
    answers::{assert_admitted, assert_denied, assert_invalid_token},
    setup::{builder, service},
};

pub fn tests() -> Vec<suite::Test> {
    let keys = [
        (Algorithm::RS512, KeyProvider::Rsa("RS512")),
        (Algorithm::PS256, KeyProvider::Rsa("PS256")),
        (Algorithm::ES256, KeyProvider::Ecdsa("ES256")),
        (Algorithm::ES384, KeyProvider::Ecdsa("ES384")),
        (Algorithm::ES512, KeyProvider::Ecdsa("ES512")),
        (Algorithm::EdDSA, KeyProvider::Eddsa),
    ];
    keys.into_iter()
        .map(|(algorithm, key)| {
            let name = format!("algorithms::{algorithm}_where_it_is_configured");
            suite::test(name, async move |keycloak| {
                accepted_where_configured(keycloak, algorithm, key).await
            })
        })
        .collect()
}

async fn accepted_where_configured(keycloak: Arc<Keycloak>, algorithm: Algorithm, key: KeyProvider) -> Result<()> {
    let name = algorithm.name();
    let realm = keycloak.realm_of_its_own(&name.to_lowercase()).await?;
    let usual = realm.login("orders-web", "alice").await?.access;
    realm.admin().add_key_provider(realm.name(), key, 200).await?;
    let setting = json!({ "defaultSignatureAlgorithm": name });
    realm.admin().update_realm(realm.name(), &setting).await?;
    let alice = realm.login("orders-web", "alice").await?.access;
    let dave = realm.login("orders-web", "dave").await?.access;
    assert_eq!(
        (&header_of(&usual)["alg"], &header_of(&alice)["alg"]),
        (&json!("RS256"), &json!(name))
    );

    let by_default = service(builder(&realm)).await;
    assert_admitted(&by_default.get_as("/admin", &usual).await, "alice");
    assert_invalid_token(&by_default.get_as("/admin", &alice).await, "invalid_algorithm");
    let configured = service(builder(&realm).algorithms([algorithm])).await;
    assert_admitted(&configured.get_as("/admin", &alice).await, "alice");
    assert_denied(&configured.get_as("/admin", &dave).await, "missing_roles", None);
    assert_invalid_token(&configured.get_as("/admin", &usual).await, "invalid_algorithm");
    let both = service(builder(&realm).algorithms([Algorithm::RS256, algorithm])).await;
    for token in [&usual, &alice] {
        assert_admitted(&both.get_as("/admin", token).await, "alice");
    }
    Ok(())
}
