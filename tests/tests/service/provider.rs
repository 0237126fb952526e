//! The issuer as a provider of keys: slow, wrong, gone, back again.

use std::{sync::Arc, time::Duration};

use keycloak_auth::{AuthError, Keycloak, ProviderError};
use keycloak_auth_tests::{Answer, Issuer, Logs, Reply, Service, SigningKey, rsa_key};
use serde_json::json;
use tokio::task::JoinSet;

use crate::setup::{builder, clock, lasting, routes, service};

const HOUR: Duration = Duration::from_secs(3600);

#[track_caller]
fn assert_let_in(answer: &Answer) {
    assert_eq!((answer.status, answer.text().as_str()), (200, "alice"), "{answer:?}");
}

#[track_caller]
fn assert_unavailable(answer: &Answer) {
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.challenges().is_empty(), "{answer:?}");
    assert!(
        answer.retry_after().is_some_and(|seconds| (1..=30).contains(&seconds)),
        "{answer:?}"
    );
    assert_eq!(answer.json()["error"]["code"], "keycloak_connection_error");
}

#[track_caller]
fn assert_unknown_key(answer: &Answer) {
    assert_eq!(
        (answer.status, &answer.json()["error"]["code"]),
        (401, &json!("unknown_kid")),
        "{answer:?}"
    );
}

/// Waits until `condition` holds; a background fetch is not awaited by anybody.
async fn eventually(what: &str, condition: impl Fn() -> bool) {
    for _ in 0..500 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never happened: {what}");
}

#[tokio::test]
async fn building_and_public_routes_need_no_keycloak() {
    let issuer = Issuer::start().await;
    let service = service(&builder(&issuer).build().expect("valid")).await;
    assert_eq!(service.get("/health").send().await.status, 200);
    assert_eq!(service.get("/me").send().await.status, 401);
    assert!(issuer.requests().is_empty(), "{:?}", issuer.requests());
}

#[tokio::test]
async fn concurrent_cold_requests_share_one_fetch() {
    let issuer = Issuer::start().await;
    issuer.reply(
        Issuer::DISCOVERY,
        issuer.usual(Issuer::DISCOVERY).after(Duration::from_millis(200)),
    );
    let service = Arc::new(service(&builder(&issuer).build().expect("valid")).await);
    let mut requests = JoinSet::new();
    for number in 0..1000 {
        let (service, token) = (
            Arc::clone(&service),
            issuer.token().claim("jti", number).sign(issuer.key()),
        );
        requests.spawn(async move { service.get_as("/me", &token).await });
    }
    requests.join_all().await.iter().for_each(assert_let_in);
    assert_eq!(issuer.requests(), [Issuer::DISCOVERY, Issuer::JWKS]);
}

#[tokio::test]
async fn a_cold_start_answers_503_and_recovers_by_itself() {
    let issuer = Issuer::start().await;
    issuer.reply(Issuer::JWKS, Reply::status(500));
    let clock = clock();
    let keycloak = builder(&issuer).clock(clock.clone()).build().expect("valid");
    let service = service(&keycloak).await;
    let token = issuer.valid_token();
    assert_unavailable(&service.get_as("/me", &token).await);
    let fetched = issuer.key_fetches();
    assert_unavailable(&service.get_as("/me", &token).await);
    assert_eq!(issuer.key_fetches(), fetched, "the pause after a failure is kept");
    assert_eq!(
        service.get_as("/me", "garbage").await.status,
        401,
        "garbage needs no keys"
    );

    issuer.reply_as_usual(Issuer::JWKS);
    clock.advance(Duration::from_secs(1));
    assert_let_in(&service.get_as("/me", &token).await);
    assert!(keycloak.last_provider_error().is_none());
}

#[tokio::test]
async fn a_cold_start_with_a_server_that_never_answers_takes_less_than_five_seconds() {
    let issuer = Issuer::start().await;
    issuer.reply(Issuer::DISCOVERY, Reply::status(200).after(HOUR));
    let keycloak = builder(&issuer)
        .request_timeout(Duration::from_millis(400))
        .build()
        .expect("valid");
    let service = service(&keycloak).await;
    assert_unavailable(&service.get_as("/me", &issuer.valid_token()).await);
    eventually("the fetch is given up", || {
        matches!(
            keycloak.last_provider_error().as_deref(),
            Some(ProviderError::Timeout { .. })
        )
    })
    .await;
}

