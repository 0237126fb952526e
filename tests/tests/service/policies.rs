//! The policy language over HTTP: for each of its words one caller who is admitted and one who is not.

use std::time::Duration;

use keycloak_auth::{
    Policy, SecureRouter, keycloak, policy,
    routing::get,
    testing::{TestRealm, TestToken},
};
use keycloak_auth_tests::Service;

const OPS: Policy = policy!(any(group_tree("/ops"), role("admin")));

type Edit = fn(TestToken<'_>) -> TestToken<'_>;

/// A route with its policy, and the tokens that it admits and refuses.
struct Case {
    path: &'static str,
    policy: &'static str,
    admitted: Edit,
    /// Refused with 403, or with 401 where a better login would help (RFC 9470).
    refused: Edit,
    status: u16,
}

/// A handler for each case, on a route of its own.
macro_rules! cases {
    ($($name:ident $path:literal: $policy:tt admits $admitted:expr, refuses $refused:expr, $status:literal;)*) => {
        $(
            #[keycloak $policy]
            async fn $name() -> &'static str {
                stringify!($name)
            }
        )*

        fn router() -> SecureRouter {
            SecureRouter::new()$(.route($path, get($name)))*
        }

        const CASES: &[Case] = &[$(Case {
            path: $path,
            policy: stringify!($policy),
            admitted: $admitted,
            refused: $refused,
            status: $status,
        }),*];
    };
}

cases! {
    role_of_realm "/1": (roles = "a") admits |t| t.realm_role("a"), refuses |t| t.client_role("other", "a"), 403;
    role_of_service "/2": (role("a")) admits |t| t.client_role("orders-api", "a"), refuses |t| t.client_role("other", "a"), 403;
    realm_roles "/3": (realm_roles = "a") admits |t| t.realm_role("a"), refuses |t| t.client_role("orders-api", "a"), 403;
    realm_role "/4": (realm_role("a")) admits |t| t.realm_role("a"), refuses |t| t.realm_role("A"), 403;
    client_roles "/5": (client_roles("c" = ["a", "b"])) admits |t| t.client_role("c", "a").client_role("c", "b"),
        refuses |t| t.client_role("c", "a").realm_role("b"), 403;
    client_role "/6": (client_role("c", "a")) admits |t| t.client_role("c", "a"), refuses |t| t.client_role("d", "a"), 403;
    groups "/7": (groups = "ops") admits |t| t.group("/ops"), refuses |t| t.group("/ops/oncall"), 403;
    group "/8": (group("/ops")) admits |t| t.group("/ops"), refuses |t| t.group("/opsx"), 403;
    group_tree "/9": (group_tree("/ops")) admits |t| t.group("/ops/oncall"), refuses |t| t.group("/opsx"), 403;
    scopes "/10": (scopes = ["a", "b"], any) admits |t| t.scope("b"), refuses |t| t.scope("ab"), 403;
    scope "/11": (scope("a")) admits |t| t.scope("a"), refuses |t| t, 403;
    claim_string "/12": (claim("address.country" = "DE"))
        admits |t| t.claim("address", serde_json::json!({"country": "DE"})),
        refuses |t| t.claim("address.country", "DE"), 403;
    claim_in_array "/13": (claim("plans" = "gold")) admits |t| t.claim("plans", vec!["silver", "gold"]),
        refuses |t| t.claim("plans", vec!["golden"]), 403;
    claim_integer "/14": (claim("level" = -3)) admits |t| t.claim("level", -3), refuses |t| t.claim("level", "-3"), 403;
    claim_boolean "/15": (claim("email_verified" = true)) admits |t| t.email("a@acme.test"), refuses |t| t, 403;
    acr "/16": (acr("2")) admits |t| t.acr("2"), refuses |t| t.acr("1"), 401;
    max_age "/17": (max_age(60)) admits |t| t.authenticated_ago(Duration::from_secs(60)),
        refuses |t| t.authenticated_ago(Duration::from_secs(61)), 401;
    all "/18": (all(role("a"), group("/b"))) admits |t| t.realm_role("a").group("/b"), refuses |t| t.realm_role("a"), 403;
    any "/19": (any(role("a"), group("/b"))) admits |t| t.group("/b"), refuses |t| t.group("/a"), 403;
    not "/20": (not(role("a"))) admits |t| t, refuses |t| t.realm_role("a"), 403;
    nested "/21": (all(any(role("a"), role("b")), not(role("c")))) admits |t| t.realm_role("b"),
        refuses |t| t.realm_role("b").realm_role("c"), 403;
    inner_any "/22": (all(any(role("a"), role("b")), role("c"))) admits |t| t.realm_role("a").realm_role("c"),
        refuses |t| t.realm_role("a").realm_role("b"), 403;
    lists_all "/23": (roles = ["a", "b"], groups = "/c") admits |t| t.realm_role("a").realm_role("b").group("/c"),
        refuses |t| t.realm_role("a").group("/c"), 403;
    lists_any "/24": (roles = ["a", "b"], groups = "/c", any) admits |t| t.group("/c"), refuses |t| t.group("/a"), 403;
    lists_said_all "/25": (roles = ["a", "b"], all) admits |t| t.realm_role("b").realm_role("a"), refuses |t| t.realm_role("b"), 403;
    constant "/26": (OPS) admits |t| t.group("/ops/oncall"), refuses |t| t.realm_role("ops"), 403;
    constant_inside "/27": (all(OPS, not(role("trainee")))) admits |t| t.realm_role("admin"),
        refuses |t| t.realm_role("admin").realm_role("trainee"), 403;
}

#[tokio::test]
async fn each_word_admits_and_refuses() {
    let realm = TestRealm::new("acme", "orders-api");
    let service = Service::start(router().secure_with(realm.keycloak())).await;
    for Case {
        path,
        policy,
        admitted,
        refused,
        status,
    } in CASES
    {
        let answer = service.get_as(path, &admitted(realm.user("alice")).token()).await;
        assert_eq!(answer.status, 200, "{policy}: {answer:?}");
        let answer = service.get_as(path, &refused(realm.user("alice")).token()).await;
        assert_eq!(answer.status, *status, "{policy}: {answer:?}");
        let answer = service.get(path).send().await;
        assert_eq!(answer.status, 401, "{policy}: {answer:?}");
    }
}

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
