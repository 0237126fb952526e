//! Policies over HTTP, beside the words that `grammar` goes through: credentials, and path parameters.

use keycloak_auth::{SecureRouter, keycloak, routing::get, testing::TestRealm};
use keycloak_auth_tests::Service;

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

#[keycloak(not(owner("id")))]
async fn approve() {}

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