#[tokio::test]
async fn a_flood_of_unknown_keys_causes_one_fetch_in_a_cooldown() {
    let issuer = Issuer::start().await;
    let clock = clock();
    let service = service(&builder(&issuer).clock(clock.clone()).build().expect("valid")).await;
    let valid = issuer.valid_token();
    assert_let_in(&service.get_as("/me", &valid).await);
    let flood = async |answer: Reply| {
        issuer.reply(Issuer::JWKS, answer);
        clock.advance(Duration::from_secs(30));
        let before = issuer.key_fetches();
        for number in 0..50 {
            let token = issuer.token().sign(&rsa_key(1).with_kid(&format!("unknown-{number}")));
            assert_unknown_key(&service.get_as("/me", &token).await);
            assert_let_in(&service.get_as("/me", &valid).await);
        }
        issuer.key_fetches() - before
    };
    assert_eq!(flood(issuer.usual(Issuer::JWKS)).await, 1, "while fetching succeeds");
    assert_eq!(flood(Reply::status(500)).await, 1, "while fetching fails");
    assert_eq!(
        flood(Reply::json(&json!({ "keys": [] }))).await,
        1,
        "while the set is empty"
    );
}

/// Who asks with an unknown key has just waited for the newest keys, so another fetch cannot help.
#[tokio::test]
async fn one_request_waits_for_one_fetch_however_long_that_takes() {
    let issuer = Issuer::start().await;
    let slow = issuer.usual(Issuer::JWKS).after(Duration::from_millis(1500));
    issuer.reply(Issuer::JWKS, slow);
    let keycloak = builder(&issuer)
        .key_set_cooldown(Duration::from_secs(1))
        .build()
        .expect("valid");
    let service = service(&keycloak).await;
    let unknown = issuer.token().sign(&rsa_key(1).with_kid("unknown"));
    assert_unknown_key(&service.get_as("/me", &unknown).await);
    assert_eq!(issuer.key_fetches(), 1);
}

#[tokio::test]
async fn row_41_a_new_key_is_found_as_soon_as_the_cooldown_allows() {
    let logs = Logs::capture();
    let issuer = Issuer::start().await;
    let clock = clock();
    let service = service(&builder(&issuer).clock(clock.clone()).build().expect("valid")).await;
    assert_let_in(&service.get_as("/me", &issuer.valid_token()).await);
    let new = rsa_key(1).with_kid("new");
    issuer.publish(&[issuer.key().clone(), new.clone()]);
    let token = issuer.token().sign(&new);
    assert_unknown_key(&service.get_as("/me", &token).await);
    clock.advance(Duration::from_secs(30));
    assert_let_in(&service.get_as("/me", &token).await);
    assert_let_in(&service.get_as("/me", &issuer.valid_token()).await);
    assert_eq!(issuer.key_fetches(), 2, "one for each key");
    let warned = logs
        .records()
        .into_iter()
        .filter(|record| record.level <= tracing::Level::WARN);
    assert_eq!(warned.count(), 0, "a rotation is no trouble");
}

#[tokio::test]
async fn row_41_a_key_that_is_gone_from_a_fetched_set_is_dead_at_once_cached_tokens_included() {
    let logs = Logs::capture();
    let issuer = Issuer::start().await;
    let clock = clock();
    let service = service(&builder(&issuer).clock(clock.clone()).build().expect("valid")).await;
    let old = issuer.valid_token();
    for _ in 0..4 {
        assert_let_in(&service.get_as("/me", &old).await);
    }
    let new = rsa_key(1).with_kid("new");
    issuer.publish(std::slice::from_ref(&new));
    clock.advance(Duration::from_secs(30));
    assert_let_in(&service.get_as("/me", &issuer.token().sign(&new)).await);
    assert_unknown_key(&service.get_as("/me", &old).await);
    assert_eq!(issuer.key_fetches(), 2, "one for the old key, one for the new one");
    let records = logs.records().into_iter();
    let warned: Vec<_> = records.filter(|record| record.level <= tracing::Level::WARN).collect();
    assert!(warned.is_empty(), "a rotation is no trouble: {warned:#?}");
}

