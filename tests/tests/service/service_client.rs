//! Calls to other services: whose token they carry, and where it never goes.

use std::{error::Error, time::Duration};

use axum::extract::State;
use http::{HeaderName, HeaderValue};
use keycloak_auth::{
    AuthError, Clock, Keycloak, KeycloakUser, OAuthError, SecureRouter, ServiceClient, ServiceClientError, keycloak,
    routing::get,
};
use keycloak_auth_tests::{Issuer, Logs, Received, Reply, Service, http_client};
use serde_json::json;
use tokio::task::JoinSet;

use crate::setup::{builder, clock};

const ITEMS: &str = "/items";

/// Keycloak, and another service that notes what it is sent.
struct World {
    issuer: Issuer,
    stock: Issuer,
    clock: Clock,
    keycloak: Keycloak,
}

impl World {
    async fn new() -> Self {
        let (issuer, stock) = (Issuer::start().await, Issuer::start().await);
        issuer.reply(Issuer::TOKEN, token(1));
        stock.reply(ITEMS, Reply::json(&json!(["espresso"])));
        let clock = clock();
        let keycloak = builder(&issuer).client_secret("secret").clock(clock.clone());
        let keycloak = keycloak.build().expect("valid");
        Self {
            issuer,
            stock,
            clock,
            keycloak,
        }
    }

    fn client(&self) -> ServiceClient {
        let client = self.keycloak.service_client().for_origin(self.stock.url());
        client.build().expect("an origin")
    }

    /// One that exchanges tokens for those of a client.
    fn stock_client(&self) -> ServiceClient {
        let client = self.keycloak.service_client().for_origin(self.stock.url());
        client.audience("stock-api").build().expect("an origin")
    }

    /// One that follows redirects to other origins.
    fn following_client(&self) -> ServiceClient {
        let client = self.keycloak.service_client().for_origin(self.stock.url());
        let client = client.follow_foreign_redirects_without_token(reqwest::Client::builder().no_proxy());
        client.build().expect("an origin")
    }

    /// A caller with a token of their own.
    async fn user(&self, id: &str) -> KeycloakUser {
        let token = self.issuer.token().claim("sub", id).sign(self.issuer.key());
        self.keycloak.authenticate(&token).await.expect("a good token")
    }

    fn token_requests(&self) -> usize {
        self.issuer.requests_to(Issuer::TOKEN)
    }

    fn last_form(&self) -> Vec<(String, String)> {
        self.issuer.last_request_to(Issuer::TOKEN).expect("a request").form
    }
}

fn token(number: u32) -> Reply {
    Reply::json(&json!({ "access_token": format!("access-{number}"), "token_type": "Bearer", "expires_in": 300 }))
}

#[track_caller]
fn assert_sent(server: &Issuer, path: &str, authorization: Option<&str>) {
    let Received {
        authorization: sent, ..
    } = server.last_request_to(path).expect("a request");
    assert_eq!(sent.as_deref(), authorization);
}

