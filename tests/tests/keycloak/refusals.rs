//! Genuine tokens of Keycloak that are not acceptable here, and tokens that were tampered with.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use keycloak_auth_tests::{
    Keycloak, Proxy, Realm, Service, SigningKey, base64url, claims_of, header_of, rsa_key, suite,
};
use serde_json::json;

use crate::{
    answers::{assert_admitted, assert_invalid_token},
    setup::{builder, clock, introspecting, service, without_audience},
};

const JWKS: &str = "/protocol/openid-connect/certs";

pub fn tests() -> Vec<suite::Test> {
    vec![
        suite::test("refusals::an_id_token", an_id_token),
        suite::test("refusals::a_refresh_token_without_a_key_fetch", a_refresh_token),
        suite::test("refusals::a_token_bound_by_dpop", a_bound_token),
        suite::test("refusals::an_exchanged_token_without_audience", an_exchanged_token),
        suite::test("refusals::a_token_for_another_audience", another_audience),
        suite::test("refusals::a_token_of_another_realm", another_realm),
        suite::test(
            "refusals::a_token_of_another_realm_with_the_same_key",
            another_realm_with_the_same_key,
        ),
        suite::test("refusals::a_token_with_changed_claims", changed_claims),
        suite::test("refusals::a_token_of_another_address_of_the_server", another_address),
    ]
}

/// A service that validates by keys, and one that introspects.
async fn both(realm: &Realm) -> [Service; 2] {
    [service(builder(realm)).await, service(introspecting(realm)).await]
}

async fn an_id_token(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let tokens = realm
        .grant("orders-web")
        .password("alice")
        .scope("openid")
        .send()
        .await?;
    let id = tokens.id.context("no ID token")?;
    // Its audience is the client that logged in: even a service that takes that one refuses the token by its type.
    let audience = service(without_audience(realm).audience("orders-web")).await;
    let any_audience = service(without_audience(realm).without_audience_check()).await;
    let [local, introspecting] = both(realm).await;
    for service in [&local, &audience, &any_audience] {
        assert_invalid_token(&service.get_as("/me", &id).await, "invalid_token_type");
    }
    assert_invalid_token(&introspecting.get_as("/me", &id).await, "invalid_token_type");
    assert_admitted(&any_audience.get_as("/me", &tokens.access).await, "alice");
    Ok(())
}

async fn a_refresh_token(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let tokens = realm.login("orders-web", "alice").await?;
    let refresh = tokens.refresh.context("no refresh token")?;
    let proxy = Proxy::start().await;
    let clock = clock();
    let validating = service(builder(realm).proxy(proxy.url()).clock(clock.clone())).await;
    assert_invalid_token(&validating.get_as("/me", &refresh).await, "invalid_algorithm");
    assert_eq!(proxy.requests_to(""), 0, "before there are keys");
    assert_admitted(&validating.get_as("/me", &tokens.access).await, "alice");
    assert_eq!(proxy.requests_to(JWKS), 1, "the proxy sees the fetch of the keys");
    for _ in 0..3 {
        // Past the cooldown, so that a fetch would be allowed.
        clock.advance(Duration::from_secs(31));
        assert_invalid_token(&validating.get_as("/me", &refresh).await, "invalid_algorithm");
    }
    assert_eq!(proxy.requests_to(JWKS), 1);
    let introspecting = service(introspecting(realm)).await;
    assert_invalid_token(&introspecting.get_as("/me", &refresh).await, "invalid_algorithm");
    Ok(())
}

async fn a_bound_token(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let key = SigningKey::es256("proof");
    let token = realm
        .grant("orders-dpop")
        .password("alice")
        .dpop(&key)
        .send()
        .await?
        .access;
    assert_eq!(claims_of(&token)["cnf"]["jkt"].as_str().map(str::len), Some(43));
    for service in both(realm).await {
        assert_invalid_token(&service.get_as("/me", &token).await, "sender_constrained_token");
    }
    Ok(())
}

