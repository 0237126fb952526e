//! Errors with their causes read well as one line: each says something that those before it do not.

use std::error::Error;

use axum::extract::FromRequestParts;
use http::Request;
use keycloak_auth::{AuthRejection, Keycloak, KeycloakUser};
use keycloak_auth_tests::{Authority, Issuer, Reply};
use serde_json::json;

use crate::setup::{builder, unreachable};

/// The line, after checks that hold for each.
#[track_caller]
fn line(error: &dyn Error) -> String {
    let parts: Vec<String> = std::iter::successors(Some(error), |&error| error.source())
        .map(ToString::to_string)
        .collect();
    for (number, part) in parts.iter().enumerate() {
        assert!(
            !part.is_empty() && !part.ends_with('.') && !part.contains('\n'),
            "{parts:?}"
        );
        assert!(
            !parts[..number].iter().any(|earlier| earlier.contains(part)),
            "`{part}` is said twice: {parts:?}"
        );
    }
    parts.join(": ")
}

#[tokio::test]
async fn of_a_configuration() {
    let valid = || {
        let builder = Keycloak::builder().server_url("https://id.example.com").realm("acme");
        builder.client_id("orders-api").audience("orders-api")
    };
    let error = valid().root_certificates("no PEM").build().expect_err("no PEM");
    assert_eq!(
        line(&error),
        "Keycloak is not configured correctly: `root_certificates` holds no PEM certificate"
    );
    let pem = "-----BEGIN CERTIFICATE-----\n@@@\n-----END CERTIFICATE-----\n";
    let error = valid().root_certificates(pem).build().expect_err("no base64");
    let text = line(&error);
    assert!(
        text.starts_with("Keycloak is not configured correctly: `root_certificates` is not PEM certificates: ")
            && error.source().is_some(),
        "{text}"
    );
}

#[tokio::test]
async fn of_the_provider() {
    let url = "http://127.0.0.1:1/realms/acme/.well-known/openid-configuration";
    let keycloak = unreachable();
    let text = line(&keycloak.ready().await.expect_err("nobody there"));
    assert!(
        text.starts_with(&format!(
            "Keycloak cannot be asked; next attempt in 1 s: cannot reach `{url}`: check that Keycloak runs there, and host, \
             port, proxy and TLS certificate: error sending request: "
        )),
        "{text}"
    );

    let issuer = Issuer::start().await;
    for (path, reply, expected) in [
        (
            Issuer::DISCOVERY,
            Reply::status(404),
            "answered with status 404: check the realm's name, and whether the server address needs the base path `/auth`",
        ),
        (
            Issuer::DISCOVERY,
            Reply::status(200).body("<html>"),
            "is not an OpenID provider's discovery document: expected value at line 1 column 1",
        ),
        (Issuer::JWKS, Reply::status(200).body("[]"), "is not a key set: "),
    ] {
        issuer.reply(path, reply);
        let keycloak = builder(&issuer).build().expect("valid");
        let text = line(&keycloak.ready().await.expect_err(path));
        assert!(
            text.starts_with("Keycloak cannot be asked; next attempt in ") && text.contains(expected),
            "{text}"
        );
        issuer.reply_as_usual(path);
    }
}

#[tokio::test]
async fn of_certificates_and_an_end() {
    let authority = Authority::default();
    for (server, expected) in [
        (authority.certificate(&["127.0.0.1"], 2020, 2021), "expired"),
        (authority.certificate(&["id.example.com"], 2020, 2099), "id.example.com"),
    ] {
        let issuer = Issuer::with_tls(server).await;
        let settings = builder(&issuer).root_certificates(authority.pem());
        let text = line(&settings.build().expect("valid").ready().await.expect_err(expected));
        let (_, cause) = text.split_once("proxy and TLS certificate: ").expect(&text);
        assert!(
            cause.contains("invalid peer certificate: ") && cause.contains(expected),
            "{text}"
        );
    }
    let issuer = Issuer::start().await;
    let keycloak = builder(&issuer).build().expect("valid");
    keycloak.close().await;
    let text = line(&keycloak.ready().await.expect_err("closed"));
    assert!(text.ends_with(": this Keycloak was closed"), "{text}");
}

#[tokio::test]
async fn of_a_token() {
    let issuer = Issuer::start().await;
    let keycloak = builder(&issuer).build().expect("valid");
    let error = keycloak.authenticate("garbage").await.expect_err("no token");
    assert!(
        line(&error).starts_with("the access token is not acceptable: malformed: "),
        "{}",
        line(&error)
    );
    let (mut parts, ()) = Request::new(()).into_parts();
    let rejection: AuthRejection = KeycloakUser::from_request_parts(&mut parts, &())
        .await
        .expect_err("no Keycloak in this request");
    assert!(
        line(&rejection).starts_with("the handler asks for the caller"),
        "{}",
        line(&rejection)
    );
}

#[tokio::test]
async fn of_the_token_endpoint() {
    let issuer = Issuer::start().await;
    let keycloak = builder(&issuer).build().expect("valid");
    let refusal = json!({ "error": "invalid_grant", "error_description": "Token is not active" });
    issuer.reply(Issuer::TOKEN, Reply::status(400).body(refusal.to_string()));
    let error = keycloak.refresh_token("one").await.expect_err("refused");
    assert_eq!(
        line(&error),
        "Keycloak refuses the grant `refresh_token`: `invalid_grant` (Token is not active)"
    );
    // A code of another version is told as it came, and cannot break the line.
    let refusal = json!({ "error": "something_new\r\n" });
    issuer.reply(Issuer::TOKEN, Reply::status(400).body(refusal.to_string()));
    let error = keycloak.refresh_token("one").await.expect_err("refused");
    assert_eq!(
        line(&error),
        r"Keycloak refuses the grant `refresh_token`: `something_new\r\n`"
    );
    let error = keycloak.client_credentials().await.expect_err("not asked");
    assert_eq!(
        line(&error),
        "the grant `client_credentials` is for confidential clients: set `client_secret` or \
         `client_authentication`"
    );
    let confidential = builder(&issuer).client_secret("hunter2").build().expect("valid");
    for (code, description, advice) in [
        (
            "unauthorized_client",
            "Invalid client or Invalid client credentials",
            "check `client_id` and its secret, key or certificate",
        ),
        (
            "invalid_client",
            "Audience not found",
            "the realm has no such client, check `.audience(…)`",
        ),
    ] {
        let refusal = json!({ "error": code, "error_description": description });
        issuer.reply(Issuer::TOKEN, Reply::status(401).body(refusal.to_string()));
        let exchange = confidential.exchange_token("caller's").audience("nobody").await;
        assert_eq!(
            line(&exchange.expect_err("refused")),
            format!("Keycloak refuses the grant `token-exchange`: `{code}` ({description}): {advice}")
        );
    }
    issuer.reply(Issuer::TOKEN, Reply::status(200).body("<html>"));
    let error = keycloak.refresh_token("one").await.expect_err("no answer");
    let url = format!("{}{}", issuer.url(), Issuer::TOKEN);
    assert_eq!(
        line(&error),
        format!(
            "no token can be had now: Keycloak cannot be asked; next attempt in 1 s: `{url}` did not answer as a token \
             endpoint does"
        )
    );
}
