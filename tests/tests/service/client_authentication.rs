//! How the service says to Keycloak which client it is.

use std::time::Duration;

use keycloak_auth::{
    Algorithm, AuthError, CheckStatus, ClientAuthentication, Introspection, Keycloak, KeycloakBuilder, jose::KeySet,
};
use keycloak_auth_tests::{Authority, Issuer, Received, Reply, SigningKey, claims_of, header_of, rsa_key};
use serde_json::{Value, json};

use crate::setup::{builder, clock};

const SECRET: &str = "s e/c:r+et ü";

fn configured(issuer: &Issuer, authentication: impl Into<ClientAuthentication>) -> KeycloakBuilder {
    builder(issuer)
        .client_authentication(authentication)
        .introspection(Introspection::Always)
}

/// Asks about a token and for one, and returns what the two endpoints received.
async fn requests(issuer: &Issuer, keycloak: &Keycloak) -> [Received; 2] {
    let tokens = json!({ "access_token": "a", "token_type": "Bearer", "expires_in": 1 });
    issuer.reply(Issuer::TOKEN, Reply::json(&tokens));
    keycloak.authenticate("opaque").await.expect_err("not active");
    keycloak.client_credentials().await.expect("a token");
    [Issuer::INTROSPECTION, Issuer::TOKEN].map(|path| issuer.last_request_to(path).expect("a request"))
}

fn value<'r>(request: &'r Received, name: &str) -> Option<&'r str> {
    let mut values = request
        .form
        .iter()
        .filter(|(own, _)| own == name)
        .map(|(_, value)| &**value);
    let value = values.next();
    assert_eq!(values.next(), None, "`{name}` is there twice");
    value
}

/// The JWT of a request, whose signature this key verifies.
fn assertion<'r>(request: &'r Received, key: &SigningKey) -> &'r str {
    assert_eq!(request.authorization, None);
    assert_eq!(value(request, "client_secret"), None);
    assert_eq!(
        value(request, "client_assertion_type"),
        Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
    );
    assert_eq!(value(request, "client_id"), Some("orders-api"));
    let jwt = value(request, "client_assertion").expect("an assertion");
    let keys = KeySet::parse(json!({ "keys": [key.jwk()] }).to_string()).expect("a key set");
    keys.verify(jwt).expect("the signature verifies");
    jwt
}

#[tokio::test]
async fn client_secret_basic_form_encodes_id_and_secret() {
    for short in [true, false] {
        let issuer = Issuer::start().await;
        let keycloak = if short {
            builder(&issuer)
                .client_secret(SECRET)
                .introspection(Introspection::Always)
        } else {
            configured(&issuer, ClientAuthentication::client_secret_basic(SECRET))
        };
        let keycloak = keycloak.client_id("orders:api").build().expect("valid");
        for request in requests(&issuer, &keycloak).await {
            let credentials = base64_simd::STANDARD.encode_to_string("orders%3Aapi:s+e%2Fc%3Ar%2Bet+%C3%BC");
            assert_eq!(request.authorization, Some(format!("Basic {credentials}")));
            assert!(request.form.iter().all(|(name, _)| !name.starts_with("client_")));
        }
    }
}

#[tokio::test]
async fn client_secret_post_sends_both_in_the_form() {
    let issuer = Issuer::start().await;
    let keycloak = configured(&issuer, ClientAuthentication::client_secret_post(SECRET));
    let keycloak = keycloak.build().expect("valid");
    for request in requests(&issuer, &keycloak).await {
        assert_eq!(request.authorization, None);
        assert_eq!(value(&request, "client_id"), Some("orders-api"));
        assert_eq!(value(&request, "client_secret"), Some(SECRET));
    }
}

#[tokio::test]
async fn private_key_jwt_signs_a_new_assertion_for_each_request() {
    let issuer = Issuer::start().await;
    let clock = clock();
    let key = rsa_key(2);
    let keycloak = configured(&issuer, ClientAuthentication::private_key_jwt(key.private_pem()));
    let keycloak = keycloak.clock(clock.clone()).build().expect("valid");
    let mut ids = Vec::new();
    for _ in 0..2 {
        for request in requests(&issuer, &keycloak).await {
            let jwt = assertion(&request, &key);
            assert_eq!(header_of(jwt), json!({ "alg": "RS256", "typ": "JWT" }));
            let mut claims = claims_of(jwt);
            let id = claims["jti"].take();
            assert!(id.as_str().is_some_and(|id| id.len() == 22), "{id}");
            ids.push(id.to_string());
            assert_eq!(
                claims,
                json!({
                    "iss": "orders-api", "sub": "orders-api", "aud": issuer.issuer(), "jti": null,
                    "exp": clock.now().as_secs() + 30,
                })
            );
        }
        // Past the second that a bad answer is kept.
        clock.advance(Duration::from_secs(5));
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 4);
}

