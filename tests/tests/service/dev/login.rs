//! The authorization code flow: login page, code, PKCE, the session of a browser.

use std::time::Duration;

use keycloak_auth_tests::{ACME, ACME_JSON, Logs, claims_of};
use serde_json::json;

use super::{
    Browser, Client,
    browser::{REDIRECT_URI, VERIFIER, attribute, authorization_url, code_form, form_action},
};
use crate::setup::clock;

#[tokio::test]
async fn a_login_gives_a_code_and_the_code_tokens() {
    let client = Client::acme().await;
    let mut browser = Browser::new(&client);
    let page = browser.authorize(&[]).await;
    assert_eq!(page.header("content-type"), Some("text/html;charset=utf-8"));
    assert!(page.text.contains("Development") && page.text.contains("<label for=\"password\">"));
    let reply = browser.log_in(&page, "alice", "alice").await;
    let (address, parameters) = reply.redirect();
    assert_eq!(address, REDIRECT_URI);
    let mut names: Vec<_> = parameters.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["code", "iss", "session_state", "state"]);
    assert_eq!(reply.parameter("state").unwrap(), "a b&c");
    assert_eq!(reply.parameter("iss").unwrap(), client.realm.issuer());

    let answer = client
        .token(&code_form(&reply.parameter("code").unwrap(), &[]))
        .await
        .ok();
    let id_token = claims_of(answer["id_token"].as_str().unwrap());
    assert_eq!(
        (&id_token["typ"], &id_token["aud"]),
        (&json!("ID"), &json!("orders-web"))
    );
    assert_eq!((&id_token["nonce"], &id_token["acr"]), (&json!("n-1"), &json!("1")));
    assert!(id_token["auth_time"].is_u64() && id_token["at_hash"].is_string());
    let access_token = claims_of(answer["access_token"].as_str().unwrap());
    assert!(access_token["jti"].as_str().unwrap().starts_with("onrtac:"));
    assert_eq!(access_token["auth_time"], id_token["auth_time"]);
}

#[tokio::test]
async fn a_wrong_password_keeps_the_name_and_says_no_more() {
    let client = Client::acme().await;
    let mut browser = Browser::new(&client);
    let mut page = browser.authorize(&[]).await;
    for (username, password) in [("alice", "x"), ("nobody<b>\"", "x"), ("alice", "")] {
        page = browser.log_in(&page, username, password).await;
        assert_eq!(page.status, 200);
        assert_eq!(attribute(&page.text, "<input id=\"username\"", "value"), username);
        assert!(
            page.text.contains(">Invalid username or password.</span>"),
            "{}",
            page.text
        );
        assert!(!page.text.contains("<b>"));
    }
    assert_eq!(browser.log_in(&page, "alice", "alice").await.status, 302);
}

#[tokio::test]
async fn without_a_place_to_go_back_to_a_page_says_why() {
    let client = Client::acme().await;
    for (changed, status, text) in [
        (("client_id", "nobody"), 400, "Client not found."),
        (("client_id", ""), 400, "Invalid Request"),
        (
            ("client_id", "billing-api"),
            403,
            "Bearer-only applications are not allowed to initiate browser login",
        ),
        (
            ("redirect_uri", "https://evil.test/"),
            400,
            "Invalid parameter: redirect_uri",
        ),
        (
            ("redirect_uri", "http://localhost:9@evil.test/"),
            400,
            "Invalid parameter: redirect_uri",
        ),
        (
            ("redirect_uri", "http://localhost:9/../x"),
            400,
            "Invalid parameter: redirect_uri",
        ),
        (
            ("redirect_uri", "http://localhost:9/%2E%2e/x"),
            400,
            "Invalid parameter: redirect_uri",
        ),
        (
            ("redirect_uri", "javascript:alert(1)"),
            400,
            "Invalid parameter: redirect_uri",
        ),
        (("redirect_uri", ""), 400, "Invalid parameter: redirect_uri"),
        (("request", "x"), 400, "Invalid Request"),
    ] {
        let page = Browser::new(&client).authorize(&[changed]).await;
        assert_eq!(page.status, status, "{changed:?}");
        assert!(
            page.text.contains(&format!("<p class=\"instruction\">{text}</p>")),
            "{changed:?}: {}",
            page.text
        );
    }
}

