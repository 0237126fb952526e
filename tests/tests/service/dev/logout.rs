//! Logout and revocation.

use serde_json::{Value, json};

use super::{
    Browser, Client,
    browser::{attribute, code_form, form_action},
};

async fn logged_in<'c>(client: &'c Client, user: &str) -> (Browser<'c>, Value) {
    let mut browser = Browser::new(client);
    let code = browser.code(user, &[]).await;
    let answer = client.token(&code_form(&code, &[])).await.ok();
    (browser, answer)
}

async fn is_logged_in(browser: &mut Browser<'_>) -> bool {
    browser
        .authorize(&[("prompt", "none")])
        .await
        .parameter("code")
        .is_some()
}

async fn refresh(client: &Client, answer: &Value) -> Value {
    let refresh = answer["refresh_token"].as_str().unwrap();
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", "orders-web"),
        ("refresh_token", refresh),
    ];
    client.token(&form).await.json()
}

#[tokio::test]
async fn an_id_token_logs_out_at_once() {
    let client = Client::acme().await;
    let (mut browser, answer) = logged_in(&client, "alice").await;
    let hint = answer["id_token"].as_str().unwrap();
    let url = format!(
        "{}?id_token_hint={hint}&post_logout_redirect_uri=http%3A%2F%2Flocalhost%3A9%2Fbye&state=a%26b",
        client.endpoint("logout")
    );
    let reply = browser.get(&url).await;
    assert_eq!(
        reply.redirect(),
        (
            "http://localhost:9/bye".to_owned(),
            vec![("state".to_owned(), "a&b".to_owned())]
        )
    );
    assert!(!is_logged_in(&mut browser).await);
    assert_eq!(
        refresh(&client, &answer).await["error_description"],
        "Session not active"
    );
}

#[tokio::test]
async fn without_an_id_token_the_user_is_asked() {
    let client = Client::acme().await;
    let (mut browser, _) = logged_in(&client, "alice").await;
    let page = browser.get(&client.endpoint("logout")).await;
    assert!(page.text.contains("Do you want to log out?"));
    assert!(is_logged_in(&mut browser).await);
    let session_code = attribute(&page.text, "<input type=\"hidden\" name=\"session_code\"", "value");
    let confirmation = [("session_code", session_code.as_str()), ("confirmLogout", "Logout")];
    // Nobody else's browser can say yes.
    let reply = Browser::new(&client).submit(&form_action(&page), &confirmation).await;
    assert_eq!(reply.status, 400);
    let page = browser.get(&client.endpoint("logout")).await;
    let session_code = attribute(&page.text, "<input type=\"hidden\" name=\"session_code\"", "value");
    let reply = browser
        .submit(&form_action(&page), &[("session_code", &session_code)])
        .await;
    assert!(reply.text.contains("You are logged out"), "{}", reply.text);
    assert!(!is_logged_in(&mut browser).await);
}

#[tokio::test]
async fn no_logout_leads_to_an_address_that_is_not_the_clients() {
    let client = Client::acme().await;
    let (mut browser, answer) = logged_in(&client, "alice").await;
    let hint = answer["id_token"].as_str().unwrap();
    for (query, text) in [
        (
            "client_id=orders-web&post_logout_redirect_uri=http://evil.test/".to_owned(),
            "Invalid redirect uri",
        ),
        (
            "client_id=nobody&post_logout_redirect_uri=http://localhost:9/".to_owned(),
            "Invalid redirect uri",
        ),
        (
            "post_logout_redirect_uri=http://localhost:9/".to_owned(),
            "Missing parameters: id_token_hint",
        ),
        ("id_token_hint=garbage".to_owned(), "Invalid parameter: id_token_hint"),
        (
            format!("id_token_hint={}", answer["access_token"].as_str().unwrap()),
            "Invalid parameter: id_token_hint",
        ),
        (
            format!("id_token_hint={hint}&client_id=orders-light"),
            "Invalid parameter: id_token_hint",
        ),
    ] {
        let page = browser.get(&format!("{}?{query}", client.endpoint("logout"))).await;
        assert_eq!(page.status, 400, "{query}");
        assert!(page.text.contains(text), "{query}: {}", page.text);
    }
    assert!(is_logged_in(&mut browser).await);
}

#[tokio::test]
async fn a_client_ends_the_session_of_its_refresh_token() {
    let client = Client::acme().await;
    let (mut browser, answer) = logged_in(&client, "alice").await;
    let token = answer["refresh_token"].as_str().unwrap();
    let other = client
        .post("logout", &[("client_id", "orders-light"), ("refresh_token", token)])
        .await;
    assert_eq!(
        (other.status, other.json()["error"].clone()),
        (400, json!("invalid_grant"))
    );
    let reply = client
        .post("logout", &[("client_id", "orders-web"), ("refresh_token", token)])
        .await;
    assert_eq!((reply.status, reply.text.as_str()), (204, ""));
    assert!(!is_logged_in(&mut browser).await);
    let api = ("orders-api", "orders-api-secret");
    let claims = client.introspect(api.0, api.1, &answer["access_token"]).await;
    assert_eq!(claims, json!({ "active": false }));
}

#[tokio::test]
async fn a_revoked_access_token_is_dead_and_its_session_lives() {
    let client = Client::acme().await;
    let answer = client.password("orders-web", "alice", "openid").await;
    let token = answer["access_token"].as_str().unwrap();
    let other = client
        .post("revoke", &[("client_id", "orders-light"), ("token", token)])
        .await;
    assert_eq!(
        (other.status, other.json()["error_description"].clone()),
        (400, json!("Unmatching clients"))
    );
    let reply = client
        .post("revoke", &[("client_id", "orders-web"), ("token", token)])
        .await;
    assert_eq!((reply.status, reply.text.as_str()), (200, ""));
    let claims = client
        .introspect("orders-api", "orders-api-secret", &answer["access_token"])
        .await;
    assert_eq!(claims, json!({ "active": false }));
    assert!(refresh(&client, &answer).await["access_token"].is_string());
}

#[tokio::test]
async fn a_revoked_refresh_token_ends_its_client() {
    let client = Client::acme().await;
    let answer = client.password("orders-web", "alice", "").await;
    let token = answer["refresh_token"].as_str().unwrap();
    let reply = client
        .post("revoke", &[("client_id", "orders-web"), ("token", token)])
        .await;
    assert_eq!(reply.status, 200);
    assert_eq!(
        refresh(&client, &answer).await["error_description"],
        "Session not active"
    );
    let garbage = client
        .post("revoke", &[("client_id", "orders-web"), ("token", "x")])
        .await;
    let expected = json!({ "error": "invalid_token", "error_description": "Invalid token" });
    assert_eq!((garbage.status, garbage.json()), (200, expected));
}
