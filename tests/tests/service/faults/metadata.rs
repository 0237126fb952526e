//! Rows 31 and 32: the discovery document of another issuer, and endpoints that are less safe than the server.

use keycloak_auth::{AuthError, ProviderError};
use keycloak_auth_tests::{Authority, Issuer, Logs, Reply, Service};
use serde_json::json;

use super::{assert_said, assert_unavailable, warnings};
use crate::setup::{builder, routes, service};

#[tokio::test]
async fn row_31_an_issuer_that_is_not_the_address_is_said_with_both_names() {
    let logs = Logs::capture();
    let issuer = Issuer::start().await;
    let public = "https://id.example.com/realms/acme";
    issuer.reply(
        Issuer::DISCOVERY,
        Reply::json(&json!({ "issuer": public, "jwks_uri": format!("{public}/protocol/openid-connect/certs") })),
    );
    let service = service(&builder(&issuer).build().expect("valid")).await;
    assert_unavailable(
        &service.get_as("/me", &issuer.valid_token()).await,
        "keycloak_connection_error",
        "the token cannot be checked at the moment",
    );
    let warned = warnings(&logs);
    assert_eq!(warned.len(), 1, "{warned:#?}");
    for said in [public, &issuer.issuer(), ".issuer("] {
        assert!(warned[0].contains(said), "{said}: {warned:#?}");
    }
    assert_eq!(issuer.key_fetches(), 0);
}

#[tokio::test]
async fn row_32_endpoints_without_tls_are_not_used_where_the_server_has_it() {
    for member in ["jwks_uri", "introspection_endpoint", "token_endpoint"] {
        let logs = Logs::capture();
        let authority = Authority::default();
        let issuer = Issuer::with_tls(authority.certificate(&["127.0.0.1"], 2020, 2099)).await;
        let endpoint = |name: &str| format!("{}/protocol/openid-connect/{name}", issuer.issuer());
        let mut document = json!({
            "issuer": issuer.issuer(),
            "jwks_uri": endpoint("certs"),
            "introspection_endpoint": endpoint("token/introspect"),
            "token_endpoint": endpoint("token"),
        });
        let plain = document[member]
            .as_str()
            .unwrap_or_default()
            .replace("https://", "http://");
        document[member] = json!(plain);
        issuer.reply(Issuer::DISCOVERY, Reply::json(&document));
        let keycloak = builder(&issuer)
            .root_certificates(authority.pem())
            .client_secret("canary")
            .use_introspection(member == "introspection_endpoint")
            .build()
            .expect("valid");
        let cause = if member == "token_endpoint" {
            match keycloak.refresh_token("refresh-1").await.expect_err("no token") {
                AuthError::TokenEndpointUnavailable(unavailable) => unavailable,
                other => panic!("{other:?}"),
            }
        } else {
            let service = Service::start(routes().secure_with(keycloak.clone())).await;
            let answer = service.get_as("/me", &issuer.valid_token()).await;
            let code = match member {
                "jwks_uri" => "keycloak_connection_error",
                _ => "introspection_service_error",
            };
            assert_unavailable(&answer, code, "the token cannot be checked at the moment");
            keycloak.ready().await.expect_err("an endpoint that may not be used")
        };
        assert!(
            matches!(cause.cause(), ProviderError::InsecureEndpoint { member: found } if *found == member),
            "{member}: {cause:?}"
        );
        let asked = issuer.requests();
        assert!(
            asked.iter().all(|path| path == Issuer::DISCOVERY),
            "{member}: {asked:?}"
        );
        let warned = warnings(&logs);
        assert_eq!(warned.len(), 1, "{member}: {warned:#?}");
        assert!(
            warned[0].contains("is not https although the server address is"),
            "{warned:#?}"
        );
    }
}

#[tokio::test]
async fn a_discovery_document_that_was_wrong_is_asked_for_again() {
    let logs = Logs::capture();
    let issuer = Issuer::start().await;
    let keycloak = builder(&issuer).client_secret("canary").build().expect("valid");
    let endpoint = |url: &str| json!({ "issuer": issuer.issuer(), "jwks_uri": format!("{}{}", issuer.url(), Issuer::JWKS), "token_endpoint": url });
    issuer.reply(
        Issuer::DISCOVERY,
        Reply::json(&endpoint("https://elsewhere.example.com/token")),
    );
    issuer.reply(
        Issuer::TOKEN,
        Reply::json(&json!({ "access_token": "a", "token_type": "Bearer" })),
    );
    keycloak.refresh_token("refresh-1").await.expect_err("elsewhere");
    issuer.reply_as_usual(Issuer::DISCOVERY);
    keycloak
        .refresh_token("refresh-1")
        .await
        .expect("the document is right now");
    assert_said(&warnings(&logs), &["the token endpoint does not answer: "]);
}