#[tokio::test]
async fn other_errors_go_back_to_the_client() {
    let client = Client::acme().await;
    for (changed, error, description) in [
        (
            ("response_type", ""),
            "invalid_request",
            Some("Missing parameter: response_type"),
        ),
        (("response_type", "magic"), "unsupported_response_type", None),
        (
            ("response_mode", "magic"),
            "invalid_request",
            Some("Invalid parameter: response_mode"),
        ),
        (
            ("scope", "openid nonsense"),
            "invalid_scope",
            Some("Invalid scopes: openid nonsense"),
        ),
        (
            ("code_challenge_method", ""),
            "invalid_request",
            Some("Missing parameter: code_challenge_method"),
        ),
        (
            ("code_challenge_method", "plain"),
            "invalid_request",
            Some("Invalid parameter: code challenge method is not matching the configured one"),
        ),
        (
            ("code_challenge", "short"),
            "invalid_request",
            Some("Invalid parameter: code_challenge"),
        ),
        (("prompt", "none"), "login_required", None),
    ] {
        let reply = Browser::new(&client).authorize(&[changed]).await;
        assert_eq!(reply.redirect().0, REDIRECT_URI, "{changed:?}");
        assert_eq!(reply.parameter("error").as_deref(), Some(error), "{changed:?}");
        assert_eq!(
            reply.parameter("error_description").as_deref(),
            description,
            "{changed:?}"
        );
        assert_eq!(reply.parameter("state").as_deref(), Some("a b&c"));
    }
}

#[tokio::test]
async fn a_code_is_good_for_its_client_address_and_verifier_only() {
    let client = Client::acme().await;
    for (changed, description) in [
        (
            ("code_verifier", "b".repeat(43)),
            "PKCE verification failed: Code mismatch",
        ),
        (
            ("code_verifier", "short".to_owned()),
            "PKCE verification failed: Invalid code verifier",
        ),
        (("code_verifier", String::new()), "PKCE code verifier not specified"),
        (
            ("redirect_uri", "http://localhost:9/other".to_owned()),
            "Incorrect redirect_uri",
        ),
        (("redirect_uri", String::new()), "Incorrect redirect_uri"),
        (
            ("client_id", "orders-light".to_owned()),
            "Auth error: Found different client_id in clientSession",
        ),
    ] {
        let code = Browser::new(&client).code("alice", &[]).await;
        let reply = client.token(&code_form(&code, &[(changed.0, &changed.1)])).await;
        let expected = json!({ "error": "invalid_grant", "error_description": description });
        assert_eq!((reply.status, reply.json()), (400, expected), "{changed:?}");
        // Whoever failed with it has used it up.
        assert_eq!(
            client.token(&code_form(&code, &[])).await.json()["error_description"],
            "Code not valid"
        );
    }
}

#[tokio::test]
async fn a_code_is_good_for_a_minute() {
    let clock = clock();
    let client = Client::with_clock(ACME_JSON, clock.clone()).await;
    for (seconds, expected) in [(59, None), (60, Some("Code not valid"))] {
        let code = Browser::new(&client).code("alice", &[]).await;
        clock.advance(Duration::from_secs(seconds));
        let reply = client.token(&code_form(&code, &[])).await;
        let description = reply.json()["error_description"].as_str().map(str::to_owned);
        assert_eq!(
            (reply.status, description.as_deref()),
            (if expected.is_some() { 400 } else { 200 }, expected),
            "after {seconds} s"
        );
    }
}

