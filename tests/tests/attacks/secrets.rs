//! Row 28: tokens and secrets stay where they are.

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, routing};
use keycloak_auth::{
    ClientAuthentication, Clock, CustomClaims, ErrorFormat, Introspection, Keycloak, KeycloakBuilder, KeycloakLayer,
    SecureRouter,
    dev::DevRealm,
    keycloak,
    metrics::{MetricsCollector, Tag},
    policy,
    routing::get,
};
use keycloak_auth_tests::{ACME_JSON, Authority, Issuer, Logs, Reply, Service, Token, http_client, now, rsa_key};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::setup::{builder, secure_router};

const SECRET: &str = "canary-client-secret";
const PRIVATE_KEY: &str = "canary-private-key";
/// In each token that the token endpoint gives.
const OBTAINED: &str = "canary-obtained";

/// Everything that a collector is told.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<String>>);

impl MetricsCollector for Told {
    fn increment_counter(&self, name: &str, tags: &[Tag<'_>]) {
        let mut text = self.0.lock().expect("no test panics in here");
        let _ = writeln!(text, "{name} {tags:?}");
    }

    fn observe_histogram(&self, name: &str, tags: &[Tag<'_>], value: f64) {
        let mut text = self.0.lock().expect("no test panics in here");
        let _ = writeln!(text, "{name} {tags:?} {value}");
    }

    fn set_gauge(&self, name: &str, tags: &[Tag<'_>], value: f64) {
        let mut text = self.0.lock().expect("no test panics in here");
        let _ = writeln!(text, "{name} {tags:?} {value}");
    }
}

/// No token of these tests has it.
#[derive(Deserialize)]
struct Tenant {
    tenant: u32,
}

#[keycloak(authenticated)]
async fn tenant(CustomClaims(claims): CustomClaims<Tenant>) -> String {
    claims.tenant.to_string()
}

#[tokio::test]
async fn row_28_shows_no_token_and_no_secret_in_logs_metrics_errors_and_debug() {
    let logs = Logs::capture();
    let told = Told::default();
    let issuer = Issuer::start().await;
    let configure = || {
        builder(&issuer)
            .client_secret(SECRET)
            .metrics_collector(told.clone())
            .key_set_cooldown(Duration::from_secs(1))
    };
    let keycloak = configure().build().expect("a valid configuration");
    let service = Service::start(secure_router().secure_with(keycloak.clone())).await;
    // Every other way in, and the other form of a refusal.
    let detailed = configure()
        .error_format(ErrorFormat::ProblemDetails)
        .record_enduser_id(true);
    let detailed = detailed.build().expect("a valid configuration");
    let router = SecureRouter::new()
        .route("/tenant", get(tenant))
        .nest("/reported", secure_router().report_only())
        .secure_with(detailed.clone());
    let plain = Router::new().route("/layer", routing::get(async || "let in"));
    let layered = |layer: KeycloakLayer| plain.clone().layer(layer);
    let router = router
        .merge(layered(detailed.layer()))
        .nest("/optional", layered(detailed.layer().optional()))
        .nest(
            "/required",
            layered(detailed.layer().require(policy!(realm_role("canary")))),
        );
    let others = Service::start(router).await;
    let tokens = tokens(&issuer);

    // While the keys cannot be fetched, when they can, and again.
    let mut shown = String::new();
    issuer.reply(Issuer::JWKS, Reply::status(503).body(format!("{SECRET}?")));
    for round in 0..3 {
        for token in &tokens {
            for path in ["/authenticated", "/admin", "/ops", "/optional", "/me", "/public"] {
                let answer = service.get_as(path, token).await;
                let _ = writeln!(shown, "{:?} {}", answer.headers, answer.text());
            }
            for path in [
                "/tenant",
                "/reported/admin",
                "/layer",
                "/optional/layer",
                "/required/layer",
            ] {
                let answer = others.get_as(path, token).await;
                let _ = writeln!(shown, "{:?} {}", answer.headers, answer.text());
            }
            let report = detailed.explain(&policy!(realm_role("canary")), token).await;
            let _ = writeln!(shown, "{report:?}");
            let (first, second) = token.split_at(token.len() / 2);
            for header in [
                format!("Authorization: Bearer {first} {second}"),
                format!("Authorization: Bearer {token}, Bearer {token}"),
                format!("Authorization: Basic {token}"),
                format!("Authorization: {token}"),
            ] {
                let answer = service.raw_get("/authenticated", &[header.as_bytes()]).await;
                let _ = writeln!(shown, "{:?} {}", answer.headers, answer.text());
            }
            let answer = service
                .get(&format!("/authenticated?access_token={token}"))
                .send()
                .await;
            let _ = writeln!(shown, "{:?} {}", answer.headers, answer.text());
            match keycloak.authenticate(token).await {
                Ok(user) => {
                    let _ = writeln!(shown, "{user:?} {:?}", &*user);
                }
                Err(error) => {
                    let _ = writeln!(shown, "{error:?} {error} {error:#}");
                    let mut cause = std::error::Error::source(&error);
                    while let Some(error) = cause {
                        let _ = writeln!(shown, "{error:?} {error}");
                        cause = error.source();
                    }
                }
            }
        }
        if round == 0 {
            issuer.reply_as_usual(Issuer::JWKS);
            tokio::time::timeout(Duration::from_secs(10), until_ready(&keycloak))
                .await
                .expect("the keys can be fetched");
        }
    }
    let _ = write!(
        shown,
        "{}",
        calls_to_other_services(configure(), &issuer, &service).await
    );
    let _ = writeln!(shown, "{keycloak:?} {keycloak:#?}");
    let _ = writeln!(shown, "{:?} {:#?}", configure(), keycloak.layer());
    let wrong = configure()
        .client_certificate(PRIVATE_KEY)
        .leeway(Duration::from_secs(1 << 20));
    let error = wrong.build().expect_err("no certificate and a huge leeway");
    let _ = writeln!(shown, "{error:?} {error}");

    let log = logs.text();
    let metrics = told.0.lock().expect("no test panics in here").clone();
    // The canary is alive: there is something in each of the places where it is looked for.
    assert!(log.contains("keycloak_auth"), "nothing was logged");
    assert!(log.contains("TRACE"), "nothing was logged at the lowest level");
    assert!(metrics.contains("fc_kc_token_validation_failure_total"), "{metrics}");
    assert!(
        shown.contains("token_expired") && shown.contains("KeycloakUser") && shown.contains("ServiceClient"),
        "{shown}"
    );
    assert!(log.contains("sending again with a fresh one"), "no call was sent again");

    let mut canaries = vec![SECRET.to_owned(), PRIVATE_KEY.to_owned(), OBTAINED.to_owned()];
    for token in &tokens {
        for part in token.split('.').skip(1).filter(|part| part.len() > 20) {
            canaries.push(part[..20].to_owned());
            canaries.push(part[part.len() - 20..].to_owned());
        }
    }
    for (place, text) in [("the log", &log), ("the metrics", &metrics), ("what is shown", &shown)] {
        for canary in &canaries {
            // The issuer of this test says the secret; nobody may repeat it.
            let hit = text.lines().find(|line| line.contains(canary.as_str()));
            assert_eq!(hit, None, "{place} has the canary `{canary}`");
        }
    }
}

#[tokio::test]
async fn row_28_shows_nothing_of_what_the_client_authenticates_by() {
    let logs = Logs::capture();
    let key = rsa_key(1);
    let pem = key.private_pem();
    let own_token = "canary-of-the-services-own-token";
    for authentication in [
        ClientAuthentication::client_secret_basic(SECRET),
        ClientAuthentication::client_secret_post(SECRET),
        ClientAuthentication::private_key_jwt(pem.clone()).into(),
    ] {
        let issuer = Issuer::start().await;
        let builder = builder(&issuer)
            .client_authentication(authentication)
            .introspection(Introspection::WhenOpaque);
        let mut shown = format!("{builder:?} {builder:#?}");
        let keycloak = builder.build().expect("a valid configuration");
        let tokens = json!({ "access_token": own_token, "token_type": "Bearer", "expires_in": 300 });
        // Refused, accepted, and refused by somebody who repeats what was sent.
        for reply in [
            Reply::status(401).body(r#"{"error":"invalid_client"}"#),
            Reply::json(&tokens),
            Reply::status(500).body(SECRET),
        ] {
            issuer.reply(Issuer::TOKEN, reply.clone());
            issuer.reply(Issuer::INTROSPECTION, reply);
            let _ = writeln!(shown, "{:?}", keycloak.client_credentials().await.err());
            let _ = writeln!(shown, "{:?}", keycloak.authenticate("an-opaque-canary").await);
            let _ = writeln!(shown, "{:?} {0}", keycloak.diagnose().await);
        }
        let _ = writeln!(shown, "{keycloak:?} {keycloak:#?}");
        let mut canaries = [SECRET, own_token, "an-opaque-canary"].map(str::to_owned).to_vec();
        let request = issuer.last_request_to(Issuer::INTROSPECTION).expect("a request");
        canaries.extend(request.authorization.map(|value| value["Basic ".len()..].to_owned()));
        for (name, value) in request.form {
            if name == "client_assertion" {
                canaries.push(value[value.len() - 40..].to_owned());
                canaries.push(pem[40..80].to_owned());
            }
        }
        assert!(canaries.len() > 3 || shown.contains("client_secret_post"), "{shown}");
        let log = logs.text();
        assert!(log.contains("keycloak_auth"), "nothing was logged");
        for canary in canaries {
            for (place, text) in [("the log", &log), ("what is shown", &shown)] {
                let hit = text.lines().find(|line| line.contains(&canary));
                assert_eq!(hit, None, "{place} has the canary `{canary}`");
            }
        }
    }
}

#[tokio::test]
async fn row_28_redacts_bodies_of_answers_from_keycloak() {
    let logs = Logs::capture();
    let issuer = Issuer::start().await;
    let keycloak = builder(&issuer)
        .key_set_cooldown(Duration::from_secs(1))
        .build()
        .expect("a valid configuration");
    let body = json!({ "keys": [{ "kty": "oct", "kid": "named", "k": "canary-of-a-symmetric-key" }] });
    issuer.reply(Issuer::JWKS, Reply::json(&body));
    let error = keycloak.ready().await.expect_err("no usable key");
    let shown = format!("{error:?} {error} {:?} {}", error.cause(), error.cause());
    let log = logs.text();
    assert!(log.contains("keycloak_auth"), "nothing was logged");
    for text in [&shown, &log] {
        assert!(!text.contains("canary-of-a-symmetric-key"), "{text}");
    }
}

#[tokio::test]
async fn row_28_shows_nothing_of_the_clients_certificate() {
    let logs = Logs::capture();
    let authority = Authority::default();
    let pem = authority.client_pem("orders-api");
    let issuer = Issuer::with_tls(authority.certificate_for_known_clients(&["127.0.0.1"])).await;
    let builder = builder(&issuer)
        .root_certificates(authority.pem())
        .client_certificate(pem.clone())
        .client_authentication(ClientAuthentication::tls_client_auth())
        .introspection(Introspection::WhenOpaque);
    let mut shown = format!("{builder:?} {builder:#?}");
    let keycloak = builder.build().expect("a valid configuration");
    for reply in [
        Reply::status(401).body(r#"{"error":"invalid_client"}"#),
        Reply::status(500),
    ] {
        issuer.reply(Issuer::TOKEN, reply.clone());
        issuer.reply(Issuer::INTROSPECTION, reply);
        let _ = writeln!(shown, "{:?}", keycloak.client_credentials().await);
        let _ = writeln!(shown, "{:?}", keycloak.authenticate("an-opaque-canary").await);
        let _ = writeln!(shown, "{:?} {0}", keycloak.diagnose().await);
    }
    let _ = writeln!(shown, "{keycloak:?} {keycloak:#?}");
    assert!(
        issuer.requests_to(Issuer::INTROSPECTION) >= 2,
        "the certificate is shown to the issuer"
    );
    let (_, key) = pem.split_once("PRIVATE KEY-----").expect("a key");
    let lines = key.lines().filter(|line| line.len() > 20 && !line.starts_with("---"));
    let canaries: Vec<&str> = lines.chain(["an-opaque-canary"]).collect();
    assert!(canaries.len() > 2, "{}", canaries.len());
    for (place, text) in [("the log", &logs.text()), ("what is shown", &shown)] {
        for canary in &canaries {
            let hit = text.lines().find(|line| line.contains(canary));
            assert_eq!(hit, None, "{place} has the canary `{canary}`");
        }
    }
}

/// All grants, and calls with each kind of token, answered well, with 401, and not at all; returns what they show.
async fn calls_to_other_services(configured: KeycloakBuilder, issuer: &Issuer, service: &Service) -> String {
    let clock = Clock::manual(Duration::from_secs(now()));
    let keycloak = configured.clock(clock.clone()).build().expect("a valid configuration");
    let mut shown = String::new();
    let answer = json!({
        "access_token": format!("{OBTAINED}-access"), "token_type": "Bearer", "expires_in": 300,
        "refresh_token": format!("{OBTAINED}-refresh"), "id_token": format!("{OBTAINED}-id"),
    });
    let caller = keycloak
        .authenticate(&issuer.valid_token())
        .await
        .expect("a good token");
    let clients = [service.url(""), "http://127.0.0.1:1".to_owned()];
    let clients = clients.map(|origin| {
        keycloak
            .service_client()
            .for_origin(origin)
            .audience("stock-api")
            .audience("orders-api")
            .build()
    });
    for reply in [
        Reply::json(&answer),
        // The tokens at hand are to be replaced by others.
        Reply::json(&answer),
        Reply::status(400).body(json!({ "error": "invalid_grant", "error_description": "why" }).to_string()),
        Reply::status(500).body(answer.to_string()),
        Reply::status(200).body(format!("{{\"access_token\": \"{OBTAINED}")),
    ] {
        issuer.reply(Issuer::TOKEN, reply);
        for client in &clients {
            let client = client.as_ref().expect("an origin");
            let on_behalf = client.on_behalf_of(&caller);
            for client in [client.clone(), on_behalf.clone().pass_on(), on_behalf.exchange()] {
                let call = client.get("/authenticated").body("body");
                let _ = writeln!(shown, "{client:?} {call:?}");
                let _ = writeln!(shown, "{:?}", call.send().await);
                clock.advance(Duration::from_secs(20));
            }
        }
        let refresh = keycloak.refresh_token("canary-obtained-refresh");
        let _ = writeln!(shown, "{refresh:?}");
        let _ = writeln!(shown, "{:?}", refresh.await);
        let exchange = keycloak.exchange_token(caller.access_token());
        let _ = writeln!(shown, "{exchange:?}");
        let _ = writeln!(shown, "{:?}", exchange.await);
        let _ = writeln!(shown, "{:?}", keycloak.client_credentials().await);
    }
    shown
}

/// Both sides are in this process: what asks, and what answers as Keycloak does.
#[tokio::test]
async fn row_28_shows_no_secret_of_grants_introspection_diagnosis_and_the_embedded_realm() {
    const REALM_SECRET: &str = "orders-api-secret";
    let logs = Logs::capture();
    let told = Told::default();
    let realm = DevRealm::from_json(ACME_JSON).expect("a realm file");
    let realm = realm.start().await.expect("loopback has a free port");
    let configure = || {
        Keycloak::builder()
            .server_url(realm.server_url())
            .realm(realm.realm().name())
            .client_id("orders-api")
            .client_secret(REALM_SECRET)
            .audience("orders-api")
            .metrics_collector(told.clone())
            .record_enduser_id(true)
    };
    let keycloak = configure().build().expect("a valid configuration");
    let introspecting = configure()
        .use_introspection(true)
        .build()
        .expect("a valid configuration");
    let wrong = configure()
        .client_secret(SECRET)
        .build()
        .expect("a valid configuration");

    let form = [
        ("grant_type", "password"),
        ("client_id", "orders-web"),
        ("username", "bob"),
        ("password", "bob"),
    ];
    let endpoint = format!("{}/protocol/openid-connect/token", realm.issuer());
    let answer = http_client()
        .post(endpoint)
        .form(&form)
        .send()
        .await
        .expect("an answer");
    let answer: Value = answer.json().await.expect("JSON");
    let text = |member: &str| answer[member].as_str().expect("a token").to_owned();
    let (access, refresh) = (text("access_token"), text("refresh_token"));
    let mut tokens = vec![access.clone(), refresh.clone()];

    let mut shown = String::new();
    for keycloak in [&keycloak, &introspecting, &wrong] {
        for credential in [&*access, &*refresh, "an-opaque-canary-of-a-token"] {
            let _ = writeln!(shown, "{:?}", keycloak.authenticate(credential).await);
        }
        let refreshed = keycloak.refresh_token(&refresh).public_client("orders-web").await;
        let own = keycloak.client_credentials().await;
        let exchanged = keycloak.exchange_token(&access).audience("billing-api").await;
        for outcome in [refreshed, own, exchanged] {
            let _ = writeln!(shown, "{outcome:?}");
            if let Ok(outcome) = outcome {
                tokens.push(outcome.access_token.clone());
                tokens.extend(outcome.refresh_token.clone());
            }
        }
        let report = keycloak.diagnose().token(&access).await;
        let _ = writeln!(shown, "{report:?} {report}");
        let _ = writeln!(shown, "{}", serde_json::to_string(&report).expect("JSON"));
        let service = Service::start(secure_router().secure_with(keycloak.clone())).await;
        for path in ["/authenticated", "/admin", "/me"] {
            let answer = service.get_as(path, &access).await;
            let _ = writeln!(shown, "{:?} {}", answer.headers, answer.text());
        }
    }
    assert!(tokens.len() >= 4, "the grants brought tokens: {shown}");

    let log = logs.text();
    let metrics = told.0.lock().expect("no test panics in here").clone();
    for part in [
        "keycloak.request",
        "keycloak.outcome",
        "keycloak.client_refused",
        "enduser.id",
    ] {
        assert!(
            logs.records()
                .iter()
                .any(|record| record.name == part || record.declared.contains(&part)),
            "{part}"
        );
    }
    let mut canaries = vec![SECRET.to_owned(), REALM_SECRET.to_owned(), "opaque-canary".to_owned()];
    for token in &tokens {
        let parts = token.split('.').skip(1).filter(|part| part.len() > 20);
        canaries.extend(parts.flat_map(|part| [part[..20].to_owned(), part[part.len() - 20..].to_owned()]));
    }
    for (place, text) in [("the log", &log), ("the metrics", &metrics), ("what is shown", &shown)] {
        for canary in &canaries {
            let hit = text.lines().find(|line| line.contains(canary.as_str()));
            assert_eq!(hit, None, "{place} has the canary `{canary}`");
        }
    }
}

async fn until_ready(keycloak: &Keycloak) {
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    while keycloak.ready().await.is_err() {
        ticks.tick().await;
    }
}

/// Good ones and bad ones: each of them is a secret, since what is bad here may be good elsewhere.
fn tokens(issuer: &Issuer) -> Vec<String> {
    let key = issuer.key();
    let token = || issuer.token();
    let refresh = Token::of(
        &json!({ "typ": "JWT" }),
        &json!({ "typ": "Refresh", "iss": issuer.issuer(), "aud": issuer.issuer(), "jti": "canary-of-a-refresh-token" }),
    );
    vec![
        token().sign(key),
        token().claim("exp", 1).sign(key),
        token().claim("iat", u64::from(u32::MAX)).sign(key),
        token().claim("aud", "canary-of-an-audience").sign(key),
        token().claim("iss", "https://canary-of-an-issuer.test").sign(key),
        token().claim("typ", "ID").sign(key),
        token()
            .claim("typ", "DPoP")
            .claim("cnf", json!({ "jkt": "canary" }))
            .sign(key),
        token().claim("realm_access", json!("canary-of-a-wrong-type")).sign(key),
        token().without("groups").without("realm_access").sign(key),
        token().sign(&rsa_key(1)),
        token().sign(&rsa_key(1).with_kid(key.kid())),
        token().header("crit", json!(["canary"])).sign(key),
        token().header("alg", "none").with_signature(key, ""),
        token().raw_payload("not JSON, and yet a canary").sign(key),
        refresh.hmac("HS512", "d9f6d3c2-9a52-4c41-bd14-6f1f6a0d6c7b", &[7; 64]),
        "an-opaque-token-which-is-a-canary-as-well".to_owned(),
    ]
}