#[tokio::test]
async fn private_key_jwt_uses_the_algorithm_and_the_kid_it_is_given() {
    let issuer = Issuer::start().await;
    let key = rsa_key(2).with_algorithm("PS256").with_kid("2026-01");
    let authentication = ClientAuthentication::private_key_jwt(key.private_pem())
        .algorithm(Algorithm::PS256)
        .key_id("2026-01");
    let keycloak = configured(&issuer, authentication).build().expect("valid");
    for request in requests(&issuer, &keycloak).await {
        let header = header_of(assertion(&request, &key));
        assert_eq!(header, json!({ "alg": "PS256", "typ": "JWT", "kid": "2026-01" }));
    }
}

#[tokio::test]
async fn an_assertion_is_for_the_issuer_that_the_discovery_document_names() {
    let issuer = Issuer::start().await;
    let key = rsa_key(2);
    let authentication = ClientAuthentication::private_key_jwt(key.private_pem());
    let keycloak = configured(&issuer, authentication)
        .issuer("https://id.example.com/realms/acme")
        .issuer(issuer.issuer())
        .build()
        .expect("valid");
    for request in requests(&issuer, &keycloak).await {
        assert_eq!(claims_of(assertion(&request, &key))["aud"], json!(issuer.issuer()));
    }
}

#[tokio::test]
async fn an_assertion_is_for_the_configured_issuer_where_no_document_is_needed() {
    let issuer = Issuer::start().await;
    let key = rsa_key(2);
    let authentication = ClientAuthentication::private_key_jwt(key.private_pem());
    let keycloak = configured(&issuer, authentication)
        .issuer("https://id.example.com/realms/acme")
        .introspection_endpoint(format!("{}{}", issuer.url(), Issuer::INTROSPECTION))
        .token_endpoint(format!("{}{}", issuer.url(), Issuer::TOKEN))
        .build()
        .expect("valid");
    for request in requests(&issuer, &keycloak).await {
        let claims = claims_of(assertion(&request, &key));
        assert_eq!(claims["aud"], "https://id.example.com/realms/acme");
    }
    assert_eq!(issuer.requests_to(Issuer::DISCOVERY), 0);
}

#[tokio::test]
async fn tls_client_auth_shows_the_certificate_and_names_the_client() {
    let authority = Authority::default();
    let issuer = Issuer::with_tls(authority.certificate_for_known_clients(&["127.0.0.1"])).await;
    let with = |certificate: String| {
        configured(&issuer, ClientAuthentication::tls_client_auth())
            .root_certificates(authority.pem())
            .client_certificate(certificate)
            .build()
            .expect("valid")
    };
    let keycloak = with(authority.client_pem("orders-api"));
    for request in requests(&issuer, &keycloak).await {
        assert_eq!(request.authorization, None);
        assert_eq!(value(&request, "client_id"), Some("orders-api"));
        assert_eq!(value(&request, "client_secret"), None);
        assert_eq!(value(&request, "client_assertion"), None);
    }
    let stranger = with(Authority::default().client_pem("orders-api"));
    let error = stranger.authenticate("opaque").await.expect_err("no connection");
    assert!(matches!(error, AuthError::IntrospectionUnavailable(_)), "{error}");
}

