//! Services that trust a realm of the server.

use std::time::Duration;

use keycloak_auth::{Clock, Keycloak, KeycloakBuilder, KeycloakUser, SecureRouter, keycloak, routing::get};
use keycloak_auth_tests::{Realm, Service, now};

/// The usual settings of `orders-api`.
pub fn builder(realm: &Realm) -> KeycloakBuilder {
    without_audience(realm).audience("orders-api")
}

/// The same, without an audience so far.
pub fn without_audience(realm: &Realm) -> KeycloakBuilder {
    Keycloak::builder()
        .server_url(realm.server_url())
        .realm(realm.name())
        .client_id("orders-api")
}

/// The same, asking Keycloak about every token.
pub fn introspecting(realm: &Realm) -> KeycloakBuilder {
    let secret = realm
        .client_secret("orders-api")
        .expect("the realm file has the secret");
    builder(realm).client_secret(secret).use_introspection(true)
}

/// A small service with these settings.
pub async fn service(builder: KeycloakBuilder) -> Service {
    let keycloak = builder.build().expect("a valid configuration");
    Service::start(routes().secure_with(keycloak)).await
}

pub fn routes() -> SecureRouter {
    SecureRouter::new()
        .route("/public", get(public))
        .route("/me", get(me))
        .route("/admin", get(admin))
        .route("/recent", get(recent))
        .route("/level-one", get(level_one))
        .route("/by-id/{id}", get(own_by_id))
        .route("/by-name/{name}", get(own_by_name))
}

/// A clock that stands at the present time until a test moves it.
pub fn clock() -> Clock {
    Clock::manual(Duration::from_secs(now()))
}

/// Asks until `condition` holds, for what happens in the background.
pub async fn eventually(what: &str, limit: Duration, mut condition: impl AsyncFnMut() -> bool) {
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    let asking = async {
        loop {
            ticks.tick().await;
            if condition().await {
                return;
            }
        }
    };
    let in_time = tokio::time::timeout(limit, asking).await;
    assert!(in_time.is_ok(), "not within {limit:?}: {what}");
}

#[keycloak(public)]
async fn public() -> &'static str {
    "everyone"
}

#[keycloak(authenticated)]
async fn me(user: KeycloakUser) -> String {
    user.username().unwrap_or("without a name").to_owned()
}

#[keycloak(roles = "admin")]
async fn admin(user: KeycloakUser) -> String {
    user.username().unwrap_or("without a name").to_owned()
}

#[keycloak(max_age(300))]
async fn recent() -> &'static str {
    "recent"
}

#[keycloak(acr("1"))]
async fn level_one() -> &'static str {
    "level one"
}

#[keycloak(owner("id"))]
async fn own_by_id() -> &'static str {
    "own"
}

#[keycloak(owner("name" = "preferred_username"))]
async fn own_by_name() -> &'static str {
    "own"
}
