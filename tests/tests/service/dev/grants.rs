//! Tokens by password, by client credentials and by exchange.

use std::collections::BTreeMap;

use keycloak_auth::{AuthError, Keycloak};
use keycloak_auth_tests::{SigningKey, claims_of, dpop_proof};
use reqwest::Method;
use serde_json::json;

use super::{Client, Reply, client::steady};

const API: (&str, &str) = ("orders-api", "orders-api-secret");

#[tokio::test]
async fn the_library_accepts_its_tokens() {
    let client = Client::acme().await;
    let keycloak = Keycloak::builder()
        .server_url(client.realm.server_url())
        .realm(client.realm.realm().name())
        .client_id("orders-api")
        .audience("orders-api")
        .build()
        .unwrap();
    let answer = client.password("orders-web", "bob", "").await;
    let user = keycloak
        .authenticate(answer["access_token"].as_str().unwrap())
        .await
        .unwrap();
    assert_eq!(user.username(), Some("bob"));
    assert!(user.has_role("staff") && user.has_role("clerk") && user.has_role("orders:read"));
    assert!(user.in_group("/ops/oncall") && !user.in_group("/ops"));
    let refresh = answer["refresh_token"].as_str().unwrap();
    let error = keycloak.authenticate(refresh).await.unwrap_err();
    assert!(matches!(error, AuthError::InvalidToken(_)), "{error:?}");
}

#[tokio::test]
async fn access_tokens_carry_what_keycloak_puts_in() {
    let client = Client::acme().await;
    assert_eq!(
        steady(client.claims("orders-web", "bob", "openid microprofile-jwt").await),
        json!({
            "typ": "Bearer",
            "azp": "orders-web",
            "aud": "orders-api",
            "sub": "d333292a-e37c-5ec9-b155-e3e0446a1409",
            "acr": "1",
            "allowed-origins": ["*"],
            "scope": "openid profile email microprofile-jwt",
            "realm_access": { "roles": ["clerk", "staff"] },
            "resource_access": { "orders-api": { "roles": ["orders:read"] } },
            // Group paths and, by the scope for it, roles.
            "groups": ["clerk", "staff", "/ops/oncall"],
            "upn": "bob",
            "preferred_username": "bob",
            "name": "Bob Clerk",
            "given_name": "Bob",
            "family_name": "Clerk",
            "email": "bob@acme.test",
            "email_verified": true,
        })
    );
    // Without a role of the realm, and with one of a client that nobody asked for.
    let carol = client.claims("orders-web", "carol", "").await;
    assert_eq!(carol["aud"], json!(["billing-api", "orders-api"]));
    let dave = client.claims("orders-web", "dave", "").await;
    assert_eq!((dave.get("realm_access"), dave.get("groups")), (None, None));
}

#[tokio::test]
async fn a_service_account_has_no_session() {
    let client = Client::acme().await;
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", "orders-worker"),
        ("client_secret", "orders-worker-secret"),
    ];
    let answer = client.token(&form).await.ok();
    assert_eq!(
        (&answer["refresh_expires_in"], answer.get("refresh_token")),
        (&json!(0), None)
    );
    let claims = claims_of(answer["access_token"].as_str().unwrap());
    assert_eq!(claims.get("sid"), None);
    assert_eq!(claims["preferred_username"], "service-account-orders-worker");
    assert_eq!(
        claims["resource_access"],
        json!({ "orders-api": { "roles": ["orders:read", "orders:write"] } })
    );
    assert!(claims["jti"].as_str().unwrap().starts_with("trrtcc:"));

    // An account that is not in the file has what every new user has.
    let request = client.request(Method::POST, &client.endpoint("token"));
    let request = request
        .basic_auth(API.0, Some(API.1))
        .form(&[("grant_type", "client_credentials")]);
    let claims = claims_of(Reply::of(request).await.ok()["access_token"].as_str().unwrap());
    assert_eq!(
        claims["realm_access"]["roles"],
        json!(["default-roles-acme", "offline_access", "uma_authorization"])
    );
    assert_eq!(
        (&claims["aud"], &claims["client_id"]),
        (&json!("account"), &json!("orders-api"))
    );
}

