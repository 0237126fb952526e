//! Realms whose keys are for other algorithms than Keycloak's default.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use keycloak_auth::Algorithm;
use keycloak_auth_tests::{KeyProvider, Keycloak, Realm, header_of, suite};
use serde_json::json;

use crate::{
    answers::{assert_admitted, assert_denied, assert_invalid_token},
    setup::{builder, service},
};

pub fn tests() -> Vec<suite::Test> {
    vec![suite::test(
        "algorithms::each_is_accepted_where_it_is_configured",
        each_where_configured,
    )]
}

/// All in one realm, since importing one takes longer than the rest.
async fn each_where_configured(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm_of_its_own("algorithms").await?;
    let usual = realm.login("orders-web", "alice").await?.access;
    assert_eq!(header_of(&usual)["alg"], "RS256");
    for (algorithm, key) in [
        (Algorithm::RS512, KeyProvider::Rsa("RS512")),
        (Algorithm::PS256, KeyProvider::Rsa("PS256")),
        (Algorithm::ES256, KeyProvider::Ecdsa("ES256")),
        (Algorithm::ES384, KeyProvider::Ecdsa("ES384")),
        (Algorithm::ES512, KeyProvider::Ecdsa("ES512")),
        (Algorithm::EdDSA, KeyProvider::Eddsa),
    ] {
        realm.admin().add_key_provider(realm.name(), key, 200).await?;
        let setting = json!({ "defaultSignatureAlgorithm": algorithm.name() });
        realm.admin().update_realm(realm.name(), &setting).await?;
        accepted_where_configured(&realm, &usual, algorithm)
            .await
            .with_context(|| algorithm.name())?;
    }
    Ok(())
}

async fn accepted_where_configured(realm: &Realm, usual: &str, algorithm: Algorithm) -> Result<()> {
    let alice = realm.login("orders-web", "alice").await?.access;
    let dave = realm.login("orders-web", "dave").await?.access;
    assert_eq!(header_of(&alice)["alg"], algorithm.name());

    let by_default = service(builder(realm)).await;
    assert_admitted(&by_default.get_as("/admin", usual).await, "alice");
    assert_invalid_token(&by_default.get_as("/admin", &alice).await, "invalid_algorithm");
    let configured = service(builder(realm).algorithms([algorithm])).await;
    assert_admitted(&configured.get_as("/admin", &alice).await, "alice");
    assert_denied(&configured.get_as("/admin", &dave).await, "missing_roles", None);
    assert_invalid_token(&configured.get_as("/admin", usual).await, "invalid_algorithm");
    let both = service(builder(realm).algorithms([Algorithm::RS256, algorithm])).await;
    for token in [usual, &alice] {
        assert_admitted(&both.get_as("/admin", token).await, "alice");
    }
    Ok(())
}