#[tokio::test]
async fn another_key_under_the_same_kid_does_not_inherit_cached_tokens() {
    let issuer = Issuer::start().await;
    let clock = clock();
    let service = service(&builder(&issuer).clock(clock.clone()).build().expect("valid")).await;
    let old = issuer.valid_token();
    for _ in 0..4 {
        assert_let_in(&service.get_as("/me", &old).await);
    }
    let impostor = rsa_key(1).with_kid(issuer.key().kid());
    issuer.publish(&[impostor.clone(), rsa_key(2).with_kid("other")]);
    clock.advance(Duration::from_secs(30));
    assert_let_in(
        &service
            .get_as("/me", &issuer.token().sign(&rsa_key(2).with_kid("other")))
            .await,
    );
    let answer = service.get_as("/me", &old).await;
    assert_eq!(
        (answer.status, &answer.json()["error"]["code"]),
        (401, &json!("invalid_signature")),
        "{answer:?}"
    );
}

#[tokio::test]
async fn the_set_is_reloaded_ahead_in_the_background() {
    let issuer = Issuer::start().await;
    let clock = clock();
    let service = service(&builder(&issuer).clock(clock.clone()).build().expect("valid")).await;
    let token = lasting(&issuer, HOUR).sign(issuer.key());
    assert_let_in(&service.get_as("/me", &token).await);
    clock.advance(Duration::from_secs(240));
    assert_let_in(&service.get_as("/me", &token).await);
    assert_eq!(issuer.key_fetches(), 1, "long before the end of its lifetime");
    clock.advance(Duration::from_secs(31));
    assert_let_in(&service.get_as("/me", &token).await);
    eventually("the reload", || issuer.key_fetches() == 2).await;
    assert_eq!(
        issuer.requests_to(Issuer::DISCOVERY),
        1,
        "the discovery document is still good"
    );
}

#[tokio::test]
async fn row_40_the_last_good_keys_serve_through_an_outage_and_no_longer() {
    let logs = Logs::capture();
    let issuer = Issuer::start().await;
    let clock = clock();
    let keycloak = builder(&issuer).clock(clock.clone()).build().expect("valid");
    let service = service(&keycloak).await;
    let token = lasting(&issuer, 48 * HOUR).sign(issuer.key());
    assert_let_in(&service.get_as("/me", &token).await);
    issuer.reply(Issuer::JWKS, Reply::status(503));
    issuer.reply(Issuer::DISCOVERY, Reply::status(503));
    let mut attempts = issuer.requests().len();
    // Every 10 min of 24 h less a minute and a half: a token that is known, and one that was never seen.
    for number in 0..144 {
        clock.advance(Duration::from_secs(600) - Duration::from_millis(600));
        assert_let_in(&service.get_as("/me", &token).await);
        let fresh = lasting(&issuer, 48 * HOUR).claim("jti", number).sign(issuer.key());
        assert_let_in(&service.get_as("/me", &fresh).await);
        eventually("the attempt of these minutes", || issuer.requests().len() > attempts).await;
        attempts = issuer.requests().len();
        assert!(keycloak.is_ready());
    }
    assert_eq!(
        attempts,
        2 + 144,
        "one for every 10 min, when each is asked for twice and more"
    );
    clock.advance(Duration::from_secs(90));
    assert_unavailable(&service.get_as("/me", &token).await);
    let warnings = logs
        .text()
        .matches("cannot fetch Keycloak's keys, the last good keys stay in use")
        .count();
    assert_eq!(warnings, 1, "one warning for the change of state: {}", logs.text());

    issuer.reply_as_usual(Issuer::JWKS);
    issuer.reply_as_usual(Issuer::DISCOVERY);
    clock.advance(Duration::from_secs(30));
    assert_let_in(&service.get_as("/me", &token).await);
    assert!(logs.text().contains("Keycloak answers again"), "{}", logs.text());
}

