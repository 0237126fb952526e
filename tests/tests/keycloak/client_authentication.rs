//! Every way to authenticate as a client, for introspection and at the token endpoint.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use keycloak_auth::{
    Algorithm, AuthError, CheckStatus, ClientAuthentication, Introspection, KeycloakBuilder, OAuthError,
};
use keycloak_auth_tests::{ACME, Keycloak, Realm, Service, SigningKey, rsa_key, suite};
use serde_json::{Value, json};

use crate::{
    answers::{assert_admitted, assert_unavailable},
    setup::{builder, routes},
};

pub fn tests() -> Vec<suite::Test> {
    vec![
        suite::test("client_authentication::by_a_secret_in_header_or_form", by_secret),
        suite::test(
            "client_authentication::by_a_jwt_for_a_certificate",
            by_jwt_for_a_certificate,
        ),
        suite::test("client_authentication::by_a_jwt_for_a_key_set", by_jwt_for_a_key_set),
        suite::https_test("client_authentication::by_a_certificate", by_certificate),
        suite::test(
            "client_authentication::with_another_key_nobody_is_let_in",
            with_another_key,
        ),
        suite::test(
            "client_authentication::a_jwt_is_for_the_issuer_that_keycloak_names",
            for_the_issuer_that_keycloak_names,
        ),
    ]
}

fn by(realm: &Realm, authentication: impl Into<ClientAuthentication>) -> KeycloakBuilder {
    builder(realm)
        .client_authentication(authentication)
        .introspection(Introspection::Always)
}

/// The realm in which `orders-api` authenticates by a signed JWT.
async fn realm_with_jwt(keycloak: &Keycloak, label: &str, attributes: Value) -> Result<Realm> {
    realm_with(keycloak, label, "client-jwt", attributes).await
}

/// The realm in which `orders-api` authenticates in this way.
async fn realm_with(keycloak: &Keycloak, label: &str, authenticator: &str, attributes: Value) -> Result<Realm> {
    let mut file = ACME.clone();
    let clients = file["clients"].as_array_mut().context("clients")?;
    let client = clients.iter_mut().find(|client| client["clientId"] == "orders-api");
    let client = client.context("no `orders-api`")?;
    client["clientAuthenticatorType"] = json!(authenticator);
    for (name, value) in attributes.as_object().into_iter().flatten() {
        client["attributes"][name] = value.clone();
    }
    client.as_object_mut().context("an object")?.remove("secret");
    keycloak.import(&file, label).await
}

/// Asks about a token, gets tokens, and asks for a diagnosis.
async fn assert_accepted(realm: &Realm, builder: KeycloakBuilder, method: &str) -> Result<()> {
    let keycloak = builder.build()?;
    let service = Service::start(routes().secure_with(keycloak.clone())).await;
    for user in ["alice", "bob"] {
        let token = realm.login("orders-web", user).await?.access;
        assert_admitted(&service.get_as("/me", &token).await, user);
        let exchanged = keycloak.exchange_token(&token).await?;
        assert_eq!(exchanged.token_type, "Bearer");
    }
    assert!(!keycloak.client_credentials().await?.access_token.is_empty());
    let report = keycloak.diagnose().await;
    let check = report.check("client").context("no check of the client")?;
    assert_eq!(check.status, CheckStatus::Ok, "{report}");
    assert!(check.finding.contains(method), "{report}");
    Ok(())
}

async fn by_secret(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let secret = realm.client_secret("orders-api").context("no secret")?;
    let basic = ClientAuthentication::client_secret_basic(secret);
    assert_accepted(realm, by(realm, basic), "client_secret_basic").await?;
    let post = ClientAuthentication::client_secret_post(secret);
    assert_accepted(realm, by(realm, post), "client_secret_post").await
}

async fn by_jwt_for_a_certificate(keycloak: Arc<Keycloak>) -> Result<()> {
    let key = rsa_key(3);
    let certificate = json!({ "jwt.credential.certificate": key.certificate() });
    let realm = realm_with_jwt(&keycloak, "jwt-certificate", certificate).await?;
    let authentication = ClientAuthentication::private_key_jwt(key.private_pem());
    assert_accepted(&realm, by(&realm, authentication), "private_key_jwt").await
}