#[tokio::test]
async fn tls_client_auth_uses_the_endpoints_that_are_for_it() {
    let authority = Authority::default();
    let issuer = Issuer::with_tls(authority.certificate_for_known_clients(&["127.0.0.1"])).await;
    let mut document = issuer.usual(Issuer::DISCOVERY).body_json();
    let alias = |name: &str| json!(format!("{}/mtls/{name}", issuer.url()));
    document["mtls_endpoint_aliases"] =
        json!({ "introspection_endpoint": alias("introspect"), "token_endpoint": alias("token") });
    issuer.reply(Issuer::DISCOVERY, Reply::json(&document));
    issuer.reply("/mtls/introspect", Reply::json(&json!({ "active": false })));
    let tls = |builder: KeycloakBuilder| {
        builder
            .root_certificates(authority.pem())
            .client_certificate(authority.client_pem("orders-api"))
            .build()
            .expect("valid")
    };
    for (authentication, expected) in [
        (ClientAuthentication::tls_client_auth(), [1, 0]),
        (ClientAuthentication::client_secret_post(SECRET), [1, 1]),
    ] {
        let keycloak = tls(configured(&issuer, authentication));
        keycloak.authenticate("opaque").await.expect_err("not active");
        let counts = ["/mtls/introspect", Issuer::INTROSPECTION].map(|path| issuer.requests_to(path));
        assert_eq!(counts, expected);
    }
}

#[tokio::test]
async fn a_diagnosis_names_the_method_and_no_secret() {
    let authority = Authority::default();
    let key = rsa_key(2);
    let pem = key.private_pem();
    for (authentication, name, advice) in [
        (
            ClientAuthentication::client_secret_basic(SECRET),
            "client_secret_basic",
            "`.client_secret(…)`",
        ),
        (
            ClientAuthentication::client_secret_post(SECRET),
            "client_secret_post",
            "`.client_secret(…)`",
        ),
        (
            ClientAuthentication::private_key_jwt(pem.clone()).into(),
            "private_key_jwt",
            "Signed JWT",
        ),
        (
            ClientAuthentication::tls_client_auth(),
            "tls_client_auth",
            "X509 Certificate",
        ),
    ] {
        let issuer = Issuer::with_tls(authority.certificate_for_known_clients(&["127.0.0.1"])).await;
        let certificate = authority.client_pem("orders-api");
        let keycloak = configured(&issuer, authentication)
            .root_certificates(authority.pem())
            .client_certificate(certificate.clone())
            .build()
            .expect("valid");
        let good = keycloak.diagnose().await;
        let check = good.check("client").expect("it was made");
        assert_eq!(check.status, CheckStatus::Ok, "{good}");
        assert!(check.finding.contains(&format!("by `{name}`")), "{good}");

        let refusal = json!({ "error": "invalid_client", "error_description": SECRET }).to_string();
        issuer.reply(Issuer::INTROSPECTION, Reply::status(400).body(refusal));
        let bad = keycloak.diagnose().await;
        let check = bad.check("client").expect("it was made");
        assert_eq!(check.status, CheckStatus::Failed, "{bad}");
        assert!(
            check
                .finding
                .contains(&format!("does not accept the client `orders-api` by `{name}`")),
            "{bad}"
        );
        assert!(
            check.advice.as_deref().is_some_and(|given| given.contains(advice)),
            "{bad}"
        );

        let shown = [good, bad].map(|report| format!("{report}{report:?}")).concat() + &format!("{keycloak:?}");
        for secret in [SECRET, &pem, &certificate] {
            assert!(!shown.contains(secret.lines().nth(1).unwrap_or(secret)), "{shown}");
        }
        assert!(format!("{keycloak:?}").contains(name), "{keycloak:?}");
    }
}

#[tokio::test]
async fn a_public_client_names_itself_alone() {
    let issuer = Issuer::start().await;
    let keycloak = builder(&issuer).build().expect("valid");
    let tokens = json!({ "access_token": "a", "token_type": "Bearer", "expires_in": 300 });
    issuer.reply(Issuer::TOKEN, Reply::json(&tokens));
    keycloak.refresh_token("r").await.expect("tokens");
    let request = issuer.last_request_to(Issuer::TOKEN).expect("a request");
    assert_eq!(
        (request.authorization.as_deref(), value(&request, "client_id")),
        (None, Some("orders-api"))
    );
    let refused = keycloak.client_credentials().await.expect_err("not for public clients");
    assert!(matches!(refused, AuthError::TokenRefused(_)), "{refused}");
    let report: Value = serde_json::to_value(keycloak.diagnose().await).expect("JSON");
    let checks = report["checks"].as_array().expect("checks");
    let client = checks.iter().find(|check| check["name"] == "client").expect("a check");
    assert_eq!(client["status"], "skipped");
}