#[tokio::test]
async fn odd_keys_do_not_spoil_the_set() {
    let issuer = Issuer::start().await;
    let mut encryption = rsa_key(1).with_kid("enc").jwk();
    encryption["use"] = json!("enc");
    encryption["alg"] = json!("RSA-OAEP");
    issuer.publish_jwks(vec![
        json!(null),
        json!(7),
        json!({ "kty": "AKP", "kid": "pq", "alg": "ML-DSA-65", "pub": "AA" }),
        json!({ "kty": "OKP", "kid": "448", "crv": "Ed448", "x": "AA" }),
        encryption,
        issuer.key().jwk(),
    ]);
    let service = service(&builder(&issuer).build().expect("valid")).await;
    assert_let_in(&service.get_as("/me", &issuer.valid_token()).await);
}

#[tokio::test]
async fn answers_that_must_not_be_believed_are_not() {
    let trap = Issuer::start().await;
    let foreign = trap.url().to_owned();
    for (what, path, reply) in [
        (
            "a redirect",
            Issuer::JWKS,
            Reply::status(302).header("location", &format!("{foreign}{}", Issuer::JWKS)),
        ),
        (
            "a redirected discovery",
            Issuer::DISCOVERY,
            Reply::status(301).header("location", &format!("{foreign}{}", Issuer::DISCOVERY)),
        ),
        ("not found", Issuer::JWKS, Reply::status(404)),
        ("too many requests", Issuer::JWKS, Reply::status(429)),
        ("a login page", Issuer::JWKS, Reply::status(200).body("<html>")),
        ("an empty body", Issuer::JWKS, Reply::status(200)),
        ("no keys", Issuer::JWKS, Reply::json(&json!({ "keys": [] }))),
        (
            "encryption keys only",
            Issuer::JWKS,
            Reply::json(&json!({ "keys": [{ "kty": "RSA", "use": "enc", "n": "AQAB", "e": "AQAB" }] })),
        ),
        ("50 MB", Issuer::JWKS, Reply::status(200).body(vec![b' '; 50_000_000])),
        (
            "another issuer",
            Issuer::DISCOVERY,
            Reply::json(
                &json!({ "issuer": format!("{foreign}/realms/acme"), "jwks_uri": format!("{foreign}{}", Issuer::JWKS) }),
            ),
        ),
        (
            "no issuer",
            Issuer::DISCOVERY,
            Reply::json(&json!({ "jwks_uri": format!("{foreign}{}", Issuer::JWKS) })),
        ),
    ] {
        let issuer = Issuer::start().await;
        issuer.reply(path, reply);
        let service = service(&builder(&issuer).build().expect("valid")).await;
        let answer = service.get_as("/me", &issuer.valid_token()).await;
        assert_eq!(answer.status, 503, "{what}: {answer:?}");
        assert_unavailable(&answer);
    }
    let issuer = Issuer::start().await;
    issuer.reply(
        Issuer::DISCOVERY,
        Reply::json(&json!({ "issuer": issuer.issuer(), "jwks_uri": format!("{foreign}{}", Issuer::JWKS) })),
    );
    let keycloak = builder(&issuer).build().expect("valid");
    let error = keycloak.ready().await.expect_err("the keys are on another server");
    assert!(
        matches!(error.cause(), ProviderError::ForeignEndpoint { member: "jwks_uri" }),
        "{error:?}"
    );
    assert!(trap.requests().is_empty(), "{:?}", trap.requests());
}

