//! Which tokens Keycloak is asked about, and what has to be right before and after.

use std::time::Duration;

use keycloak_auth::{Introspection, Keycloak, SecureRouter, dev::DevRealm, keycloak, routing::get};
use keycloak_auth_tests::{ACME, ACME_JSON, Issuer, Logs, Realm, Reply, Service, Token, claims_of, rsa_key};
use serde_json::{Value, json};
use tracing::Level;

use super::{answer_for, assert_said, code, full_claims, in_mode, lightweight};
use crate::setup::{clock, routes};

const MODES: [Introspection; 5] = [
    Introspection::Never,
    Introspection::WhenLightweight,
    Introspection::WhenOpaque,
    Introspection::WhenNeeded,
    Introspection::Always,
];

#[keycloak(not(realm_role("suspended")))]
async fn unless_suspended() -> &'static str {
    "let in"
}

#[keycloak(public)]
async fn ready(axum::extract::State(keycloak): axum::extract::State<Keycloak>) -> String {
    keycloak.is_ready().to_string()
}

async fn service(issuer: &Issuer, mode: Introspection) -> Service {
    let keycloak = in_mode(issuer, mode).build().expect("valid");
    let ready = SecureRouter::<Keycloak>::new()
        .route("/ready", get(ready))
        .secure_with(keycloak.clone())
        .with_state(keycloak.clone());
    let guarded = routes()
        .route("/unless-suspended", get(unless_suspended))
        .secure_with(keycloak);
    Service::start(guarded.merge(ready)).await
}

/// What came of a request, and how many questions it cost.
async fn ask(issuer: &Issuer, service: &Service, path: &str, token: &str) -> (u16, String, usize) {
    let before = issuer.requests_to(Issuer::INTROSPECTION);
    let answer = service.get_as(path, token).await;
    let asked = issuer.requests_to(Issuer::INTROSPECTION) - before;
    let said = match answer.status {
        200 => answer.text(),
        _ => {
            assert!(
                answer.status == 503 || !answer.challenges().is_empty(),
                "a challenge is missing"
            );
            code(&answer).1.as_str().unwrap_or_default().to_owned()
        }
    };
    (answer.status, said, asked)
}

fn said(status: u16, said: &str, asked: usize) -> (u16, String, usize) {
    (status, said.to_owned(), asked)
}

#[tokio::test]
async fn each_mode_asks_about_its_tokens_and_no_others() {
    for mode in MODES {
        let issuer = Issuer::start().await;
        let service = service(&issuer, mode).await;
        let all = usize::from(mode == Introspection::Always);

        let full = issuer.valid_token();
        answer_for(&issuer, &full, |_| {});
        assert_eq!(
            ask(&issuer, &service, "/admin", &full).await,
            said(200, "admin", all),
            "{mode:?}"
        );

        let light = lightweight(&issuer).sign(issuer.key());
        answer_for(&issuer, &light, full_claims);
        let expected = match mode {
            Introspection::Never | Introspection::WhenOpaque => said(403, "missing_roles", 0),
            _ => said(200, "admin", 1),
        };
        assert_eq!(ask(&issuer, &service, "/admin", &light).await, expected, "{mode:?}");

        answer_for(&issuer, &full, |_| {});
        let expected = match mode {
            Introspection::Never | Introspection::WhenLightweight => said(401, "malformed_token", 0),
            _ => said(200, "alice", 1),
        };
        assert_eq!(ask(&issuer, &service, "/me", "opaque").await, expected, "{mode:?}");

        issuer.reply_as_usual(Issuer::INTROSPECTION);
        let expected = match mode {
            Introspection::Never | Introspection::WhenLightweight => said(401, "malformed_token", 0),
            _ => said(401, "token_inactive", 1),
        };
        assert_eq!(ask(&issuer, &service, "/me", "garbage").await, expected, "{mode:?}");
        for encrypted in ["a.b.c.d.e", "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..a.b.c"] {
            let refused = said(401, "malformed_token", 0);
            assert_eq!(ask(&issuer, &service, "/me", encrypted).await, refused, "{mode:?}");
        }
        assert_eq!(issuer.key_fetches(), 1 - all, "{mode:?}");
    }
}

