//! Requests without credentials pass, those with a bad token do not.

use axum::{Router, routing};
use keycloak_auth::policy;
use keycloak_auth_tests::{Issuer, Reply, Service};

use super::{optional, plain, router};
use crate::setup::builder;

#[tokio::test]
async fn no_credentials_pass_and_bad_ones_do_not() {
    let issuer = Issuer::start().await;
    let keycloak = builder(&issuer).build().expect("valid");
    let service = Service::start(router().layer(keycloak.layer().optional())).await;
    let token = issuer.valid_token();
    assert_eq!(service.get("/docs/x").send().await.text(), "nobody");
    assert_eq!(service.get_as("/docs/x", &token).await.text(), "alice");
    assert_eq!(service.get("/plain").send().await.text(), "plain");
    let basic = service.get("/docs/x").authorization("Basic YTpi").send().await;
    assert_eq!(basic.text(), "nobody", "credentials of another scheme are none");
    // Also where no handler looks at the token.
    let expired = issuer.token().claim("exp", 1).sign(issuer.key());
    for (path, bad) in [("/plain", "garbage"), ("/docs/x", "garbage"), ("/plain", &*expired)] {
        let answer = service.get_as(path, bad).await;
        assert_eq!(answer.status, 401, "{path}: {answer:?}");
        assert!(answer.challenge().contains("invalid_token"), "{answer:?}");
    }
    let two = format!("Bearer {token}, Bearer {token}");
    assert_eq!(service.get("/plain").authorization(two).send().await.status, 400);
    // A policy is asked as ever.
    assert_eq!(service.get("/admin").send().await.status, 401);
    assert_eq!(service.get_as("/admin", &token).await.status, 200);
}

#[tokio::test]
async fn a_token_that_cannot_be_judged_is_no_anonymous_caller() {
    let issuer = Issuer::start().await;
    issuer.reply(Issuer::JWKS, Reply::status(503));
    let keycloak = builder(&issuer).build().expect("valid");
    let service = Service::start(router().layer(keycloak.layer().optional())).await;
    assert_eq!(service.get("/docs/x").send().await.text(), "nobody");
    assert_eq!(service.get_as("/docs/x", &issuer.valid_token()).await.status, 503);
}

#[tokio::test]
async fn a_policy_of_the_layer_needs_a_caller() {
    let issuer = Issuer::start().await;
    let keycloak = builder(&issuer).build().expect("valid");
    let layer = keycloak.layer().optional().require(policy!(authenticated));
    let router = Router::new()
        .route("/plain", routing::get(plain))
        .route("/optional", routing::get(optional));
    let service = Service::start(router.layer(layer)).await;
    assert_eq!(service.get("/plain").send().await.status, 401);
    assert_eq!(service.get_as("/optional", &issuer.valid_token()).await.text(), "alice");
}
