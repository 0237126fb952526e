//! Tokens that come again and again: each thread knows its usual ones, and judges them as if they were new.

use std::time::Duration;

use axum::extract::FromRef;
use keycloak_auth::{Keycloak, KeycloakUser, SecureRouter, keycloak, routing::get};
use keycloak_auth_tests::{Issuer, Service, Token, base64url, base64url_decode};
use serde_json::json;

use crate::setup::{builder, clock};

#[derive(Clone, FromRef)]
struct AppState {
    keycloak: Keycloak,
}

#[keycloak(authenticated)]
async fn open() -> &'static str {
    "let in"
}

#[keycloak(realm_roles = "admin")]
async fn admin(user: KeycloakUser) -> String {
    user.username().unwrap_or_default().to_owned()
}

/// A handler with further arguments and one without, by state and by layer.
async fn services(keycloak: &Keycloak) -> [Service; 2] {
    let from_state = SecureRouter::<AppState>::new()
        .route("/open", get(open))
        .route("/admin", get(admin));
    let state = AppState {
        keycloak: keycloak.clone(),
    };
    let layered = SecureRouter::new()
        .route("/open", get(open))
        .route("/admin", get(admin));
    [
        Service::start(from_state.secure_from_state().with_state(state)).await,
        Service::start(layered.secure_with(keycloak.clone())).await,
    ]
}

fn token(issuer: &Issuer, realm_role: &str) -> Token {
    let roles = json!({ "roles": [realm_role] });
    issuer.token().claim("realm_access", roles)
}

async fn statuses(services: &[Service], token: &str) -> Vec<u16> {
    let mut statuses = Vec::new();
    for service in services {
        for path in ["/open", "/admin"] {
            statuses.push(service.get_as(path, token).await.status);
        }
    }
    statuses
}

#[tokio::test]
async fn nothing_but_the_whole_token_is_known() {
    let issuer = Issuer::start().await;
    let keycloak = builder(&issuer).build().expect("valid");
    let services = services(&keycloak).await;
    let token = token(&issuer, "clerk").sign(issuer.key());
    let [header, payload, signature] = token.split('.').collect::<Vec<_>>()[..] else {
        panic!("a token has three parts");
    };
    // The same length and the same signature.
    let claims = String::from_utf8(base64url_decode(payload)).expect("JSON");
    let promoted = base64url(claims.replace("clerk", "admin"));
    let forged = format!("{header}.{promoted}.{signature}");
    assert_eq!(forged.len(), token.len());
    for _ in 0..4 {
        assert_eq!(statuses(&services, &token).await, [200, 403, 200, 403]);
        assert_eq!(statuses(&services, &forged).await, [401; 4]);
    }
}

#[tokio::test]
async fn what_time_and_administrators_change_holds_for_known_tokens() {
    let issuer = Issuer::start().await;
    let clock = clock();
    let keycloak = builder(&issuer).clock(clock.clone()).build().expect("valid");
    let services = services(&keycloak).await;
    let now = clock.now().as_secs();
    let [revoked, expiring] = [1, 2].map(|number| {
        let token = token(&issuer, "admin").claim("iat", now - 60).claim("exp", now + 600);
        token.claim("number", number).sign(issuer.key())
    });
    for _ in 0..4 {
        assert_eq!(statuses(&services, &revoked).await, [200; 4]);
        assert_eq!(statuses(&services, &expiring).await, [200; 4]);
    }
    clock.advance(Duration::from_secs(600 + 60));
    assert_eq!(statuses(&services, &expiring).await, [401; 4]);
    // Set back, the clock makes it good again, and nothing is known of it that is not so.
    clock.set(Duration::from_secs(now));
    assert_eq!(statuses(&services, &expiring).await, [200; 4]);
    keycloak.set_not_before(now).expect("now");
    for token in [&revoked, &expiring] {
        assert_eq!(statuses(&services, token).await, [401; 4]);
    }
}

#[tokio::test]
async fn what_one_keycloak_knows_is_nothing_to_another_in_the_same_thread() {
    let issuer = Issuer::start().await;
    let orders = services(&builder(&issuer).build().expect("valid")).await;
    let billing = Keycloak::builder().server_url(issuer.url()).realm("acme");
    let billing = billing.client_id("billing-api").audience("billing-api");
    let billing = services(&billing.build().expect("valid")).await;
    let token = token(&issuer, "admin").claim("aud", "orders-api").sign(issuer.key());
    for _ in 0..4 {
        assert_eq!(statuses(&orders, &token).await, [200; 4]);
        assert_eq!(statuses(&billing, &token).await, [401; 4]);
    }
}

#[tokio::test]
async fn tokens_that_the_cache_has_no_room_for_are_judged_all_the_same() {
    let issuer = Issuer::start().await;
    let keycloak = builder(&issuer).token_cache_capacity(1).build().expect("valid");
    let services = services(&keycloak).await;
    let [admin, clerk] = ["admin", "clerk"].map(|role| token(&issuer, role).sign(issuer.key()));
    for _ in 0..4 {
        assert_eq!(statuses(&services, &admin).await, [200; 4]);
        assert_eq!(statuses(&services, &clerk).await, [200, 403, 200, 403]);
    }
}
