//! Policies over HTTP, beside the words that `grammar` goes through: credentials, and path parameters.

use keycloak_auth::{SecureRouter, keycloak, routing::get, testing::TestRealm};
use keycloak_auth_tests::{Issuer, Service};

#[keycloak(public)]
async fn everyone() {}

#[keycloak(authenticated)]
async fn every_caller() {}

#[tokio::test]
async fn public_and_authenticated_ask_for_no_name() {
    let realm = TestRealm::new("acme", "orders-api");
    let router = SecureRouter::new()
        .route("/public", get(everyone))
        .route("/authenticated", get(every_caller));
    let service = Service::start(router.secure_with(realm.keycloak())).await;
    let (good, bad) = (realm.user("alice").token(), realm.user("alice").expired().token());
    for (path, token, expected) in [
        ("/public", None, 200),
        ("/public", Some(&good), 200),
        ("/authenticated", None, 401),
        ("/authenticated", Some(&good), 200),
        ("/authenticated", Some(&bad), 401),
    ] {
        let answer = match token {
            Some(token) => service.get_as(path, token).await,
            None => service.get(path).send().await,
        };
        assert_eq!(answer.status, expected, "{path}: {answer:?}");
    }
}

#[keycloak(owner("user" = "preferred_username"))]
async fn profile(axum::extract::Path(user): axum::extract::Path<String>) -> String {
    user
}

#[keycloak(owner("id"))]
async fn account(axum::extract::Path(id): axum::extract::Path<String>) -> String {
    id
}

#[tokio::test]
async fn an_owner_is_the_caller_in_the_path_and_the_handler_still_reads_it() {
    let realm = TestRealm::new("acme", "orders-api");
    let router = SecureRouter::new()
        .route("/users/{user}", get(profile))
        .route("/accounts/{id}", get(account));
    let service = Service::start(router.secure_with(realm.keycloak())).await;
    let token = realm.user("alice").token();
    let user = realm.keycloak().authenticate(&token).await.expect("a good token");
    let subject = user.subject().expect("a user has one");
    for (path, expected) in [
        ("/users/alice".to_owned(), (200, "alice")),
        ("/users/%61lice".to_owned(), (200, "alice")),
        (format!("/accounts/{subject}"), (200, subject)),
    ] {
        let answer = service.get_as(&path, &token).await;
        assert_eq!((answer.status, answer.text().as_str()), expected, "{path}");
    }
    for path in ["/users/bob", "/users/Alice", "/users/alice%20", "/accounts/alice"] {
        assert_eq!(service.get_as(path, &token).await.status, 403, "{path}");
    }
}

#[keycloak(owner("tenant" = "tenant.id"))]
async fn settings() {}

#[tokio::test]
async fn an_owner_is_named_by_a_claim_inside_another_too() {
    let realm = TestRealm::new("acme", "orders-api");
    let router = SecureRouter::new().route("/tenants/{tenant}/settings", get(settings));
    let service = Service::start(router.secure_with(realm.keycloak())).await;
    let token = realm
        .user("alice")
        .claim("tenant", serde_json::json!({ "id": "acme" }))
        .token();
    assert_eq!(service.get_as("/tenants/acme/settings", &token).await.status, 200);
    assert_eq!(service.get_as("/tenants/other/settings", &token).await.status, 403);
    let flat = realm.user("alice").claim("tenant.id", "acme").token();
    assert_eq!(service.get_as("/tenants/acme/settings", &flat).await.status, 403);
}

#[keycloak(not(owner("id")))]
async fn approve() {}

#[keycloak(owner("id"))]
async fn own() {}

/// As where a router with `{id}` in its paths is nested below an `{id}`: whose it is, is anybody's guess.
#[tokio::test]
async fn a_parameter_that_the_path_has_twice_admits_nobody() {
    let realm = TestRealm::new("acme", "orders-api");
    let inner = SecureRouter::new()
        .route("/orders/{id}", get(own))
        .route("/approvals/{id}", get(approve));
    let router = SecureRouter::new()
        .nest("/twice/{id}", inner.clone())
        .nest("/once/{user}", inner);
    let service = Service::start(router.secure_with(realm.keycloak())).await;
    let token = realm.user("alice").token();
    let user = realm.keycloak().authenticate(&token).await.expect("a good token");
    let subject = user.subject().expect("a user has one");
    for (path, expected) in [
        (format!("/once/x/orders/{subject}"), 200),
        ("/once/x/approvals/y".to_owned(), 200),
        (format!("/twice/{subject}/orders/{subject}"), 403),
        (format!("/twice/{subject}/orders/x"), 403),
        (format!("/twice/x/orders/{subject}"), 403),
        ("/twice/x/approvals/y".to_owned(), 403),
    ] {
        assert_eq!(service.get_as(&path, &token).await.status, expected, "{path}");
    }
}

#[keycloak(claim("level" = 1))]
async fn level() {}

#[keycloak(not(claim("level" = 1)))]
async fn other_level() {}

#[keycloak(claim("level" = 9007199254740993))]
async fn beyond_doubles() {}

/// JSON has one kind of number (RFC 8259 section 6).
#[tokio::test]
async fn a_number_is_the_same_however_it_is_written() {
    let issuer = Issuer::start().await;
    let keycloak = crate::setup::builder(&issuer).build().expect("valid");
    let router = SecureRouter::new()
        .route("/level", get(level))
        .route("/other-level", get(other_level))
        .route("/beyond-doubles", get(beyond_doubles));
    let service = Service::start(router.secure_with(keycloak)).await;
    for (text, is_one) in [
        ("1", true),
        ("1.0", true),
        ("1.000", true),
        ("1e0", true),
        ("10E-1", true),
        ("0.1e1", true),
        ("[0, 1.0]", true),
        ("1.5", false),
        ("-1", false),
        ("-1.0", false),
        ("0", false),
        ("1e1", false),
        ("18446744073709551617", false),
        ("1e300", false),
        ("\"1\"", false),
        ("true", false),
        ("[[1]]", false),
    ] {
        let token = issuer.token().claim("level", "LEVEL");
        let token = token
            .edit_payload(|payload| payload.replace("\"LEVEL\"", text))
            .sign(issuer.key());
        let expected = if is_one { (200, 403) } else { (403, 200) };
        let found = (
            service.get_as("/level", &token).await.status,
            service.get_as("/other-level", &token).await.status,
        );
        assert_eq!(found, expected, "{text}");
    }
    // As a double it would be its neighbour.
    for (text, expected) in [
        ("9007199254740993", 200),
        ("9007199254740992", 403),
        ("9007199254740993.0", 403),
    ] {
        let token = issuer.token().claim("level", "LEVEL");
        let token = token
            .edit_payload(|payload| payload.replace("\"LEVEL\"", text))
            .sign(issuer.key());
        assert_eq!(
            service.get_as("/beyond-doubles", &token).await.status,
            expected,
            "{text}"
        );
    }
}

/// On a plain router nobody compares the policy with the path before a request comes.
#[tokio::test]
async fn a_parameter_that_the_route_lacks_admits_nobody() {
    let realm = TestRealm::new("acme", "orders-api");
    let router = axum::Router::new()
        .route("/orders/{id}", axum::routing::get(approve))
        .route("/orders", axum::routing::get(approve))
        .route("/accounts", axum::routing::get(account))
        .layer(realm.keycloak().layer());
    let service = Service::start(router).await;
    let token = realm.user("alice").token();
    for (path, expected) in [("/orders/7", 200), ("/orders", 403), ("/accounts", 403)] {
        assert_eq!(service.get_as(path, &token).await.status, expected, "{path}");
    }
}
