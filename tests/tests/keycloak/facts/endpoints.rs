//! What the endpoints answer: discovery, key set, introspection.

use std::{collections::BTreeSet, sync::Arc};

use anyhow::{Context as _, Result};
use keycloak_auth_tests::{KeyProvider, Keycloak, claims_of, header_of, http_client, suite};
use serde_json::{Value, json};

use super::{alice, strings, words};

pub(super) fn tests() -> Vec<suite::Test> {
    vec![
        suite::test("facts::discovery_names_the_issuer_and_endpoints_below_it", discovery),
        suite::test(
            "facts::the_key_set_has_an_encryption_key_beside_the_signing_key",
            the_key_set,
        ),
        suite::test(
            "facts::a_new_key_signs_at_once_and_the_old_one_stays_published",
            a_new_key,
        ),
        suite::test(
            "facts::introspection_adds_to_the_claims_and_changes_none",
            introspection,
        ),
        suite::test(
            "facts::introspection_answers_garbage_and_a_wrong_secret",
            introspection_of_garbage,
        ),
        suite::test(
            "facts::introspection_calls_id_and_refresh_tokens_inactive",
            introspection_of_other_tokens,
        ),
        suite::test(
            "facts::introspection_is_for_clients_in_the_audience_alone",
            introspection_by_a_stranger,
        ),
    ]
}

async fn discovery(keycloak: Arc<Keycloak>) -> Result<()> {
    let issuer = keycloak.realm().issuer();
    let url = format!("{issuer}/.well-known/openid-configuration");
    let document: Value = http_client().get(url).send().await?.json().await?;
    assert_eq!(document["issuer"], json!(issuer));
    for (member, path) in [
        ("jwks_uri", "certs"),
        ("introspection_endpoint", "token/introspect"),
        ("token_endpoint", "token"),
        ("authorization_endpoint", "auth"),
    ] {
        let expected = format!("{issuer}/protocol/openid-connect/{path}");
        assert_eq!(document[member], json!(expected), "{member}");
    }
    assert!(strings(&document["code_challenge_methods_supported"]).contains("S256"));
    Ok(())
}

async fn the_key_set(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let set = realm.key_set().await?;
    let keys = set["keys"].as_array().context("a key set has keys")?;
    let uses: BTreeSet<_> = keys
        .iter()
        .map(|key| (key["alg"].as_str(), key["use"].as_str()))
        .collect();
    assert_eq!(
        uses,
        BTreeSet::from([(Some("RS256"), Some("sig")), (Some("RSA-OAEP"), Some("enc"))])
    );
    let kids: BTreeSet<_> = keys.iter().map(|key| key["kid"].as_str()).collect();
    assert!(kids.len() == 2 && !kids.contains(&None), "{kids:?}");
    Ok(())
}

async fn a_new_key(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm_of_its_own("facts-keys").await?;
    let old = header_of(&alice(&realm).await?.access)["kid"].clone();
    realm
        .admin()
        .add_key_provider(realm.name(), KeyProvider::Rsa("RS256"), 200)
        .await?;
    realm
        .admin()
        .add_key_provider(realm.name(), KeyProvider::Eddsa, 200)
        .await?;
    realm
        .admin()
        .add_key_provider(realm.name(), KeyProvider::Ecdsa("ES256"), 200)
        .await?;
    let new = header_of(&alice(&realm).await?.access)["kid"].clone();
    assert_ne!(new, old);
    let set = realm.key_set().await?;
    let keys = set["keys"].as_array().context("a key set has keys")?;
    for kid in [&old, &new] {
        assert!(keys.iter().any(|key| key["kid"] == *kid), "{kid} in {set}");
    }
    let curves: BTreeSet<_> = keys
        .iter()
        .filter_map(|key| Some((key["alg"].as_str()?, key["crv"].as_str()?)))
        .collect();
    assert_eq!(curves, BTreeSet::from([("ES256", "P-256"), ("EdDSA", "Ed25519")]));
    Ok(())
}

async fn introspection(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    for user in ["alice", "bob", "carol", "dave"] {
        let token = realm.login("orders-web", user).await?.access;
        let mut answer = realm.introspect("orders-api", &token).await?;
        let added = answer.as_object_mut().context("a JSON object")?;
        assert_eq!(added.remove("active"), Some(json!(true)));
        assert_eq!(added.remove("client_id"), Some(json!("orders-web")));
        assert_eq!(added.remove("username"), Some(json!(user)));
        assert_eq!(added.remove("token_type"), Some(json!("Bearer")));
        assert_eq!(comparable(answer), comparable(claims_of(&token)));
    }
    Ok(())
}

/// Lists as sets: their order varies from token to token.
fn comparable(mut claims: Value) -> Value {
    let sort = |list: &mut Value| {
        if let Some(list) = list.as_array_mut() {
            list.sort_by_key(Value::to_string);
        }
    };
    for name in ["aud", "groups", "allowed-origins"] {
        sort(&mut claims[name]);
    }
    sort(&mut claims["realm_access"]["roles"]);
    if let Some(scope) = claims["scope"].as_str() {
        claims["scope"] = json!(words(&json!(scope)));
    }
    claims
}

async fn introspection_of_garbage(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let inactive = json!({ "active": false });
    assert_eq!(realm.introspect("orders-api", "garbage").await?, inactive);
    let url = format!("{}/protocol/openid-connect/token/introspect", realm.issuer());
    let token = realm.login("orders-web", "alice").await?.access;
    let form = [
        ("client_id", "orders-api"),
        ("client_secret", "wrong"),
        ("token", &token),
    ];
    let answer = http_client().post(url).form(&form).send().await?;
    assert_eq!(answer.status(), 401);
    let body: Value = answer.json().await?;
    assert_eq!(body["error"], "invalid_client");
    Ok(())
}

/// The runtime hands each token to the introspection endpoint as an access token, whatever it is.
async fn introspection_of_other_tokens(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let inactive = json!({ "active": false });
    let tokens = alice(realm).await?;
    for (kind, token) in [("ID", tokens.id), ("refresh", tokens.refresh)] {
        let token = token.with_context(|| format!("no {kind} token"))?;
        assert_eq!(realm.introspect("orders-api", &token).await?, inactive, "{kind}");
    }
    Ok(())
}

/// So a service that introspects must be in the audience, even where it does not check that itself.
async fn introspection_by_a_stranger(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let inactive = json!({ "active": false });
    let token = realm.login("orders-web", "bob").await?.access;
    assert_eq!(realm.introspect("orders-api", &token).await?["active"], true);
    assert_eq!(realm.introspect("orders-worker", &token).await?, inactive);
    let exchanged = realm.grant("orders-api").exchange(&token).send().await?.access;
    assert_eq!(realm.introspect("orders-api", &exchanged).await?, inactive);
    Ok(())
}