#[tokio::test]
async fn a_wrong_issuer_is_explained_with_both_names() {
    let issuer = Issuer::start().await;
    let public = "https://id.example.com/realms/acme";
    let document =
        json!({ "issuer": "https://internal/realms/acme", "jwks_uri": format!("{}{}", issuer.url(), Issuer::JWKS) });
    issuer.reply(Issuer::DISCOVERY, Reply::json(&document));
    let keycloak = builder(&issuer).issuer(public).build().expect("valid");
    let error = keycloak.ready().await.expect_err("another issuer");
    let text = error.cause().to_string();
    for said in [
        public,
        ".issuer(\"https://internal/realms/acme\")",
        "the first one takes the place of the default",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    // What it advises works.
    let advised = builder(&issuer).issuer(public).issuer("https://internal/realms/acme");
    let service = service(&advised.build().expect("valid")).await;
    let token = issuer.token().claim("iss", public).sign(issuer.key());
    assert_let_in(&service.get_as("/me", &token).await);
}

/// A Keycloak without `KC_HOSTNAME`: the document names the address that it was asked at, tokens the one that clients use.
#[tokio::test]
async fn an_issuer_takes_the_place_of_the_default_where_the_document_names_the_address_asked() {
    let issuer = Issuer::start().await;
    let server_url = issuer.url().replace("127.0.0.1", "localhost");
    let as_asked = format!("{server_url}/realms/acme");
    let document = json!({ "issuer": &as_asked, "jwks_uri": format!("{server_url}{}", Issuer::JWKS) });
    issuer.reply(Issuer::DISCOVERY, Reply::json(&document));
    let by_localhost = builder(&issuer).server_url(server_url);
    let by_default = service(&by_localhost.clone().build().expect("valid")).await;
    let answer = by_default.get_as("/me", &issuer.valid_token()).await;
    assert_eq!(
        (answer.status, &answer.json()["error"]["code"]),
        (401, &json!("invalid_claims"))
    );
    let service = service(&by_localhost.issuer(issuer.issuer()).build().expect("valid")).await;
    assert_let_in(&service.get_as("/me", &issuer.valid_token()).await);
    // No token may name what only the document does.
    let token = issuer.token().claim("iss", as_asked).sign(issuer.key());
    let answer = service.get_as("/me", &token).await;
    assert_eq!(
        (answer.status, &answer.json()["error"]["code"]),
        (401, &json!("invalid_claims"))
    );
}

#[tokio::test]
async fn keycloak_may_be_reached_by_another_address_than_its_tokens_name() {
    let issuer = Issuer::start().await;
    let public = "https://id.example.com/realms/acme";
    issuer.reply(
        Issuer::DISCOVERY,
        Reply::json(&json!({ "issuer": public, "jwks_uri": format!("{public}/protocol/openid-connect/certs") })),
    );
    let service = service(&builder(&issuer).issuer(public).build().expect("valid")).await;
    assert_let_in(
        &service
            .get_as("/me", &issuer.token().claim("iss", public).sign(issuer.key()))
            .await,
    );
    let answer = service.get_as("/me", &issuer.valid_token()).await;
    assert_eq!(
        (answer.status, &answer.json()["error"]["code"]),
        (401, &json!("invalid_claims"))
    );
}

#[tokio::test]
async fn a_configured_jwks_uri_needs_no_discovery() {
    let issuer = Issuer::start().await;
    let jwks_uri = format!("{}{}", issuer.url(), Issuer::JWKS);
    let service = service(&builder(&issuer).jwks_uri(jwks_uri).build().expect("valid")).await;
    assert_let_in(&service.get_as("/me", &issuer.valid_token()).await);
    assert_eq!(issuer.requests(), [Issuer::JWKS]);
}

#[tokio::test]
async fn nothing_is_left_when_the_last_handle_is_dropped() {
    let issuer = Issuer::start().await;
    issuer.reply(Issuer::DISCOVERY, Reply::status(200).after(HOUR));
    let alive = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = alive();
    let keycloak = builder(&issuer).build().expect("valid");
    let asking = tokio::spawn({
        let keycloak = keycloak.clone();
        async move { keycloak.ready().await }
    });
    eventually("the fetch has begun", || !issuer.requests().is_empty()).await;
    asking.abort();
    drop(keycloak);
    eventually("all tasks have ended", || alive() <= before + 1).await;
}

#[tokio::test]
async fn closing_ends_the_fetch_and_keeps_the_keys() {
    let issuer = Issuer::start().await;
    let keycloak = builder(&issuer).build().expect("valid");
    let token = issuer.valid_token();
    keycloak.authenticate(&token).await.expect("a valid token");
    keycloak.close().await;
    keycloak.authenticate(&token).await.expect("the keys are still there");
    let cold = builder(&issuer).build().expect("valid");
    cold.close().await;
    let error = cold.authenticate(&token).await.expect_err("no keys, and closed");
    let AuthError::Unavailable(unavailable) = error else {
        panic!("{error:?}")
    };
    assert!(matches!(unavailable.cause(), ProviderError::Closed), "{unavailable:?}");
}

#[tokio::test]
async fn keys_that_were_fetched_in_a_runtime_that_is_gone_can_be_fetched_in_another() {
    let issuer = Issuer::start().await;
    issuer.reply(
        Issuer::DISCOVERY,
        issuer.usual(Issuer::DISCOVERY).after(Duration::from_millis(300)),
    );
    let keycloak = builder(&issuer).build().expect("valid");
    let short_lived = keycloak.clone();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let _ = tokio::time::timeout(Duration::from_millis(50), short_lived.ready()).await;
        });
    })
    .join()
    .expect("the thread ends");
    keycloak.authenticate(&issuer.valid_token()).await.expect("a new fetch");
}

