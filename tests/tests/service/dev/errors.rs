//! Errors have the status, the code and the text of Keycloak.

use reqwest::Method;
use serde_json::json;

use super::{Client, Reply};

const PASSWORD: [(&str, &str); 4] = [
    ("grant_type", "password"),
    ("client_id", "orders-web"),
    ("username", "alice"),
    ("password", "alice"),
];

const INVALID_CLIENT: &str = "Invalid client or Invalid client credentials";

#[tokio::test]
async fn token_errors_are_those_of_keycloak() {
    let client = Client::acme().await;
    let password = |changed: &[(&'static str, &'static str)]| {
        let mut form = std::collections::BTreeMap::from(PASSWORD);
        form.extend(changed.iter().copied());
        form.into_iter()
            .filter(|(_, value)| !value.is_empty())
            .collect::<Vec<_>>()
    };
    let worker = |secret| {
        vec![
            ("grant_type", "client_credentials"),
            ("client_id", "orders-worker"),
            ("client_secret", secret),
        ]
    };
    for (form, status, error, description) in [
        (
            password(&[("password", "x")]),
            400,
            "invalid_grant",
            "Invalid user credentials",
        ),
        (
            password(&[("password", "")]),
            400,
            "invalid_grant",
            "Invalid user credentials",
        ),
        (
            password(&[("username", "zed")]),
            400,
            "invalid_grant",
            "Invalid user credentials",
        ),
        (
            password(&[("username", "service-account-orders-worker")]),
            400,
            "invalid_grant",
            "Invalid user credentials",
        ),
        (
            password(&[("username", "")]),
            401,
            "invalid_request",
            "Missing parameter: username",
        ),
        (password(&[("client_id", "")]), 401, "invalid_client", INVALID_CLIENT),
        (
            password(&[("client_id", "nobody")]),
            401,
            "invalid_client",
            INVALID_CLIENT,
        ),
        (
            password(&[("client_id", "billing-api")]),
            401,
            "unauthorized_client",
            INVALID_CLIENT,
        ),
        (
            password(&[("client_id", "orders-dpop")]),
            400,
            "invalid_request",
            "DPoP proof is missing",
        ),
        (
            password(&[("client_id", "orders-api"), ("client_secret", "orders-api-secret")]),
            400,
            "unauthorized_client",
            "Client not allowed for direct access grants",
        ),
        (
            password(&[("grant_type", "")]),
            400,
            "invalid_request",
            "Missing form parameter: grant_type",
        ),
        (
            password(&[("grant_type", "magic")]),
            400,
            "unsupported_grant_type",
            "Unsupported grant_type",
        ),
        (
            password(&[("scope", "openid nonsense")]),
            400,
            "invalid_scope",
            "Invalid scopes: openid nonsense",
        ),
        (
            password(&[("scope", "offline_access")]),
            400,
            "not_allowed",
            "Offline tokens not allowed for the user or client",
        ),
        (worker("x"), 401, "unauthorized_client", INVALID_CLIENT),
        (worker(""), 401, "unauthorized_client", INVALID_CLIENT),
        (
            password(&[("grant_type", "client_credentials")]),
            401,
            "unauthorized_client",
            "Public client not allowed to retrieve service account",
        ),
        (
            password(&[("grant_type", "authorization_code")]),
            400,
            "invalid_request",
            "Missing parameter: code",
        ),
        (
            password(&[("grant_type", "authorization_code"), ("code", "x")]),
            400,
            "invalid_grant",
            "Code not valid",
        ),
        (
            password(&[("grant_type", "refresh_token")]),
            400,
            "invalid_request",
            "No refresh token",
        ),
        (
            password(&[("grant_type", "refresh_token"), ("refresh_token", "x")]),
            400,
            "invalid_grant",
            "Invalid refresh token",
        ),
        (
            [PASSWORD.as_slice(), &[("username", "bob")]].concat(),
            400,
            "invalid_request",
            "duplicated parameter",
        ),
    ] {
        let reply = client.token(&form).await;
        let expected = json!({ "error": error, "error_description": description });
        assert_eq!((reply.status, reply.json()), (status, expected), "{form:?}");
        assert_eq!(reply.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn accounts_that_are_off_or_not_set_up_are_told_so() {
    let client = Client::variety().await;
    for (user, description) in [
        ("gone", "Account disabled"),
        ("partial", "Account is not fully set up"),
        ("keyless", "Invalid user credentials"),
    ] {
        let form = [
            ("grant_type", "password"),
            ("client_id", "chosen"),
            ("username", user),
            ("password", user),
        ];
        let reply = client.token(&form).await;
        let expected = json!({ "error": "invalid_grant", "error_description": description });
        assert_eq!((reply.status, reply.json()), (400, expected), "{user}");
    }
}

#[tokio::test]
async fn introspection_errors_are_those_of_keycloak() {
    let client = Client::acme().await;
    let api = [("client_id", "orders-api"), ("client_secret", "orders-api-secret")];
    for (form, status, expected) in [
        (
            [&api[..], &[("token", "garbage")]].concat(),
            200,
            json!({ "active": false }),
        ),
        (
            api.to_vec(),
            400,
            json!({ "error": "invalid_request", "error_description": "Token not provided." }),
        ),
        (
            vec![("client_id", "orders-api"), ("client_secret", "x"), ("token", "x")],
            401,
            json!({ "error": "invalid_client", "error_description": "Client authentication failed." }),
        ),
        (
            vec![("client_id", "orders-web"), ("token", "x")],
            403,
            json!({ "error": "invalid_request", "error_description": "Client not allowed." }),
        ),
        (
            vec![("token", "x")],
            401,
            json!({ "error": "invalid_client", "error_description": INVALID_CLIENT }),
        ),
    ] {
        let reply = client.post("token/introspect", &form).await;
        assert_eq!((reply.status, reply.json()), (status, expected), "{form:?}");
    }
}

#[tokio::test]
async fn userinfo_challenges_are_those_of_keycloak() {
    let client = Client::acme().await;
    let without_openid = client.password("orders-web", "alice", "").await;
    let without_openid = format!("Bearer {}", without_openid["access_token"].as_str().unwrap());
    for (authorization, status, challenge) in [
        (None, 401, "Bearer realm=\"acme\""),
        (
            Some("Bearer garbage"),
            401,
            "Bearer realm=\"acme\", error=\"invalid_token\", error_description=\"Token verification failed\"",
        ),
        (
            Some(without_openid.as_str()),
            403,
            "Bearer realm=\"acme\", error=\"insufficient_scope\", error_description=\"Missing openid scope\"",
        ),
    ] {
        let mut request = client.request(Method::GET, &client.endpoint("userinfo"));
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let reply = Reply::of(request).await;
        let seen = (reply.status, reply.header("www-authenticate"), reply.text.as_str());
        assert_eq!(seen, (status, Some(challenge), ""));
    }
}

#[tokio::test]
async fn unknown_realms_paths_and_methods_are_told_so() {
    let client = Client::acme().await;
    let server = client.realm.server_url();
    for (path, status, error) in [
        (
            "/realms/nope/.well-known/openid-configuration",
            404,
            "Realm does not exist",
        ),
        // An escape in the path is one of a URL, not of a form.
        (
            "/realms/acme&x/.well-known/openid-configuration",
            404,
            "Realm does not exist",
        ),
        (
            "/realms/acme=x/.well-known/openid-configuration",
            404,
            "Realm does not exist",
        ),
        ("/realms/%61cme/nope", 404, "HTTP 404 Not Found"),
        ("/realms/acme/nope", 404, "HTTP 404 Not Found"),
        ("/nope", 404, "HTTP 404 Not Found"),
        (
            "/realms/acme/protocol/openid-connect/token",
            405,
            "HTTP 405 Method Not Allowed",
        ),
    ] {
        let reply = client.get(&format!("{server}{path}")).await;
        assert_eq!(
            (reply.status, reply.json()),
            (status, json!({ "error": error })),
            "{path}"
        );
    }
}
