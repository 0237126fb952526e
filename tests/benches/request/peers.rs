//! Other crates for the same job, set up as their documentation says.

use std::time::Duration;

use axum::{
    Router,
    http::{HeaderValue, StatusCode},
    routing::get,
};
use keycloak_auth_tests::Issuer;
use tower_oauth2_resource_server::{server::OAuth2ResourceServer, tenant::TenantConfiguration};

use crate::{
    alternatives::{Alternative, FEW, Tokens, answer, assert_admits},
    services::{axum_keycloak_auth, unguarded},
    work::{Supply, Work},
};

pub(crate) const AXUM_KEYCLOAK_AUTH: [&str; 2] = ["warm: axum-keycloak-auth", "cold: axum-keycloak-auth"];
pub(crate) const TOWER_OAUTH2_RESOURCE_SERVER: [&str; 2] = [
    "warm: tower-oauth2-resource-server",
    "cold: tower-oauth2-resource-server",
];

pub(crate) async fn alternatives(issuer: &Issuer, tokens: &Tokens) -> Vec<Alternative> {
    let routers = [
        (AXUM_KEYCLOAK_AUTH, axum_keycloak_auth(issuer.url())),
        (
            TOWER_OAUTH2_RESOURCE_SERVER,
            tower_oauth2_resource_server(issuer, tokens).await,
        ),
    ];
    let mut alternatives = Vec::new();
    for ([warm, cold], router) in routers {
        assert_admits(warm, &router, tokens).await;
        for (name, authorization) in [
            (warm, Supply::always(tokens.warm.clone())),
            (cold, Supply::once(&tokens.many)),
        ] {
            alternatives.push(requests(name, router.clone(), authorization));
        }
    }
    alternatives
}

fn requests(name: &'static str, router: Router, authorization: Supply<HeaderValue>) -> Alternative {
    Alternative {
        name,
        work: Work::requests(router, authorization, StatusCode::OK),
        // Neither keeps tokens.
        repetitions: FEW,
    }
}

/// With its faster cryptography; it knows no roles, so it requires none.
async fn tower_oauth2_resource_server(issuer: &Issuer, tokens: &Tokens) -> Router {
    let tenant = TenantConfiguration::builder(issuer.issuer())
        .audiences(&["orders-api"])
        .build()
        .await
        .expect("the issuer answers");
    let server = <OAuth2ResourceServer>::builder()
        .add_tenant(tenant)
        .build()
        .await
        .expect("a complete configuration");
    let router = Router::new()
        .route("/orders", get(unguarded))
        .layer(server.into_layer());
    // It fetches the keys in the background and refuses everything until then.
    for _ in 0..100 {
        if answer(&router, tokens.tried.clone()).await == StatusCode::OK {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    router
}