#[tokio::test]
async fn two_realms_of_one_server_do_not_share_keys() {
    let issuer = Issuer::start().await;
    issuer.publish_in("other", vec![issuer.key().jwk()]);
    let acme = service(&builder(&issuer).build().expect("valid")).await;
    let other: Keycloak = builder(&issuer).realm("other").build().expect("valid");
    let other = Service::start(routes().secure_with(other)).await;
    let token = issuer
        .token()
        .claim("iss", issuer.issuer_of("other"))
        .sign(issuer.key());
    assert_let_in(&other.get_as("/me", &token).await);
    assert_eq!(acme.get_as("/me", &token).await.status, 401);
}

#[tokio::test]
async fn every_algorithm_of_keycloak_is_verified_when_it_is_configured() {
    use keycloak_auth::Algorithm;
    for (key, algorithm) in [
        (SigningKey::es256("ec"), Algorithm::ES256),
        (SigningKey::es384("ec"), Algorithm::ES384),
        (SigningKey::ed25519("ed"), Algorithm::EdDSA),
    ] {
        let issuer = Issuer::with_key(key).await;
        let configured = service(
            &builder(&issuer)
                .algorithms([Algorithm::RS256, algorithm])
                .build()
                .expect("valid"),
        )
        .await;
        assert_let_in(&configured.get_as("/me", &issuer.valid_token()).await);
        let default = service(&builder(&issuer).build().expect("valid")).await;
        let answer = default.get_as("/me", &issuer.valid_token()).await;
        assert_eq!(
            (answer.status, &answer.json()["error"]["code"]),
            (401, &json!("invalid_algorithm")),
            "{algorithm}"
        );
    }
}

#[tokio::test]
async fn a_key_that_is_gone_is_dead_even_when_the_clock_was_set_back() {
    let (old, new) = (keycloak_auth_tests::rsa_key(0), keycloak_auth_tests::rsa_key(1));
    let issuer = Issuer::with_key(old.clone()).await;
    issuer.publish(&[old.clone(), new.clone()]);
    let clock = clock();
    let service = service(&builder(&issuer).clock(clock.clone()).build().expect("valid")).await;
    let token = lasting(&issuer, Duration::from_secs(86_400)).claim("iat", 1).sign(&old);
    for _ in 0..4 {
        assert_eq!(service.get_as("/me", &token).await.status, 200);
    }
    clock.set(clock.now() - Duration::from_secs(7200));
    issuer.publish(&[new]);
    let fetches = issuer.key_fetches();
    // The first request behind the step starts the reload.
    assert_eq!(service.get_as("/me", &token).await.status, 200);
    while issuer.key_fetches() == fetches {
        tokio::task::yield_now().await;
    }
    let mut status = 200;
    for _ in 0..100 {
        status = service.get_as("/me", &token).await.status;
        if status == 401 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(status, 401);
}