#[tokio::test]
async fn row_21_a_lightweight_token_has_no_roles_but_those_that_keycloak_tells() {
    for mode in [
        Introspection::WhenLightweight,
        Introspection::WhenNeeded,
        Introspection::Always,
    ] {
        let issuer = Issuer::start().await;
        let service = service(&issuer, mode).await;
        // A mapper may put roles into lightweight tokens; they do not count.
        let token = lightweight(&issuer).claim("realm_access", json!({ "roles": ["admin"] }));
        let token = token.sign(issuer.key());
        answer_for(&issuer, &token, |claims| {
            full_claims(claims);
            claims["realm_access"] = json!({ "roles": ["suspended"] });
        });
        assert_eq!(ask(&issuer, &service, "/admin", &token).await.0, 403, "{mode:?}");
        let suspended = ask(&issuer, &service, "/unless-suspended", &token).await;
        assert_eq!(suspended.0, 403, "{mode:?}");
        assert_eq!(
            ask(&issuer, &service, "/me", &token).await,
            said(200, "alice", 0),
            "{mode:?}"
        );
    }
}

#[tokio::test]
async fn tokens_that_do_not_say_that_they_are_full_count_as_lightweight() {
    let issuer = Issuer::start().await;
    let service = service(&issuer, Introspection::WhenLightweight).await;
    let id = |token: Token| token.claim("jti", "66384c88-b170-e7c6-4f0c-b15e16607434");
    let full = id(issuer.token());
    for token in [
        id(lightweight(&issuer)),
        // As Keycloak before 26.2 issues it with mappers for `sub` and the roles of one client.
        id(lightweight(&issuer))
            .claim("sub", "24b70fee-6687-575b-9043-0e37c958153d")
            .claim("resource_access", json!({ "orders-api": { "roles": ["reader"] } })),
        full.clone().without("sub"),
        full.clone().without("realm_access").without("resource_access"),
        full,
        issuer.token().without("jti"),
    ] {
        let token = token.sign(issuer.key());
        answer_for(&issuer, &token, |claims| {
            full_claims(claims);
            claims["realm_access"] = json!({ "roles": ["admin", "suspended"] });
        });
        assert_eq!(ask(&issuer, &service, "/admin", &token).await, said(200, "admin", 1));
        assert_eq!(ask(&issuer, &service, "/unless-suspended", &token).await.0, 403);
    }
}

#[tokio::test]
async fn a_lightweight_token_that_does_not_verify_reaches_nobody() {
    let issuer = Issuer::start().await;
    let service = service(&issuer, Introspection::WhenLightweight).await;
    let light = || lightweight(&issuer);
    let key = issuer.key();
    let genuine = light().sign(key);
    answer_for(&issuer, &genuine, full_claims);
    let other_key = rsa_key(1).with_kid(key.kid());
    for (what, token, expected) in [
        ("another's signature", light().sign(&other_key), "invalid_signature"),
        ("expired", light().claim("exp", 1).sign(key), "token_expired"),
        ("no expiry", light().without("exp").sign(key), "missing_claim"),
        (
            "not valid yet",
            light().claim("nbf", u32::MAX).sign(key),
            "token_not_yet_valid",
        ),
        (
            "another issuer",
            light().claim("iss", "https://evil.example.com").sign(key),
            "invalid_claims",
        ),
        (
            "an ID token",
            light().claim("typ", "ID").sign(key),
            "invalid_token_type",
        ),
        (
            "bound",
            light().claim("cnf", json!({ "jkt": "x" })).sign(key),
            "sender_constrained_token",
        ),
    ] {
        let (status, said, asked) = ask(&issuer, &service, "/me", &token).await;
        assert_eq!((status, asked), (401, 0), "{what}");
        assert_eq!(said, expected, "{what}");
    }
    assert_eq!(ask(&issuer, &service, "/me", &genuine).await, said(200, "alice", 1));
}

#[tokio::test]
async fn the_audience_of_a_lightweight_token_is_what_keycloak_tells() {
    let issuer = Issuer::start().await;
    let service = service(&issuer, Introspection::WhenLightweight).await;
    // Keycloak leaves it out, too, unless its mapper is for lightweight tokens.
    let token = lightweight(&issuer).without("aud").sign(issuer.key());
    answer_for(&issuer, &token, |claims| {
        full_claims(claims);
        claims["aud"] = json!("orders-api");
    });
    assert_eq!(ask(&issuer, &service, "/me", &token).await, said(200, "alice", 1));
    for (audience, expected) in [
        (json!("billing-api"), "invalid_claims"),
        (json!(null), "invalid_claims"),
        (json!([]), "invalid_claims"),
    ] {
        let token = lightweight(&issuer)
            .claim("jti", format!("onltro:{audience}"))
            .sign(issuer.key());
        answer_for(&issuer, &token, |claims| {
            full_claims(claims);
            claims["aud"] = audience.clone();
        });
        assert_eq!(
            ask(&issuer, &service, "/me", &token).await,
            said(401, expected, 1),
            "{audience}"
        );
    }
}