async fn by_jwt_for_a_key_set(keycloak: Arc<Keycloak>) -> Result<()> {
    let rsa = rsa_key(3).with_algorithm("PS256").with_kid("ps");
    let keys = [
        rsa,
        SigningKey::es256("es"),
        SigningKey::es384("es384"),
        SigningKey::ed25519("ed"),
    ];
    let key_set = json!({ "keys": keys.iter().map(SigningKey::jwk).collect::<Vec<_>>() });
    let attributes = json!({ "use.jwks.string": "true", "jwks.string": key_set.to_string() });
    let realm = realm_with_jwt(&keycloak, "jwt-key-set", attributes).await?;
    for key in &keys {
        let algorithm: Algorithm = key.algorithm().parse()?;
        let authentication = ClientAuthentication::private_key_jwt(key.private_pem())
            .algorithm(algorithm)
            .key_id(key.kid());
        assert_accepted(&realm, by(&realm, authentication), "private_key_jwt").await?;
    }
    Ok(())
}

async fn by_certificate(keycloak: Arc<Keycloak>) -> Result<()> {
    let https = keycloak.https().await.context("no https")?;
    let subject = json!({ "x509.subjectdn": "CN=orders-api" });
    let realm = realm_with(&keycloak, "certificate", "client-x509", subject).await?;
    let realm = realm.over_https(&https)?;
    let with = |certificate: String| {
        by(&realm, ClientAuthentication::tls_client_auth())
            .root_certificates(https.authority.pem())
            .client_certificate(certificate)
    };
    let certificate = https.authority.client_pem("orders-api");
    assert_accepted(&realm, with(certificate), "tls_client_auth").await?;
    let other = with(https.authority.client_pem("orders-worker")).build()?;
    let report = other.diagnose().await;
    let first = report.to_string().lines().next().unwrap_or_default().to_owned();
    assert_eq!(
        first,
        "FAILED: client: Keycloak does not accept the client `orders-api` by `tls_client_auth`"
    );
    Ok(())
}

async fn with_another_key(keycloak: Arc<Keycloak>) -> Result<()> {
    let certificate = json!({ "jwt.credential.certificate": rsa_key(3).certificate() });
    let realm = realm_with_jwt(&keycloak, "jwt-another-key", certificate).await?;
    let authentication = ClientAuthentication::private_key_jwt(rsa_key(2).private_pem());
    let keycloak = by(&realm, authentication).build()?;
    let service = Service::start(routes().secure_with(keycloak.clone())).await;
    let token = realm.login("orders-web", "alice").await?.access;
    assert_unavailable(&service.get_as("/me", &token).await, "introspection_service_error");
    let report = keycloak.diagnose().await;
    let first = report.to_string().lines().next().unwrap_or_default().to_owned();
    assert_eq!(
        first,
        "FAILED: client: Keycloak does not accept the client `orders-api` by `private_key_jwt`"
    );
    Ok(())
}

/// Where several issuers are accepted, the one that the discovery document names is whom the assertion is for.
async fn for_the_issuer_that_keycloak_names(keycloak: Arc<Keycloak>) -> Result<()> {
    let key = rsa_key(3);
    let certificate = json!({ "jwt.credential.certificate": key.certificate() });
    let realm = realm_with_jwt(&keycloak, "jwt-issuer", certificate).await?;
    let builder = by(&realm, ClientAuthentication::private_key_jwt(key.private_pem()))
        .issuer("https://id.example.com/realms/acme")
        .issuer(realm.issuer());
    assert!(
        !builder
            .clone()
            .build()?
            .client_credentials()
            .await?
            .access_token
            .is_empty()
    );
    // Without the document it is the first one, for which Keycloak does not hold itself.
    let endpoint = format!("{}/protocol/openid-connect/token", realm.issuer());
    let keycloak = builder.token_endpoint(endpoint).build()?;
    match keycloak.client_credentials().await {
        Err(AuthError::TokenRefused(refusal)) => assert_eq!(refusal.error(), OAuthError::InvalidClient),
        other => panic!("{other:?}"),
    }
    Ok(())
}