#[tokio::test]
async fn a_lightweight_token_says_little_and_introspection_all() {
    let client = Client::acme().await;
    let answer = client.password("orders-light", "alice", "").await;
    let token = &answer["access_token"];
    assert_eq!(
        steady(claims_of(token.as_str().unwrap())),
        json!({ "typ": "Bearer", "azp": "orders-light", "aud": "orders-api", "scope": "profile email" })
    );
    let claims = client.introspect(API.0, API.1, token).await;
    assert_eq!(
        (&claims["active"], &claims["username"]),
        (&json!(true), &json!("alice"))
    );
    assert_eq!(claims["realm_access"], json!({ "roles": ["admin"] }));
    // A token is active only for those whom it is meant for.
    let other = client.password("admin-cli", "alice", "").await;
    let claims = client.introspect(API.0, API.1, &other["access_token"]).await;
    assert_eq!(claims, json!({ "active": false }));
}

#[tokio::test]
async fn an_exchanged_token_does_not_name_its_client() {
    let client = Client::acme().await;
    let exchange = async |user: &str, changed: &[(&str, &str)]| {
        let subject = client.password("orders-web", user, "").await;
        let mut form = BTreeMap::from([
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("client_id", API.0),
            ("client_secret", API.1),
            ("subject_token", subject["access_token"].as_str().unwrap()),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ]);
        form.extend(changed.iter().copied());
        client.token(&form.into_iter().collect::<Vec<_>>()).await
    };
    let claims = claims_of(exchange("alice", &[]).await.ok()["access_token"].as_str().unwrap());
    assert_eq!((claims.get("aud"), &claims["azp"]), (None, &json!("orders-api")));
    let claims = exchange("carol", &[("audience", "billing-api")]).await.ok();
    let claims = claims_of(claims["access_token"].as_str().unwrap());
    assert_eq!(claims["aud"], "billing-api");
    assert_eq!(
        claims["resource_access"],
        json!({ "billing-api": { "roles": ["admin"] } })
    );
    // A token that was not meant for this client is none of its business.
    let other = client.password("admin-cli", "alice", "").await;
    let reply = exchange("alice", &[("subject_token", other["access_token"].as_str().unwrap())]).await;
    let expected = json!({
        "error": "access_denied", "error_description": "Client is not within the token audience",
    });
    assert_eq!((reply.status, reply.json()), (403, expected));
    for (audience, error, description) in [
        (
            "orders-api",
            "invalid_request",
            "Requested audience not available: orders-api",
        ),
        ("nobody", "invalid_client", "Audience not found"),
    ] {
        let reply = exchange("alice", &[("audience", audience)]).await;
        let expected = json!({ "error": error, "error_description": description });
        assert_eq!((reply.status, reply.json()), (400, expected));
    }
}

#[tokio::test]
async fn a_proof_binds_a_token_once() {
    let client = Client::acme().await;
    let key = SigningKey::es256("proof");
    let url = client.endpoint("token");
    let form = [
        ("grant_type", "password"),
        ("client_id", "orders-dpop"),
        ("username", "bob"),
        ("password", "bob"),
    ];
    let send =
        async |proof: &str| Reply::of(client.request(Method::POST, &url).header("DPoP", proof).form(&form)).await;
    let proof = dpop_proof(&key, "POST", &url, &json!({}));
    let answer = send(&proof).await.ok();
    assert_eq!(answer["token_type"], "DPoP");
    let claims = claims_of(answer["access_token"].as_str().unwrap());
    assert_eq!(
        (&claims["typ"], &claims["cnf"]["kc-jkt-type"]),
        (&json!("DPoP"), &json!("DPoP"))
    );
    assert_eq!(claims["cnf"]["jkt"].as_str().map(str::len), Some(43));
    for (proof, description) in [
        (proof.clone(), "DPoP proof has already been used"),
        (dpop_proof(&key, "GET", &url, &json!({})), "DPoP HTTP method mismatch"),
        (
            dpop_proof(&key, "POST", "https://other.test/", &json!({})),
            "DPoP HTTP URL mismatch",
        ),
        (
            dpop_proof(&key, "POST", &url, &json!({ "iat": 7 })),
            "DPoP proof is not active",
        ),
        (
            dpop_proof(&key, "POST", &url, &json!({ "jti": null })),
            "DPoP mandatory claims are missing",
        ),
        (
            format!("{}A", &proof[..proof.len() - 4]),
            "DPoP verification failure: Invalid token signature",
        ),
    ] {
        let reply = send(&proof).await;
        let expected = json!({ "error": "invalid_request", "error_description": description });
        assert_eq!((reply.status, reply.json()), (400, expected));
    }
}
