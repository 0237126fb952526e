//! Refreshing.

use keycloak_auth_tests::claims_of;
use serde_json::{Value, json};

use super::{Client, Reply};

async fn refresh(client: &Client, client_id: &str, token: &Value, changed: &[(&str, &str)]) -> Reply {
    let token = token.as_str().expect("a refresh token");
    let form = [
        &[
            ("grant_type", "refresh_token"),
            ("client_id", client_id),
            ("refresh_token", token),
        ],
        changed,
    ]
    .concat();
    client.token(&form).await
}

#[tokio::test]
async fn every_refresh_gives_a_new_refresh_token() {
    let client = Client::acme().await;
    let first = client.password("orders-web", "bob", "openid microprofile-jwt").await;
    assert_eq!(first["refresh_expires_in"], 1800);
    let second = refresh(&client, "orders-web", &first["refresh_token"], &[]).await.ok();
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    assert_eq!(first["session_state"], second["session_state"]);
    let claims = claims_of(second["refresh_token"].as_str().unwrap());
    assert_eq!(
        (&claims["typ"], &claims["aud"]),
        (&json!("Refresh"), &json!(client.realm.issuer()))
    );
    // Less for once, and all of it again.
    let less = refresh(&client, "orders-web", &second["refresh_token"], &[("scope", "openid")])
        .await
        .ok();
    assert_eq!(less["scope"], "openid profile email");
    let all = refresh(&client, "orders-web", &less["refresh_token"], &[]).await.ok();
    assert_eq!(all["scope"], "openid profile email microprofile-jwt");
    // Never more.
    let more = refresh(
        &client,
        "orders-web",
        &all["refresh_token"],
        &[("scope", "openid phone")],
    )
    .await
    .ok();
    assert_eq!(more["scope"], "openid profile email");
}

#[tokio::test]
async fn a_refresh_token_is_for_its_client() {
    let client = Client::acme().await;
    let answer = client.password("orders-web", "bob", "").await;
    let reply = refresh(&client, "orders-light", &answer["refresh_token"], &[]).await;
    let description = "Invalid refresh token. Token client and authorized client don't match";
    assert_eq!(
        reply.json(),
        json!({ "error": "invalid_grant", "error_description": description })
    );
    let reply = refresh(&client, "orders-web", &answer["access_token"], &[]).await;
    let expected = json!({ "error": "invalid_grant", "error_description": "Invalid refresh token" });
    assert_eq!((reply.status, reply.json()), (400, expected));
}

#[tokio::test]
async fn where_refresh_tokens_are_revoked_one_reuse_too_many_ends_the_login() {
    // `refreshTokenMaxReuse` is 1.
    let client = Client::variety().await;
    let answer = client.password("chosen", "frank", "").await;
    let token = &answer["refresh_token"];
    let next = refresh(&client, "chosen", token, &[]).await.ok();
    refresh(&client, "chosen", token, &[]).await.ok();
    let reply = refresh(&client, "chosen", token, &[]).await;
    assert_eq!(
        reply.json()["error_description"],
        "Maximum allowed refresh token reuse exceeded"
    );
    let reply = refresh(&client, "chosen", &next["refresh_token"], &[]).await;
    assert_eq!(
        reply.json()["error_description"],
        "Session doesn't have required client"
    );
}

#[tokio::test]
async fn an_offline_token_does_not_end_by_itself() {
    let client = Client::variety().await;
    let answer = client.password("chosen", "erin", "offline_access").await;
    assert_eq!(answer["refresh_expires_in"], 0);
    let claims = claims_of(answer["refresh_token"].as_str().unwrap());
    assert_eq!((&claims["typ"], claims.get("exp")), (&json!("Offline"), None));
    let answer = refresh(&client, "chosen", &answer["refresh_token"], &[]).await.ok();
    let claims = claims_of(answer["access_token"].as_str().unwrap());
    assert!(claims["jti"].as_str().unwrap().starts_with("ofrtrt:"));
}

#[tokio::test]
async fn a_client_may_do_without_refresh_tokens() {
    let client = Client::variety().await;
    let answer = client.password("mapped", "erin", "").await;
    assert_eq!(
        (answer.get("refresh_token"), &answer["refresh_expires_in"]),
        (None, &json!(0))
    );
}