#[tokio::test]
async fn row_14_an_answer_about_another_token_is_none() {
    for mode in [Introspection::WhenLightweight, Introspection::Always] {
        for claim in ["iss", "sub", "azp", "jti"] {
            let issuer = Issuer::start().await;
            let other_issuer = "https://other.example.com/realms/acme";
            let keycloak = in_mode(&issuer, mode).issuer(issuer.issuer()).issuer(other_issuer);
            let keycloak = keycloak.build().expect("valid");
            let service = Service::start(routes().secure_with(keycloak)).await;
            let token = lightweight(&issuer).claim("sub", "24b70fee-6687-575b-9043-0e37c958153d");
            let token = token.sign(issuer.key());
            let told = |edit: &dyn Fn(&mut Value)| {
                answer_for(&issuer, &token, |claims| {
                    full_claims(claims);
                    edit(claims);
                });
            };
            told(&|claims| claims[claim] = json!(other_issuer));
            let logs = Logs::capture();
            let answer = ask(&issuer, &service, "/me", &token).await;
            assert_eq!(answer, said(401, "invalid_claims", 1), "{claim} {mode:?}");
            let records = logs.records();
            let warned = records.iter().filter(|record| record.level == Level::WARN);
            let warned: Vec<_> = warned
                .map(|record| (record.name, record.field("keycloak.claim")))
                .collect();
            assert_eq!(warned, [("keycloak.introspection_of_another_token", claim)], "{mode:?}");
        }
        let issuer = Issuer::start().await;
        let service = service(&issuer, mode).await;
        let token = lightweight(&issuer).sign(issuer.key());
        answer_for(&issuer, &token, |claims| {
            full_claims(claims);
            for claim in ["azp", "jti"] {
                claims.as_object_mut().expect("an object").remove(claim);
            }
        });
        assert_eq!(
            ask(&issuer, &service, "/me", &token).await,
            said(200, "alice", 1),
            "what is not told cannot differ"
        );
    }
}

#[tokio::test]
async fn row_14_the_answer_about_a_lightweight_token_is_checked_like_a_token() {
    let issuer = Issuer::start().await;
    let service = service(&issuer, Introspection::WhenLightweight).await;
    for (what, edit, expected) in [
        (
            "not active",
            (|claims: &mut Value| claims["active"] = json!(false)) as fn(&mut Value),
            "token_inactive",
        ),
        (
            "no issuer",
            |claims| _ = claims.as_object_mut().unwrap().remove("iss"),
            "missing_claim",
        ),
        (
            "no type",
            |claims| _ = claims.as_object_mut().unwrap().remove("typ"),
            "missing_claim",
        ),
        (
            "a refresh token",
            |claims| claims["typ"] = json!("Refresh"),
            "invalid_token_type",
        ),
        (
            "no audience",
            |claims| _ = claims.as_object_mut().unwrap().remove("aud"),
            "missing_claim",
        ),
        (
            "bound",
            |claims| claims["cnf"] = json!({ "jkt": "x" }),
            "sender_constrained_token",
        ),
        ("expired", |claims| claims["exp"] = json!(1), "token_expired"),
        (
            "no expiry",
            |claims| _ = claims.as_object_mut().unwrap().remove("exp"),
            "missing_claim",
        ),
    ] {
        let token = lightweight(&issuer)
            .claim("jti", format!("onltro:{what}"))
            .sign(issuer.key());
        answer_for(&issuer, &token, |claims| {
            full_claims(claims);
            edit(claims);
        });
        let logs = Logs::capture();
        assert_eq!(
            ask(&issuer, &service, "/me", &token).await,
            said(401, expected, 1),
            "{what}"
        );
        assert_said(&logs, expected, what);
    }
}

