//! CORS by the web origins of the client.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Client, Reply};

async fn token_from(client: &Client, origin: &str, client_id: &str) -> Reply {
    let form = [
        ("grant_type", "password"),
        ("client_id", client_id),
        ("username", "frank"),
        ("password", "frank"),
    ];
    let request = client
        .request(Method::POST, &client.endpoint("token"))
        .header("origin", origin);
    Reply::of(request.form(&form)).await
}

#[tokio::test]
async fn only_origins_of_the_client_get_a_token() {
    let client = Client::variety().await;
    // `+` stands for the origins of the redirect URIs.
    for origin in [
        "https://app.example.com",
        "https://other.example.com",
        "https://root.example.com",
    ] {
        let reply = token_from(&client, origin, "narrow").await;
        assert_eq!(reply.status, 200, "{origin}: {}", reply.text);
        assert_eq!(reply.header("access-control-allow-origin"), Some(origin));
        assert_eq!(reply.header("access-control-allow-credentials"), Some("true"));
    }
    for origin in [
        "https://evil.example.com",
        "https://app.example.com:444",
        "http://app.example.com",
        "null",
    ] {
        let reply = token_from(&client, origin, "narrow").await;
        assert_eq!(
            (reply.status, reply.json()),
            (403, json!({ "error": "Invalid origin" })),
            "{origin}"
        );
        assert_eq!(reply.header("access-control-allow-origin"), None);
    }
}

#[tokio::test]
async fn a_page_may_read_why_its_client_is_refused() {
    let client = Client::variety().await;
    let reply = token_from(&client, "https://any.example.com", "nobody").await;
    assert_eq!(reply.status, 401);
    assert_eq!(
        reply.header("access-control-allow-origin"),
        Some("https://any.example.com")
    );
}

#[tokio::test]
async fn preflights_and_metadata_are_open_to_every_origin() {
    let client = Client::acme().await;
    for endpoint in ["token", "certs", "userinfo", "revoke"] {
        let request = client.request(Method::OPTIONS, &client.endpoint(endpoint));
        let request = request.header("origin", "https://any.example.com");
        let reply = Reply::of(request.header("access-control-request-method", "POST")).await;
        assert_eq!(reply.status, 200, "{endpoint}");
        assert_eq!(
            reply.header("access-control-allow-origin"),
            Some("https://any.example.com")
        );
        let allowed = reply.header("access-control-allow-headers").unwrap();
        assert!(
            allowed.contains("Authorization") && allowed.contains("DPoP"),
            "{allowed}"
        );
    }
    let request = client.request(Method::GET, &client.endpoint("certs"));
    let reply = Reply::of(request.header("origin", "https://any.example.com")).await;
    assert_eq!(
        reply.header("access-control-allow-origin"),
        Some("https://any.example.com")
    );
    assert!(matches!(reply.ok()["keys"], Value::Array(_)));
}
