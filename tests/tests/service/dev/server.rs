//! The server itself: its metadata, its keys, its address and its end.

use std::time::Duration;

use keycloak_auth::jose::KeySet;
use keycloak_auth_tests::{ACME, Logs};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};

use super::{Client, Reply};

#[tokio::test]
async fn metadata_names_endpoints_below_the_issuer() {
    let client = Client::acme().await;
    let issuer = client.realm.issuer();
    assert_eq!(issuer, format!("{}/realms/acme", client.realm.server_url()));
    let metadata = client
        .get(&format!("{issuer}/.well-known/openid-configuration"))
        .await
        .ok();
    assert_eq!(metadata["issuer"], issuer);
    for (name, value) in metadata.as_object().unwrap() {
        if name.ends_with("_endpoint") || name == "jwks_uri" {
            let address = value.as_str().unwrap();
            assert!(
                address.starts_with(&format!("{issuer}/protocol/openid-connect/")),
                "{name}"
            );
            let reply = Reply::of(client.request(Method::OPTIONS, address)).await;
            assert_eq!(reply.status, 200, "{name}");
        }
    }
}

#[tokio::test]
async fn keys_are_those_that_the_realm_asks_for() {
    let client = Client::variety().await;
    let reply = client.get(&client.endpoint("certs")).await;
    assert_eq!(reply.header("cache-control"), Some("no-cache"));
    let keys = reply.ok();
    let kinds: Vec<_> = (keys["keys"].as_array().unwrap().iter())
        .map(|key| {
            (
                key["kty"].as_str().unwrap(),
                key["alg"].as_str().unwrap(),
                key["use"].as_str().unwrap(),
            )
        })
        .collect();
    let expected = [
        ("RSA", "RS256", "sig"),
        ("EC", "ES256", "sig"),
        ("OKP", "EdDSA", "sig"),
        ("RSA", "RSA-OAEP", "enc"),
    ];
    assert_eq!(kinds, expected);
    let key_set = KeySet::parse(keys.to_string()).unwrap();
    let answer = client.password("elliptic", "erin", "openid").await;
    for (token, algorithm) in [("access_token", "ES256"), ("id_token", "EdDSA")] {
        let token = answer[token].as_str().unwrap();
        key_set.verify(token).unwrap();
        let header = keycloak_auth_tests::base64url_decode(token.split('.').next().unwrap());
        let header: Value = serde_json::from_slice(&header).unwrap();
        assert_eq!((&header["alg"], &header["typ"]), (&json!(algorithm), &json!("JWT")));
    }
}

#[tokio::test]
async fn tokens_before_the_not_before_of_the_realm_are_dead() {
    let mut file = ACME.clone();
    file["notBefore"] = json!(keycloak_auth_tests::now() + 1000);
    let client = Client::serve(&file.to_string()).await;
    let answer = client.password("orders-web", "alice", "").await;
    assert_eq!(answer["not-before-policy"], file["notBefore"]);
    let claims = client
        .introspect("orders-api", "orders-api-secret", &answer["access_token"])
        .await;
    assert_eq!(claims, json!({ "active": false }));
    let token = answer["refresh_token"].as_str().unwrap();
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", "orders-web"),
        ("refresh_token", token),
    ];
    assert_eq!(client.token(&form).await.json()["error_description"], "Stale token");
}

#[tokio::test]
async fn the_issuer_has_the_name_by_which_the_server_was_reached() {
    let client = Client::acme().await;
    let url = client.realm.server_url().replace("127.0.0.1", "localhost");
    let metadata = format!(
        "{}/realms/acme/.well-known/openid-configuration",
        client.realm.server_url()
    );
    let host = url.strip_prefix("http://").unwrap();
    let request = client.request(Method::GET, &metadata).header("host", host);
    assert_eq!(Reply::of(request).await.ok()["issuer"], format!("{url}/realms/acme"));
    // A page on the Internet that lets its name point here learns nothing.
    let request = client
        .request(Method::GET, &metadata)
        .header("host", "evil.example.com");
    assert_eq!(Reply::of(request).await.status, 403);
}

#[tokio::test]
async fn the_server_ends_with_its_last_handle() {
    let client = Client::acme().await;
    let realm = client.realm.clone();
    let address = realm.server_url().strip_prefix("http://").unwrap().to_owned();
    drop(client);
    assert!(TcpStream::connect(&address).await.is_ok());
    drop(realm);
    let ended = async {
        while TcpStream::connect(&address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(5), ended)
        .await
        .expect("nobody listens any more");
}

#[tokio::test]
async fn closing_ends_the_server_whoever_has_a_handle() {
    let client = Client::acme().await;
    let realm = client.realm.clone();
    let address = realm.server_url().strip_prefix("http://").unwrap().to_owned();
    client.get(&client.endpoint("certs")).await.ok();
    client.realm.close().await;
    assert!(TcpStream::connect(&address).await.is_err());
    realm.close().await;
}

#[tokio::test]
async fn the_log_says_that_it_is_for_development_and_what_it_cannot_do() {
    let logs = Logs::capture();
    let mut file = ACME.clone();
    file["rememberMe"] = json!(true);
    let _client = Client::serve(&file.to_string()).await;
    let text = logs.text();
    assert!(text.contains("for development only"), "{text}");
    assert!(
        text.contains("rememberMe: the login page does not offer to remember a user"),
        "{text}"
    );
    assert!(!text.contains("orders-api-secret"), "{text}");
}
