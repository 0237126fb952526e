//! Policies of a layer, in front of a group of routes.

use axum::{Router, routing};
use keycloak_auth::{KeycloakLayer, policy};
use keycloak_auth_tests::{Issuer, Service};
use serde_json::json;

use super::plain;
use crate::setup::builder;

async fn service(layer: KeycloakLayer) -> Service {
    let group = Router::new()
        .route("/metrics", routing::get(plain))
        .route("/users/{name}", routing::get(plain))
        .route_layer(layer);
    Service::start(Router::new().route("/open", routing::get(plain)).nest("/group", group)).await
}

#[tokio::test]
async fn the_group_needs_what_the_policy_says_and_its_neighbours_do_not() {
    let issuer = Issuer::start().await;
    let keycloak = builder(&issuer).build().expect("valid");
    let service = service(keycloak.layer().require(policy!(realm_role("admin")))).await;
    let without_roles = issuer.token().without("realm_access").sign(issuer.key());
    assert_eq!(service.get("/group/metrics").send().await.status, 401);
    assert_eq!(service.get_as("/group/metrics", "garbage").await.status, 401);
    assert_eq!(
        service.get_as("/group/metrics", &issuer.valid_token()).await.status,
        200
    );
    let answer = service.get_as("/group/metrics", &without_roles).await;
    assert_eq!(answer.status, 403);
    assert_eq!(answer.json()["error"]["code"], json!("missing_roles"));
    assert!(answer.challenge().contains("insufficient_scope"), "{answer:?}");
    assert_eq!(service.get("/open").send().await.status, 200);
    assert_eq!(
        service.get("/group/nothing").send().await.status,
        404,
        "a `route_layer` is about routes"
    );
}

#[tokio::test]
async fn several_policies_have_to_be_met_all() {
    let issuer = Issuer::start().await;
    let keycloak = builder(&issuer).build().expect("valid");
    let layer = keycloak
        .layer()
        .require(policy!(realm_role("admin")))
        .require(policy!(scope("audit")));
    let service = service(layer).await;
    let both = issuer.token().claim("scope", "audit").sign(issuer.key());
    let one = issuer.token().claim("scope", "profile").sign(issuer.key());
    let other = issuer
        .token()
        .claim("scope", "audit")
        .without("realm_access")
        .sign(issuer.key());
    for (token, status) in [(&both, 200), (&one, 403), (&other, 403)] {
        assert_eq!(service.get_as("/group/metrics", token).await.status, status);
    }
}

#[tokio::test]
async fn a_policy_about_the_path_holds_behind_the_router_and_nowhere_else() {
    let issuer = Issuer::start().await;
    let keycloak = builder(&issuer).build().expect("valid");
    let layer = keycloak.layer().require(policy!(owner("name" = "preferred_username")));
    let behind = service(layer.clone()).await;
    let token = issuer.valid_token();
    assert_eq!(behind.get_as("/group/users/alice", &token).await.status, 200);
    assert_eq!(behind.get_as("/group/users/bob", &token).await.status, 403);
    assert_eq!(behind.get_as("/group/metrics", &token).await.status, 403);
    // In front of the router nobody knows the parameters yet, so nobody owns anything.
    let router = Router::new().route("/users/{name}", routing::get(plain));
    let in_front = Service::start(Router::new().fallback_service(tower::Layer::layer(&layer, router))).await;
    assert_eq!(in_front.get_as("/users/alice", &token).await.status, 403);
}

#[tokio::test]
async fn a_step_up_is_asked_for_as_by_a_guard() {
    let issuer = Issuer::start().await;
    let keycloak = builder(&issuer).build().expect("valid");
    let service = service(keycloak.layer().require(policy!(acr("gold")))).await;
    let answer = service.get_as("/group/metrics", &issuer.valid_token()).await;
    assert_eq!(answer.status, 401);
    assert!(answer.challenge().contains("acr_values=\"gold\""), "{answer:?}");
}

#[tokio::test]
async fn public_paths_need_to_meet_no_policy() {
    let issuer = Issuer::start().await;
    let keycloak = builder(&issuer).build().expect("valid");
    let layer = keycloak
        .layer()
        .public_paths(["/metrics"])
        .require(policy!(realm_role("nobody-has-this")));
    let service = service(layer).await;
    assert_eq!(service.get("/group/metrics").send().await.status, 200);
    assert_eq!(
        service.get_as("/group/users/x", &issuer.valid_token()).await.status,
        403
    );
}

#[tokio::test]
async fn the_log_says_why_a_policy_of_the_layer_refuses() {
    let logs = keycloak_auth_tests::Logs::capture();
    let issuer = Issuer::start().await;
    let keycloak = builder(&issuer).build().expect("valid");
    let service = service(keycloak.layer().require(policy!(group("/layer-canary")))).await;
    assert_eq!(
        service.get_as("/group/metrics", &issuer.valid_token()).await.status,
        403
    );
    assert!(logs.text().contains("refused: "), "{}", logs.text());
    assert!(logs.text().contains("/layer-canary"), "{}", logs.text());
}