#[tokio::test]
async fn row_38_only_what_has_to_be_asked_about_suffers_from_an_outage_of_the_endpoint() {
    let issuer = Issuer::start().await;
    let service = service(&issuer, Introspection::WhenNeeded).await;
    issuer.reply(Issuer::INTROSPECTION, Reply::status(500));
    let light = lightweight(&issuer).sign(issuer.key());
    for token in [&*light, "opaque"] {
        let answer = service.get_as("/me", token).await;
        assert_eq!(code(&answer), (503, json!("introspection_service_error")));
        assert!(answer.challenges().is_empty() && answer.retry_after().is_some());
    }
    assert_eq!(
        ask(&issuer, &service, "/admin", &issuer.valid_token()).await,
        said(200, "admin", 0)
    );
    assert_eq!(service.get("/ready").send().await.text(), "true");
    answer_for(&issuer, &light, full_claims);
    assert_eq!(ask(&issuer, &service, "/me", &light).await, said(200, "alice", 1));
}

#[tokio::test]
async fn the_answer_about_a_lightweight_token_does_not_outlive_the_key_of_the_token() {
    let issuer = Issuer::start().await;
    let clock = clock();
    let keycloak = in_mode(&issuer, Introspection::WhenLightweight)
        .key_set_lifetime(Duration::from_secs(1))
        .key_set_cooldown(Duration::from_secs(1))
        .clock(clock.clone())
        .build()
        .expect("valid");
    let service = Service::start(routes().secure_with(keycloak)).await;
    let token = lightweight(&issuer).sign(issuer.key());
    answer_for(&issuer, &token, full_claims);
    assert_eq!(ask(&issuer, &service, "/me", &token).await, said(200, "alice", 1));
    assert_eq!(ask(&issuer, &service, "/me", &token).await, said(200, "alice", 0));
    let new_key = rsa_key(1);
    issuer.publish(std::slice::from_ref(&new_key));
    clock.advance(Duration::from_secs(2));
    let new = lightweight(&issuer).sign(&new_key);
    answer_for(&issuer, &new, full_claims);
    assert_eq!(ask(&issuer, &service, "/me", &new).await, said(200, "alice", 1));
    assert_eq!(ask(&issuer, &service, "/me", &token).await.0, 401);
}

#[tokio::test]
async fn each_request_is_asked_about_once_however_many_extractors_it_has() {
    #[keycloak(authenticated)]
    async fn twice(first: keycloak_auth::KeycloakUser, second: keycloak_auth::KeycloakUser) -> String {
        assert_eq!(first.subject(), second.subject());
        first.username().unwrap_or_default().to_owned()
    }
    let issuer = Issuer::start().await;
    let keycloak = in_mode(&issuer, Introspection::WhenLightweight).build().expect("valid");
    let router = SecureRouter::<Keycloak>::new()
        .route("/twice", get(twice))
        .secure_from_state();
    let service = Service::start(router.with_state(keycloak)).await;
    // In the leeway, where answers are not kept at all.
    let token = lightweight(&issuer)
        .claim("exp", keycloak_auth_tests::now() - 5)
        .sign(issuer.key());
    answer_for(&issuer, &token, full_claims);
    assert_eq!(claims_of(&token)["sub"], json!(null));
    assert_eq!(ask(&issuer, &service, "/twice", &token).await, said(200, "alice", 1));
}

#[tokio::test]
async fn the_embedded_realm_tells_the_claims_of_its_lightweight_tokens() {
    let realm = DevRealm::from_json(ACME_JSON).expect("a realm file");
    let realm = realm.start().await.expect("loopback has a free port");
    let acme = Realm::served_at(realm.server_url(), ACME.clone());
    let keycloak = Keycloak::builder()
        .server_url(realm.server_url())
        .realm("acme")
        .client_id("orders-api")
        .client_secret("orders-api-secret")
        .audience("orders-api")
        .introspection(Introspection::WhenLightweight)
        .build()
        .expect("valid");
    let service = Service::start(routes().secure_with(keycloak)).await;
    for (user, status) in [("alice", 200), ("bob", 403)] {
        let token = acme.login("orders-light", user).await.expect("a token").access;
        assert_eq!(claims_of(&token)["realm_access"], json!(null));
        assert_eq!(service.get_as("/admin", &token).await.status, status);
        assert_eq!(service.get_as("/me", &token).await.text(), user);
    }
}