fn chain(error: &dyn Error) -> String {
    std::iter::successors(Some(error), |&error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

#[tokio::test]
async fn calls_carry_the_services_own_token_which_is_obtained_once_and_renewed_ahead() {
    let world = World::new().await;
    let client = world.client();
    for _ in 0..3 {
        let answer = client.get(ITEMS).send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.text().await.expect("a body"), r#"["espresso"]"#);
        assert_sent(&world.stock, ITEMS, Some("Bearer access-1"));
    }
    assert_eq!(world.token_requests(), 1);
    assert_eq!(
        world.last_form(),
        [("grant_type".to_owned(), "client_credentials".to_owned())]
    );
    assert_eq!(
        world.keycloak.client_credentials().await.expect("a token").access_token,
        "access-1",
        "it is the same token"
    );
    assert_eq!(world.token_requests(), 1);
    world.issuer.reply(Issuer::TOKEN, token(2));
    world.clock.advance(Duration::from_secs(250));
    client.get(ITEMS).send().await.expect("an answer");
    assert_sent(&world.stock, ITEMS, Some("Bearer access-2"));
    assert_eq!(world.token_requests(), 2);
}

#[tokio::test]
async fn a_hundred_calls_at_once_obtain_one_token() {
    let world = World::new().await;
    world
        .issuer
        .reply(Issuer::TOKEN, token(1).after(Duration::from_millis(200)));
    let client = world.client();
    let mut calls = JoinSet::new();
    for _ in 0..100 {
        let client = client.clone();
        calls.spawn(async move { client.get(ITEMS).send().await.expect("an answer").status().as_u16() });
    }
    assert!(calls.join_all().await.iter().all(|status| *status == 200));
    assert_eq!(world.token_requests(), 1);
}

#[tokio::test]
async fn each_scope_has_a_token_of_its_own() {
    let world = World::new().await;
    let build = |scope: &str| {
        let client = world.keycloak.service_client().for_origin(world.stock.url());
        client.scope(scope).build().expect("an origin")
    };
    let (reading, writing) = (build("stock:read"), build("stock:write"));
    reading.get(ITEMS).send().await.expect("an answer");
    assert!(
        world
            .last_form()
            .contains(&("scope".to_owned(), "stock:read".to_owned()))
    );
    world.issuer.reply(Issuer::TOKEN, token(2));
    writing.get(ITEMS).send().await.expect("an answer");
    assert_sent(&world.stock, ITEMS, Some("Bearer access-2"));
    reading.get(ITEMS).send().await.expect("an answer");
    assert_sent(&world.stock, ITEMS, Some("Bearer access-1"));
    // Another client for the same scope shares its token.
    build("stock:read").get(ITEMS).send().await.expect("an answer");
    assert_eq!(world.token_requests(), 2);
}

#[tokio::test]
async fn a_token_goes_to_named_origins_only() {
    let world = World::new().await;
    let (client, other) = (world.client(), Issuer::start().await);
    let foreign = format!("{}{ITEMS}", other.url());
    let port = other.url().rsplit(':').next().expect("a port");
    // `stock` in front of the `@` is a user name.
    let disguised = format!("{}@127.0.0.1:{port}{ITEMS}", world.stock.url());
    for url in [&foreign, &disguised] {
        let error = client.get(url).send().await.expect_err("not named");
        assert!(
            matches!(&error, ServiceClientError::ForeignOrigin { origin } if origin == other.url()),
            "{error:?}"
        );
        assert!(error.to_string().contains(".for_origin("), "{error}");
    }
    let request = http_client().get(&foreign).build().expect("a request");
    client.execute(request).await.expect_err("not named");
    assert_eq!(other.requests(), Vec::<String>::new(), "nothing was sent");
    assert_eq!(world.token_requests(), 0, "nor was a token obtained");

    let both = world.keycloak.service_client().for_origin(world.stock.url());
    let both = both.for_origin(other.url()).build().expect("two origins");
    both.get(&foreign).send().await.expect("an answer");
    assert_sent(&other, ITEMS, Some("Bearer access-1"));
    both.get(ITEMS).send().await.expect("an answer");
    assert_sent(&world.stock, ITEMS, Some("Bearer access-1"));
}

#[tokio::test]
async fn a_redirect_to_another_origin_is_the_answer() {
    let world = World::new().await;
    let other = Issuer::start().await;
    let own = reqwest::Client::builder().no_proxy();
    let with_own = world.keycloak.service_client().for_origin(world.stock.url());
    let with_own = with_own.http_client(own).build().expect("an origin");
    let location = format!("{}{ITEMS}", other.url());
    for client in [world.client(), with_own] {
        for status in [301, 302, 303, 307, 308] {
            let redirect = Reply::status(status).header("location", &location);
            world.stock.reply("/old", redirect);
            let answer = client.get("/old").send().await.expect("an answer");
            assert_eq!(answer.status().as_u16(), status);
            assert_eq!(answer.headers()["location"], location.as_str());
            let answer = client.post("/old").body("secret").send().await.expect("an answer");
            assert_eq!(answer.status().as_u16(), status);
            // Not directly, and not behind one that is followed.
            world
                .stock
                .reply("/older", Reply::status(307).header("location", "/old"));
            let answer = client.get("/older").send().await.expect("an answer");
            assert_eq!(answer.status().as_u16(), status);
        }
    }
    assert_eq!(other.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn what_is_set_on_the_http_client_goes_to_no_other_origin_and_into_no_log() {
    let world = World::new().await;
    let other = Issuer::start().await;
    other.reply(ITEMS, Reply::status(200));
    let location = format!("{}{ITEMS}", other.url());
    world
        .stock
        .reply("/old", Reply::status(302).header("location", &location));
    let headers = [
        ("x-api-key", "canary"),
        ("cookie", "canary"),
        ("authorization", "canary"),
    ];
    let headers = headers.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
    let own = reqwest::Client::builder()
        .no_proxy()
        .default_headers(headers.into_iter().collect())
        .user_agent("canary");
    let builder = world.keycloak.service_client().for_origin(world.stock.url());
    let builder = builder
        .http_client(own)
        .follow_foreign_redirects_without_token(reqwest::Client::builder().no_proxy());
    let shown = format!("{builder:?}");
    assert!(
        !shown.contains("canary") && shown.contains(world.stock.url()),
        "{shown}"
    );
    let client = builder.build().expect("an origin");
    assert_eq!(client.get("/old").send().await.expect("an answer").status(), 200);
    let sent = world.stock.last_request_to("/old").expect("a request").headers;
    assert_eq!(
        (&sent["x-api-key"], &sent["authorization"]),
        (&"canary".parse().unwrap(), &"Bearer access-1".parse().unwrap())
    );
    let sent = other.last_request_to(ITEMS).expect("a request").headers;
    assert!(
        !format!("{sent:?}").contains("canary") && !sent.contains_key("authorization"),
        "{sent:?}"
    );
}

#[tokio::test]
async fn one_timeout_is_for_all_redirects_and_attempts() {
    let world = World::new().await;
    let other = Issuer::start().await;
    let slow = |location: &str| {
        let redirect = Reply::status(302).header("location", location);
        redirect.after(Duration::from_millis(400))
    };
    let (here, there) = (format!("{}/loop", world.stock.url()), format!("{}/loop", other.url()));
    let client = world.following_client();
    for (from_here, from_there) in [(&there, &here), (&there, &there), (&here, &there)] {
        world.stock.reply("/loop", slow(from_here));
        other.reply("/loop", slow(from_there));
        let began = std::time::Instant::now();
        let call = client.get("/loop").timeout(Duration::from_secs(1));
        let error = call.send().await.expect_err("too slow");
        let took = began.elapsed();
        assert!(
            (Duration::from_millis(900)..Duration::from_secs(2)).contains(&took),
            "{took:?}"
        );
        assert!(chain(&error).contains("timed out"), "{}", chain(&error));
    }
    // A second attempt has no second timeout.
    world.clock.advance(Duration::from_secs(20));
    world.issuer.reply(Issuer::TOKEN, token(2));
    world
        .stock
        .reply(ITEMS, Reply::status(401).after(Duration::from_millis(700)));
    let began = std::time::Instant::now();
    let call = client.get(ITEMS).timeout(Duration::from_secs(1));
    call.send().await.expect_err("too slow");
    assert!(began.elapsed() < Duration::from_millis(1_600), "{:?}", began.elapsed());
    assert_eq!(world.stock.requests_to(ITEMS), 2);
}

#[tokio::test]
async fn the_timeout_of_a_call_is_for_getting_the_token_as_well() {
    let world = World::new().await;
    let user = world.user("alice").await;
    world
        .issuer
        .reply(Issuer::TOKEN, token(1).after(Duration::from_secs(3600)));
    let client = world.client();
    for client in [client.clone(), world.stock_client().on_behalf_of(&user).exchange()] {
        let began = std::time::Instant::now();
        let call = client.get(ITEMS).timeout(Duration::from_millis(200));
        let error = call.send().await.expect_err("no token in time");
        let took = began.elapsed();
        assert!(
            (Duration::from_millis(150)..Duration::from_secs(2)).contains(&took),
            "{took:?}"
        );
        assert!(matches!(error, ServiceClientError::Token { .. }), "{error:?}");
        assert!(chain(&error).contains("within 0.2 s"), "{}", chain(&error));
    }
    assert_eq!(world.stock.requests_to(ITEMS), 0);
    // What gets no fresh token in time leaves the answer that there is.
    world.issuer.reply(Issuer::TOKEN, token(1));
    assert_eq!(client.get(ITEMS).send().await.expect("an answer").status(), 200);
    world.clock.advance(Duration::from_secs(20));
    world
        .issuer
        .reply(Issuer::TOKEN, token(2).after(Duration::from_secs(3600)));
    world.stock.reply(ITEMS, Reply::status(401));
    let call = client.get(ITEMS).timeout(Duration::from_millis(500));
    assert_eq!(call.send().await.expect("an answer").status(), 401);
}

#[tokio::test]
async fn a_redirect_takes_the_token_along_within_the_origin_and_not_to_another() {
    let world = World::new().await;
    let other = Issuer::start().await;
    other.reply(ITEMS, Reply::status(401));
    let redirect = |location: &str| Reply::status(307).header("location", location);
    let client = world.following_client();
    world.stock.reply("/old", redirect(ITEMS));
    assert_eq!(client.get("/old").send().await.expect("an answer").status(), 200);
    assert_sent(&world.stock, ITEMS, Some("Bearer access-1"));
    world.stock.reply("/old", redirect(&format!("{}{ITEMS}", other.url())));
    // The token is old enough to be replaced: but that another server wants one is no news.
    world.clock.advance(Duration::from_secs(20));
    assert_eq!(client.get("/old").send().await.expect("an answer").status(), 401);
    assert_sent(&other, ITEMS, None);
    assert_eq!(world.token_requests(), 1);
    assert_eq!(other.requests().len(), 1);
}

#[tokio::test]
async fn a_token_that_a_redirect_left_behind_does_not_come_back() {
    let world = World::new().await;
    let other = Issuer::start().await;
    let redirect = |location: &str| Reply::status(307).header("location", location);
    world.stock.reply("/old", redirect(&format!("{}/first", other.url())));
    let client = world.following_client();
    // From one address of the other server to the next.
    other.reply("/first", redirect("/second"));
    other.reply("/second", Reply::status(200));
    assert_eq!(client.get("/old").send().await.expect("an answer").status(), 200);
    assert_sent(&other, "/first", None);
    assert_sent(&other, "/second", None);
    // And back: the other server chose the address, so the call is its own.
    other.reply("/first", redirect(&format!("{}{ITEMS}", world.stock.url())));
    assert_eq!(client.get("/old").send().await.expect("an answer").status(), 200);
    assert_sent(&world.stock, ITEMS, None);
}

#[tokio::test]
async fn only_reading_without_secrets_goes_on_to_another_origin() {
    let world = World::new().await;
    let (client, other) = (world.following_client(), Issuer::start().await);
    other.reply(ITEMS, Reply::status(200));
    let location = format!("{}{ITEMS}", other.url());
    for status in [301, 302, 303, 307, 308] {
        world
            .stock
            .reply("/old", Reply::status(status).header("location", &location));
        for call in [
            client.post("/old").body("secret"),
            client.delete("/old"),
            client.get("/old").body("secret"),
        ] {
            assert_eq!(call.send().await.expect("an answer").status().as_u16(), status);
        }
        assert_eq!(other.requests(), Vec::<String>::new());
    }
    let answer = client.head("/old").header("cookie", "secret").send().await;
    assert_eq!(answer.expect("an answer").status(), 200);
    let answer = client
        .get("/old")
        .header("accept", "text/csv")
        .header("x-api-key", "secret")
        .send()
        .await;
    assert_eq!(answer.expect("an answer").status(), 200);
    assert_eq!(other.requests_to(ITEMS), 2);
    let sent = other.last_request_to(ITEMS).expect("a request").headers;
    assert_eq!(sent.get("accept").map(|value| value.as_bytes()), Some(&b"text/csv"[..]));
    for secret in ["authorization", "cookie", "x-api-key", "referer"] {
        assert!(!sent.contains_key(secret), "{sent:?}");
    }
}

#[tokio::test]
async fn two_origins_that_lead_to_each_other_lead_nowhere() {
    let world = World::new().await;
    let other = Issuer::start().await;
    let redirect = |to: &Issuer| Reply::status(302).header("location", &format!("{}/loop", to.url()));
    world.stock.reply("/loop", redirect(&other));
    other.reply("/loop", redirect(&world.stock));
    assert_eq!(
        world
            .following_client()
            .get("/loop")
            .send()
            .await
            .expect("an answer")
            .status(),
        302
    );
    assert_eq!((world.stock.requests().len(), other.requests().len()), (6, 5));
}

#[tokio::test]
async fn redirects_go_on_for_ten_steps_at_most() {
    let world = World::new().await;
    world
        .stock
        .reply("/loop", Reply::status(302).header("location", "/loop"));
    let error = world.client().get("/loop").send().await.expect_err("a loop");
    assert!(chain(&error).contains("too many redirects"), "{}", chain(&error));
    assert_eq!(world.stock.requests().len(), 11);
}

#[tokio::test]
async fn a_401_is_answered_once_with_a_fresh_token_and_the_same_body() {
    let world = World::new().await;
    let client = world.client();
    client.get(ITEMS).send().await.expect("an answer");
    world.clock.advance(Duration::from_secs(20));
    world.stock.reply(ITEMS, Reply::status(401));
    world.issuer.reply(Issuer::TOKEN, token(2));
    let call = client.post(ITEMS).form(&[("name", "mocha")]);
    assert_eq!(call.send().await.expect("an answer").status(), 401);
    assert_eq!(world.stock.requests_to(ITEMS), 3, "one, and the last one twice");
    let last = world.stock.last_request_to(ITEMS).expect("a request");
    assert_eq!(last.authorization.as_deref(), Some("Bearer access-2"));
    assert_eq!(last.form, [("name".to_owned(), "mocha".to_owned())]);

    // Nothing helps with this service, so it costs no token for each call.
    for _ in 0..5 {
        assert_eq!(client.get(ITEMS).send().await.expect("an answer").status(), 401);
    }
    assert_eq!(
        (world.token_requests(), world.stock.requests_to(ITEMS)),
        (2, 3 + 5),
        "a token that was just obtained is not replaced"
    );
    // When there is no fresh one, the answer is what the service said.
    world.clock.advance(Duration::from_secs(20));
    world.issuer.reply(Issuer::TOKEN, Reply::status(500));
    assert_eq!(client.get(ITEMS).send().await.expect("an answer").status(), 401);
    assert_eq!(world.token_requests(), 3);
}

#[tokio::test]
async fn many_401s_at_once_obtain_one_fresh_token() {
    let world = World::new().await;
    let client = world.client();
    client.get(ITEMS).send().await.expect("an answer");
    world.clock.advance(Duration::from_secs(20));
    let refused = Reply::status(401).after(Duration::from_millis(100));
    world.stock.reply(ITEMS, refused);
    world
        .issuer
        .reply(Issuer::TOKEN, token(2).after(Duration::from_millis(100)));
    let mut calls = JoinSet::new();
    for _ in 0..50 {
        let client = client.clone();
        calls.spawn(async move { client.get(ITEMS).send().await.expect("an answer").status().as_u16() });
    }
    assert!(calls.join_all().await.iter().all(|status| *status == 401));
    assert_eq!(world.token_requests(), 2);
    assert_eq!(world.stock.requests_to(ITEMS), 1 + 2 * 50);
}

#[tokio::test]
async fn the_callers_token_is_passed_on_as_it_is() {
    let world = World::new().await;
    let (user, client) = (world.user("alice").await, world.client());
    world.stock.reply(ITEMS, Reply::status(401));
    let call = client.on_behalf_of(&user).pass_on().get(ITEMS);
    assert_eq!(call.send().await.expect("an answer").status(), 401);
    assert_sent(&world.stock, ITEMS, Some(&format!("Bearer {}", user.access_token())));
    assert_eq!(world.stock.requests_to(ITEMS), 1, "there is no other token to try");
    assert_eq!(world.token_requests(), 0);
}

#[tokio::test]
async fn the_callers_token_is_exchanged_once_for_each_token_audience_and_scope() {
    let world = World::new().await;
    let (alice, bob) = (world.user("alice").await, world.user("bob").await);
    let build = |audiences: &[&str], scope: Option<&str>| {
        let client = world.keycloak.service_client().for_origin(world.stock.url());
        let client = audiences
            .iter()
            .fold(client, |client, audience| client.audience(*audience));
        let client = scope.into_iter().fold(client, |client, scope| client.scope(scope));
        client.build().expect("an origin")
    };
    let stock = build(&["stock-api", "mail-api"], Some("stock:read"));
    let call = async |client: &ServiceClient, user: &KeycloakUser| {
        let call = client.on_behalf_of(user).exchange().get(ITEMS);
        assert_eq!(call.send().await.expect("an answer").status(), 200);
    };
    for _ in 0..2 {
        call(&stock, &alice).await;
    }
    assert_sent(&world.stock, ITEMS, Some("Bearer access-1"));
    assert_eq!(world.token_requests(), 1);
    const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
    let expected = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", alice.access_token()),
        ("subject_token_type", ACCESS_TOKEN),
        ("requested_token_type", ACCESS_TOKEN),
        ("audience", "stock-api"),
        ("audience", "mail-api"),
        ("scope", "stock:read"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(world.last_form(), expected);

    world.issuer.reply(Issuer::TOKEN, token(2));
    call(&stock, &bob).await;
    assert_sent(&world.stock, ITEMS, Some("Bearer access-2"));
    call(&build(&["stock-api"], Some("stock:read")), &alice).await;
    call(&build(&["stock-api", "mail-api"], None), &alice).await;
    assert_eq!(world.token_requests(), 4);
    call(&stock, &alice).await;
    assert_sent(&world.stock, ITEMS, Some("Bearer access-1"));
    assert_eq!(world.token_requests(), 4);

    // Shortly before it expires, it is not used any more.
    world.clock.advance(Duration::from_secs(289));
    call(&stock, &alice).await;
    assert_eq!(world.token_requests(), 4);
    world.clock.advance(Duration::from_secs(2));
    call(&stock, &alice).await;
    assert_sent(&world.stock, ITEMS, Some("Bearer access-2"));
    assert_eq!(world.token_requests(), 5);
}

#[tokio::test]
async fn a_hundred_calls_for_one_caller_are_one_exchange_and_a_401_brings_a_fresh_one() {
    let world = World::new().await;
    let slow = |number| token(number).after(Duration::from_millis(200));
    world.issuer.reply(Issuer::TOKEN, slow(1));
    let client = world.stock_client();
    let user = world.user("alice").await;
    let call_often = async || {
        let mut calls = JoinSet::new();
        for _ in 0..100 {
            let (client, user) = (client.clone(), user.clone());
            calls.spawn(async move {
                let call = client.on_behalf_of(&user).exchange().get(ITEMS);
                call.send().await.expect("an answer").status().as_u16()
            });
        }
        calls.join_all().await
    };
    assert!(call_often().await.iter().all(|status| *status == 200));
    assert_eq!(world.token_requests(), 1);
    world.clock.advance(Duration::from_secs(20));
    world.issuer.reply(Issuer::TOKEN, slow(2));
    world.stock.reply(ITEMS, Reply::status(401));
    assert!(call_often().await.iter().all(|status| *status == 401));
    assert_eq!(world.token_requests(), 2);
    assert_sent(&world.stock, ITEMS, Some("Bearer access-2"));
}

#[tokio::test]
async fn an_exchange_that_is_refused_is_not_asked_for_again_for_2_s() {
    let world = World::new().await;
    let (client, alice, bob) = (world.stock_client(), world.user("alice").await, world.user("bob").await);
    let call = async |user: &KeycloakUser| {
        let call = client.on_behalf_of(user).exchange().get(ITEMS);
        call.send().await.map(|answer| answer.status().as_u16())
    };
    let refusal = |status: u16, code: &str| {
        let refusal = json!({ "error": code, "error_description": "Client is not allowed to exchange" });
        Reply::status(status).body(refusal.to_string())
    };
    world.issuer.reply(Issuer::TOKEN, refusal(403, "access_denied"));
    for _ in 0..3 {
        let error = call(&alice).await.expect_err("refused");
        let ServiceClientError::Token(no_token) = &error else {
            panic!("{error:?}")
        };
        assert_eq!(no_token.origin(), world.stock.url());
        let AuthError::TokenRefused(refusal) = no_token.cause() else {
            panic!("{error:?}")
        };
        assert_eq!(refusal.error(), OAuthError::AccessDenied);
        assert_eq!(refusal.description(), Some("Client is not allowed to exchange"));
    }
    assert_eq!(world.token_requests(), 1);
    assert_eq!(world.stock.requests(), Vec::<String>::new());
    world.issuer.reply(Issuer::TOKEN, token(1));
    assert_eq!(call(&bob).await.expect("an answer"), 200, "it is one caller's");
    world.clock.advance(Duration::from_millis(1_999));
    call(&alice).await.expect_err("remembered");
    assert_eq!(world.token_requests(), 2);
    world.clock.advance(Duration::from_millis(1));
    assert_eq!(call(&alice).await.expect("an answer"), 200);

    // What may be over in a moment is asked for again, and so is what the clock put into the future.
    let carol = world.user("carol").await;
    let before = world.token_requests();
    world
        .issuer
        .reply(Issuer::TOKEN, refusal(400, "temporarily_unavailable"));
    for asked in 1..=2 {
        call(&carol).await.expect_err("refused");
        assert_eq!(world.token_requests(), before + asked);
    }
    world.issuer.reply(Issuer::TOKEN, refusal(400, "invalid_request"));
    call(&carol).await.expect_err("refused");
    world.clock.set(world.clock.now() - Duration::from_secs(60));
    call(&carol).await.expect_err("refused");
    assert_eq!(world.token_requests(), before + 4);
}

#[tokio::test]
async fn a_request_is_built_as_with_reqwest_and_its_authorization_is_ours() {
    let world = World::new().await;
    let client = world.keycloak.service_client().for_origin("http://127.0.0.1:1");
    let client = client.base_url(format!("{}/stock/v1/", world.stock.url()));
    let client = client.build().expect("an address");
    world.stock.reply("/stock/v1/items", Reply::status(204));
    let call = client
        .put("/items")
        .query(&[("page", "2")])
        .json(&json!({ "name": "mocha" }));
    let call = call
        .header("authorization", "Basic c3RyYW5nZXI6c3RyYW5nZXI=")
        .timeout(Duration::from_secs(5))
        .map(|request| request.header("x-trace", "1"));
    assert_eq!(call.send().await.expect("an answer").status(), 204);
    assert_sent(&world.stock, "/stock/v1/items", Some("Bearer access-1"));
    let request = http_client().get(format!("{}/stock/v1/items", world.stock.url()));
    let request = request.bearer_auth("stranger").build().expect("a request");
    client.execute(request).await.expect("an answer");
    assert_sent(&world.stock, "/stock/v1/items", Some("Bearer access-1"));
}

#[tokio::test]
async fn errors_read_well_as_one_line_and_show_no_token() {
    let world = World::new().await;
    let nobody = "http://127.0.0.1:1";
    let url = world.stock.url();
    let build = |origin: &str| world.keycloak.service_client().for_origin(origin).build();
    let mut found = Vec::new();

    found.push((
        world.keycloak.service_client().build().expect_err("no origin"),
        "no origin is named: say where tokens may go, as in `.for_origin(\"https://stock.example.com\")`".to_owned(),
    ));
    for (origin, expected) in [
        (
            "stock",
            "`for_origin` is not a URL: write it like `https://stock.example.com`",
        ),
        ("ftp://stock", "`for_origin` must begin with `https://` or `http://`"),
        (
            "https://me:canary@stock",
            "`for_origin` must not contain a user name or password",
        ),
        ("https://stock/v1", "`for_origin` has a path: set it as `.base_url(…)`"),
        ("https://stock?a", "`for_origin` must not have a query or fragment"),
    ] {
        found.push((build(origin).expect_err(origin), expected.to_owned()));
    }
    let client = world.client();
    found.push((
        client.get("items").send().await.expect_err("not a path"),
        "what is to be called is neither a path that begins with `/` nor an address that begins with `https://` or `http://`"
            .to_owned(),
    ));
    let call = client.get(ITEMS).header("x-note", "canary\r\n");
    found.push((
        call.send().await.expect_err("a line break"),
        format!("the request to `{url}` cannot be made: builder error: failed to parse header value"),
    ));
    let unreachable = build(nobody).expect("an origin").get("/?canary").send().await;
    let unreachable = unreachable.expect_err("nobody there");
    let line = chain(&unreachable);
    assert!(
        line.starts_with(&format!("`{nobody}` does not answer: error sending request: ")) && !line.contains("canary"),
        "{line}"
    );

    let refusal =
        json!({ "error": "invalid_client", "error_description": "Invalid client or Invalid client credentials" });
    let lost = builder(&world.issuer).client_secret("wrong").build().expect("valid");
    let lost = lost.service_client().for_origin(url).build().expect("an origin");
    world
        .issuer
        .reply(Issuer::TOKEN, Reply::status(401).body(refusal.to_string()));
    found.push((
        lost.get(ITEMS).send().await.expect_err("no token"),
        format!(
            "`{url}` is not called: Keycloak refuses the grant `client_credentials`: \
             `invalid_client` (Invalid client or Invalid client credentials): check `client_id` and its secret, key or certificate"
        ),
    ));
    world.issuer.reply(Issuer::TOKEN, Reply::status(500));
    found.push((
        lost.get(ITEMS).send().await.expect_err("no token"),
        format!(
            "`{url}` is not called: no token can be had now: Keycloak cannot be asked; next attempt in 1 s: \
             `{}{}` answered with status 500",
            world.issuer.url(),
            Issuer::TOKEN,
        ),
    ));
    let bound = json!({ "access_token": "canary", "token_type": "DPoP", "expires_in": 300 });
    world.issuer.reply(Issuer::TOKEN, Reply::json(&bound));
    found.push((
        lost.get(ITEMS).send().await.expect_err("not a bearer token"),
        format!("`{url}` is not called: the token is bound to a key, or otherwise not a bearer token"),
    ));
    for (error, expected) in found {
        assert_eq!(chain(&error), expected);
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    }
    assert_eq!(world.stock.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn a_call_without_a_secret_says_what_is_missing_and_warns_once() {
    let logs = Logs::capture();
    let world = World::new().await;
    let public = builder(&world.issuer).build().expect("valid").service_client();
    let public = public.for_origin(world.stock.url()).build().expect("an origin");
    let advice =
        "the grant `client_credentials` is for confidential clients: set `client_secret` or `client_authentication`";
    for _ in 0..2 {
        let error = public.get(ITEMS).send().await.expect_err("no secret");
        assert_eq!(
            error.to_string(),
            format!("`{}` is not called: {advice}", world.stock.url())
        );
    }
    let log = logs.text();
    let warnings = log
        .lines()
        .filter(|line| line.contains("WARN") && line.contains(advice));
    assert_eq!(warnings.count(), 1, "{log}");
    assert_eq!((world.token_requests(), world.stock.requests().len()), (0, 0));
}

#[tokio::test]
async fn an_exchange_says_for_whom() {
    let world = World::new().await;
    let user = world.user("alice").await;
    let (client, stock) = (world.client(), world.stock_client());
    let error = client.on_behalf_of(&user).exchange().get(ITEMS).send().await;
    let error = error.expect_err("for nobody");
    assert!(
        matches!(&error, ServiceClientError::NoAudience { origin } if origin == world.stock.url()),
        "{error:?}"
    );
    assert!(error.to_string().contains(r#"by `.audience("stock-api")`"#), "{error}");
    assert_eq!((world.token_requests(), world.stock.requests().len()), (0, 0));
    let answer = stock.on_behalf_of(&user).exchange().get(ITEMS).send().await;
    assert_eq!(answer.expect("an answer").status(), 200);
    let answer = client.on_behalf_of(&user).pass_on().get(ITEMS).send().await;
    assert_eq!(answer.expect("an answer").status(), 200, "as it is");
}

/// The handlers of a service that asks another one.
#[keycloak(authenticated)]
async fn level(user: KeycloakUser, State(stock): State<ServiceClient>) -> String {
    let call = stock.on_behalf_of(&user).exchange().get(ITEMS);
    call.send().await.expect("an answer").text().await.expect("a body")
}

#[tokio::test]
async fn a_handler_calls_another_service_for_its_caller() {
    let world = World::new().await;
    let router = SecureRouter::<ServiceClient>::new().route("/level", get(level));
    let router = router
        .secure_with(world.keycloak.clone())
        .with_state(world.stock_client());
    let service = Service::start(router).await;
    let answer = service.get_as("/level", &world.issuer.valid_token()).await;
    assert_eq!((answer.status, answer.text().as_str()), (200, r#"["espresso"]"#));
    assert_sent(&world.stock, ITEMS, Some("Bearer access-1"));
    assert_eq!(service.get("/level").send().await.status, 401);
    assert_eq!(world.stock.requests_to(ITEMS), 1);
}

#[tokio::test]
async fn a_closed_keycloak_obtains_no_more_tokens_and_a_dropped_one_does() {
    let world = World::new().await;
    let client = world.client();
    drop(world.keycloak);
    assert_eq!(client.get(ITEMS).send().await.expect("an answer").status(), 200);

    let world = World::new().await;
    let client = world.client();
    client.get(ITEMS).send().await.expect("an answer");
    world.keycloak.close().await;
    client.get(ITEMS).send().await.expect("with the token at hand");
    world.clock.advance(Duration::from_secs(300));
    let error = client.get(ITEMS).send().await.expect_err("closed");
    assert!(chain(&error).ends_with("this Keycloak was closed"), "{}", chain(&error));
}