#[tokio::test]
async fn a_redirect_uri_with_user_information_is_refused_whatever_the_client_has() {
    let mut file = ACME.clone();
    for pattern in ["http://localhost:*", "*"] {
        let clients = file["clients"].as_array_mut().expect("clients");
        let web = clients.iter_mut().find(|client| client["clientId"] == "orders-web");
        web.expect("the client")["redirectUris"] = json!([pattern]);
        let client = Client::serve(&file.to_string()).await;
        let status = async |uri: &str| Browser::new(&client).authorize(&[("redirect_uri", uri)]).await.status;
        assert_eq!(status("http://localhost:9/callback").await, 200, "{pattern}");
        for uri in [
            "http://localhost:9@evil.test/",
            "http://localhost:@evil.test/",
            "http://localhost:9:8@evil.test/callback",
            "http://alice@localhost:9/callback",
        ] {
            assert_eq!(status(uri).await, 400, "{pattern}: {uri}");
        }
    }
}

#[tokio::test]
async fn a_code_used_twice_ends_what_it_gave() {
    let client = Client::acme().await;
    let code = Browser::new(&client).code("alice", &[]).await;
    let answer = client.token(&code_form(&code, &[])).await.ok();
    assert_eq!(
        client.token(&code_form(&code, &[])).await.json()["error_description"],
        "Code not valid"
    );
    let refresh = answer["refresh_token"].as_str().unwrap();
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", "orders-web"),
        ("refresh_token", refresh),
    ];
    let reply = client.token(&form).await;
    assert_eq!(
        reply.json()["error_description"],
        "Session doesn't have required client"
    );
}

#[tokio::test]
async fn a_browser_logs_in_once() {
    let client = Client::acme().await;
    let mut browser = Browser::new(&client);
    browser.code("alice", &[]).await;
    let reply = browser.authorize(&[]).await;
    let answer = client
        .token(&code_form(&reply.parameter("code").unwrap(), &[]))
        .await
        .ok();
    assert_eq!(claims_of(answer["access_token"].as_str().unwrap())["acr"], "0");
    // Silently, and in the fragment where that is asked for.
    let reply = browser
        .authorize(&[("prompt", "none"), ("response_mode", "fragment")])
        .await;
    assert!(
        reply
            .header("location")
            .unwrap()
            .starts_with(&format!("{REDIRECT_URI}#"))
    );
    // Again on request, and as the same user only.
    let page = browser.authorize(&[("prompt", "login")]).await;
    let other = browser.log_in(&page, "bob", "bob").await;
    assert!(
        other
            .text
            .contains("You are already authenticated as different user &#39;alice&#39;"),
        "{}",
        other.text
    );
    assert_eq!(browser.log_in(&page, "alice", "alice").await.status, 302);
    // Another browser is not logged in.
    let reply = Browser::new(&client).authorize(&[("prompt", "none")]).await;
    assert_eq!(reply.parameter("error").as_deref(), Some("login_required"));
}

#[tokio::test]
async fn a_login_belongs_to_the_browser_that_started_it() {
    let client = Client::acme().await;
    let page = Browser::new(&client).authorize(&[]).await;
    let mut victim = Browser::new(&client);
    victim.authorize(&[]).await;
    let reply = victim.log_in(&page, "bob", "bob").await;
    assert_eq!(reply.status, 400);
    assert!(reply.text.contains("Restart login cookie not found."));
    let reply = victim.authorize(&[("prompt", "none")]).await;
    assert_eq!(reply.parameter("error").as_deref(), Some("login_required"));
}

#[tokio::test]
async fn a_form_sent_again_goes_back_to_the_client() {
    let client = Client::acme().await;
    let mut browser = Browser::new(&client);
    let page = browser.authorize(&[]).await;
    browser.log_in(&page, "alice", "alice").await;
    let reply = browser.log_in(&page, "alice", "alice").await;
    assert_eq!(reply.parameter("error").as_deref(), Some("temporarily_unavailable"));
    assert_eq!(
        reply.parameter("error_description").as_deref(),
        Some("authentication_expired")
    );
}