async fn an_exchanged_token(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let alice = realm.login("orders-web", "alice").await?.access;
    let exchanged = realm.grant("orders-api").exchange(&alice).send().await?.access;
    assert_eq!(claims_of(&exchanged)["azp"], "orders-api");
    let [validating, introspecting] = both(realm).await;
    for (service, code) in [(validating, "missing_claim"), (introspecting, "token_inactive")] {
        assert_admitted(&service.get_as("/me", &alice).await, "alice");
        assert_invalid_token(&service.get_as("/me", &exchanged).await, code);
    }
    Ok(())
}

async fn another_audience(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let service = service(without_audience(realm).audience("billing-api").audience("orders")).await;
    let alice = realm.login("orders-web", "alice").await?.access;
    assert_eq!(claims_of(&alice)["aud"], "orders-api");
    assert_invalid_token(&service.get_as("/me", &alice).await, "invalid_claims");
    let carol = realm.login("orders-web", "carol").await?.access;
    assert_admitted(&service.get_as("/me", &carol).await, "carol");
    Ok(())
}

async fn another_realm(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let other = keycloak.realm_of_its_own("other").await?;
    let own = realm.login("orders-web", "alice").await?.access;
    let foreign = other.login("orders-web", "alice").await?.access;
    let [validating, introspecting] = both(realm).await;
    for (service, code) in [(validating, "unknown_kid"), (introspecting, "invalid_claims")] {
        assert_admitted(&service.get_as("/admin", &own).await, "alice");
        assert_invalid_token(&service.get_as("/admin", &foreign).await, code);
    }
    let [validating, introspecting] = both(&other).await;
    for (service, code) in [(validating, "unknown_kid"), (introspecting, "invalid_claims")] {
        assert_admitted(&service.get_as("/admin", &foreign).await, "alice");
        assert_invalid_token(&service.get_as("/admin", &own).await, code);
    }
    Ok(())
}

/// As after a realm was copied: only the issuer tells the two apart.
async fn another_realm_with_the_same_key(keycloak: Arc<Keycloak>) -> Result<()> {
    let [one, other] = [
        keycloak.realm_of_its_own("twin-one").await?,
        keycloak.realm_of_its_own("twin-other").await?,
    ];
    let key = rsa_key(3).private_pem();
    for realm in [&one, &other] {
        realm.admin().import_key(realm.name(), &key, 200).await?;
    }
    let own = one.login("orders-web", "alice").await?.access;
    let foreign = other.login("orders-web", "alice").await?.access;
    assert_eq!(header_of(&own), header_of(&foreign));
    let service = service(builder(&one)).await;
    assert_admitted(&service.get_as("/admin", &own).await, "alice");
    assert_invalid_token(&service.get_as("/admin", &foreign).await, "invalid_claims");
    Ok(())
}

async fn changed_claims(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let service = service(builder(realm)).await;
    let dave = realm.login("orders-web", "dave").await?.access;
    assert_admitted(&service.get_as("/me", &dave).await, "dave");
    let mut claims = claims_of(&dave);
    claims["realm_access"] = json!({ "roles": ["admin"] });
    let parts: Vec<&str> = dave.split('.').collect();
    let forged = [parts[0], &base64url(claims.to_string()), parts[2]].join(".");
    let alice = realm.login("orders-web", "alice").await?.access;
    let spliced = [parts[0], parts[1], alice.rsplit('.').next().context("a signature")?].join(".");
    for token in [forged, spliced] {
        assert_invalid_token(&service.get_as("/admin", &token).await, "invalid_signature");
    }
    Ok(())
}

/// Keycloak names itself as it was called; a service that calls it otherwise has to be told.
async fn another_address(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let service = service(
        builder(realm)
            .issuer("https://id.example.com/realms/acme")
            .jwks_uri(format!("{}{JWKS}", realm.issuer())),
    )
    .await;
    let token = realm.login("orders-web", "alice").await?.access;
    assert_invalid_token(&service.get_as("/me", &token).await, "invalid_claims");
    Ok(())
}
