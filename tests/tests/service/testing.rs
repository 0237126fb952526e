//! The tokens of `keycloak_auth::testing`, at a real service: no server is asked, and every variant is what it says.

use std::time::Duration;

use keycloak_auth::{
    SecureRouter, keycloak,
    routing::get,
    testing::{TestRealm, TestToken},
};
use keycloak_auth_tests::Service;

use crate::setup::{admin, me};

#[keycloak(client_roles("orders-api" = "orders:read"))]
async fn orders() {}

#[keycloak(groups = "/ops", scopes = "orders")]
async fn ops() {}

#[keycloak(acr("2"))]
async fn safe() {}

#[keycloak(max_age(60))]
async fn fresh() {}

#[keycloak(claim("tenant" = 7))]
async fn tenant() {}

async fn service(realm: &TestRealm) -> Service {
    let router = SecureRouter::new()
        .route("/me", get(me))
        .route("/admin", get(admin))
        .route("/orders", get(orders))
        .route("/ops", get(ops))
        .route("/safe", get(safe))
        .route("/fresh", get(fresh))
        .route("/tenant", get(tenant));
    Service::start(router.secure_with(realm.keycloak())).await
}

type Edit = fn(TestToken<'_>) -> TestToken<'_>;

#[tokio::test]
async fn each_method_gives_what_its_policy_asks_for() {
    let realm = TestRealm::new("acme", "orders-api");
    let service = service(&realm).await;
    for (path, edit) in [
        (
            "/admin",
            (|token| token.realm_role("clerk").realm_role("admin")) as Edit,
        ),
        ("/orders", |token| {
            token
                .client_role("billing-api", "x")
                .client_role("orders-api", "orders:read")
        }),
        ("/ops", |token| token.group("/finance").group("ops").scope("orders")),
        ("/safe", |token| token.acr("2")),
        ("/fresh", |token| token.authenticated_ago(Duration::from_secs(30))),
        ("/tenant", |token| token.claim("tenant", 7)),
    ] {
        let without = service.get_as(path, &realm.user("alice").token()).await.status;
        assert!(matches!(without, 401 | 403), "{path}: {without}");
        let with = service.get_as(path, &edit(realm.user("alice")).token()).await;
        assert_eq!(with.status, 200, "{path}: {with:?}");
    }
    assert_eq!(
        service.get_as("/me", &realm.user("alice").token()).await.text(),
        "alice"
    );
    let worker = realm.service_account("orders-worker").token();
    assert_eq!(
        service.get_as("/me", &worker).await.text(),
        "service-account-orders-worker"
    );
}

#[tokio::test]
async fn each_flaw_is_refused_for_what_it_is() {
    let realm = TestRealm::new("acme", "orders-api");
    let service = service(&realm).await;
    for (code, edit) in [
        ("token_expired", (|token| token.expired()) as Edit),
        ("invalid_claims", |token| token.audience("billing-api")),
        ("missing_claim", |token| token.without_claim("aud")),
        ("invalid_claims", |token| {
            token.issuer("https://keycloak.test/realms/other")
        }),
        ("invalid_signature", |token| token.signed_by_a_stranger()),
        ("invalid_token_type", |token| token.token_type("ID")),
        ("token_not_yet_valid", |token| token.claim("nbf", 4_000_000_000_u64)),
    ] {
        let answer = service.get_as("/me", &edit(realm.user("alice")).token()).await;
        assert_eq!(
            (answer.status, answer.json()["error"]["code"].as_str()),
            (401, Some(code)),
            "{answer:?}"
        );
    }
    let other = TestRealm::new("acme", "orders-api");
    assert_eq!(
        service.get_as("/me", &other.user("alice").token()).await.status,
        401,
        "another key"
    );
}

#[tokio::test]
async fn a_user_is_the_same_in_all_tokens_and_time_stands_still_until_it_is_moved() {
    let realm = TestRealm::new("acme", "orders-api");
    let keycloak = realm.keycloak();
    let subject = async |token: TestToken<'_>| {
        let user = keycloak.authenticate(&token.token()).await.expect("good");
        user.subject().map(str::to_owned)
    };
    assert_eq!(
        subject(realm.user("alice")).await,
        subject(realm.user("alice").realm_role("admin")).await
    );
    assert_ne!(subject(realm.user("alice")).await, subject(realm.user("bob")).await);
    assert_eq!(subject(realm.user("alice").without_claim("sub")).await, None);

    let (short, long) = (
        realm.user("alice"),
        realm.user("alice").lifetime(Duration::from_secs(3600)),
    );
    let (short, long) = (short.token(), long.token());
    realm.clock().advance(Duration::from_secs(600));
    assert!(keycloak.authenticate(&short).await.is_err());
    assert!(keycloak.authenticate(&long).await.is_ok());
    realm.clock().advance(Duration::from_secs(400 * 86_400));
    assert!(
        keycloak.authenticate(&realm.user("alice").token()).await.is_ok(),
        "given keys do not age"
    );
}

#[tokio::test]
async fn an_unknown_key_is_refused_without_asking_anybody() {
    let realm = TestRealm::new("acme", "orders-api");
    let issuer = keycloak_auth_tests::Issuer::start().await;
    let keycloak = realm
        .builder()
        .server_url(issuer.url())
        .issuer(realm.issuer())
        .build()
        .expect("valid");
    let token = issuer.token().claim("iss", realm.issuer()).sign(issuer.key());
    assert!(keycloak.authenticate(&token).await.is_err());
    assert!(keycloak.ready().await.is_ok());
    assert_eq!(issuer.requests(), Vec::<String>::new());
}