#[tokio::test]
async fn a_form_carries_the_answer_where_that_is_asked_for() {
    let client = Client::acme().await;
    let mut browser = Browser::new(&client);
    let page = browser.authorize(&[("response_mode", "form_post")]).await;
    let page = browser.log_in(&page, "alice", "alice").await;
    assert_eq!(form_action(&page), REDIRECT_URI);
    let code = attribute(&page.text, "<input type=\"hidden\" name=\"code\"", "value");
    let policy = page.header("content-security-policy").unwrap();
    let nonce = attribute(&page.text, "<script", "nonce");
    assert!(policy.contains(&format!("script-src 'nonce-{nonce}'")), "{policy}");
    assert!(
        client
            .token(&code_form(&code, &[("code_verifier", VERIFIER)]))
            .await
            .ok()["id_token"]
            .is_string()
    );
}

#[tokio::test]
async fn the_parameters_of_a_post_are_those_of_the_form() {
    let client = Client::acme().await;
    let url = authorization_url(&client, &[("login_hint", "bob")]);
    let (address, query) = url.split_once('?').unwrap();
    let parsed = reqwest::Url::parse(&format!("http://x/?{query}")).unwrap();
    let pairs: Vec<_> = parsed.query_pairs().into_owned().collect();
    let form: Vec<_> = pairs
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let page = Browser::new(&client).submit(address, &form).await;
    assert_eq!(attribute(&page.text, "<input id=\"username\"", "value"), "bob");
}

/// The embedded realm is the other side of a login: what a browser sends and gets is as secret there.
#[tokio::test]
async fn row_28_a_login_puts_no_password_code_cookie_or_token_into_the_log() {
    const PASSWORD: &str = "canary-of-a-password";
    let logs = Logs::capture();
    let mut file = ACME.clone();
    let alice = &mut file["users"].as_array_mut().unwrap()[0];
    assert_eq!(alice["username"], "alice");
    alice["credentials"][0]["value"] = json!(PASSWORD);
    let client = Client::serve(&file.to_string()).await;
    let mut browser = Browser::new(&client);
    let page = browser.authorize(&[]).await;
    let page = browser.log_in(&page, "alice", "canary-of-a-wrong-password").await;
    let reply = browser.log_in(&page, "alice", PASSWORD).await;
    let code = reply.parameter("code").expect("a code");
    let wrong = code_form(
        &code,
        &[("code_verifier", "canary-of-a-wrong-verifier-that-is-long-enough")],
    );
    assert_eq!(client.token(&wrong).await.status, 400);
    let again = browser
        .authorize(&[])
        .await
        .parameter("code")
        .expect("a session, and so a code");
    let answer = client.token(&code_form(&again, &[])).await.ok();
    let token = |name: &str| answer[name].as_str().expect("a token").to_owned();
    let (refresh, id_token) = (token("refresh_token"), token("id_token"));
    let refreshed = [
        ("grant_type", "refresh_token"),
        ("client_id", "orders-web"),
        ("refresh_token", &*refresh),
    ];
    client.token(&refreshed).await.ok();
    let logout = format!("{}?id_token_hint={id_token}", client.endpoint("logout"));
    let cookies = browser.cookies();
    browser.get(&logout).await;
    let gone = client.token(&refreshed).await;
    assert_eq!(gone.status, 400, "{}", gone.text);

    let mut canaries = vec!["canary-of-a".to_owned(), VERIFIER.to_owned(), code, again];
    assert!(!cookies.is_empty(), "the session is in a cookie");
    canaries.extend(cookies.into_iter().filter(|cookie| cookie.len() > 10));
    for token in [token("access_token"), refresh, id_token] {
        let (_, signature) = token.rsplit_once('.').expect("three parts");
        canaries.push(signature.to_owned());
    }
    let log = logs.text();
    assert!(log.contains("TRACE"), "nothing was logged at the lowest level");
    let is_start = |record: &keycloak_auth_tests::Record| record.name == "keycloak.dev_realm";
    assert!(logs.records().iter().any(is_start), "the embedded realm logs");
    for canary in canaries {
        let hit = log.lines().find(|line| line.contains(&canary));
        assert_eq!(hit, None, "the log has `{canary}`");
    }
}
