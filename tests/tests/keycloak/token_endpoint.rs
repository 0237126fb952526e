//! Grants by the library, and calls to another service with what they bring.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use keycloak_auth::{
    AuthError, GrantKind, KeycloakBuilder, KeycloakUser, OAuthError, ServiceClientError, TokenRefusal,
};
use keycloak_auth_tests::{ACME, Keycloak, Proxy, Realm, Service, claims_of, now, suite};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::setup::{builder, clock, eventually, routes, without_audience};

const TOKEN: &str = "/protocol/openid-connect/token";

pub fn tests() -> Vec<suite::Test> {
    vec![
        suite::test("token_endpoint::a_refresh_brings_new_tokens", a_refresh),
        suite::test(
            "token_endpoint::a_used_refresh_token_is_invalid_grant",
            a_used_refresh_token,
        ),
        suite::test(
            "token_endpoint::all_who_use_a_refresh_token_at_once_get_tokens",
            concurrent_refreshes,
        ),
        suite::test("token_endpoint::refusals_of_a_refresh_are_typed", refused_refreshes),
        suite::test("token_endpoint::an_own_token_is_kept_and_renewed", an_own_token),
        suite::test("token_endpoint::refusals_of_an_own_token_are_typed", refused_own_tokens),
        suite::test("token_endpoint::an_exchange_brings_the_audience_and_scope", an_exchange),
        suite::test("token_endpoint::refusals_of_an_exchange_are_typed", refused_exchanges),
        suite::test("token_endpoint::service_client_sends_the_services_own_token", own_calls),
        suite::test(
            "token_endpoint::service_client_sends_again_when_its_token_was_revoked",
            a_revoked_token,
        ),
        suite::test("token_endpoint::service_client_passes_on_the_callers_token", passing_on),
        suite::test("token_endpoint::service_client_exchanges_the_callers_token", exchanging),
    ]
}

/// `orders-api` with its secret.
fn confidential(realm: &Realm) -> KeycloakBuilder {
    let secret = realm
        .client_secret("orders-api")
        .expect("the realm file has the secret");
    builder(realm).client_secret(secret)
}

fn library(builder: KeycloakBuilder) -> keycloak_auth::Keycloak {
    builder.build().expect("a valid configuration")
}

/// The realm with another service in it, `stock-api`, whose tokens `orders-api` gets by the scope `stock`.
async fn with_stock(keycloak: &Keycloak, label: &str) -> Result<Realm> {
    let mut file = ACME.clone();
    let clients = file["clients"].as_array_mut().context("a realm file has clients")?;
    clients.push(json!({
        "clientId": "stock-api", "enabled": true, "publicClient": false, "secret": "stock-api-secret",
        "standardFlowEnabled": false, "directAccessGrantsEnabled": false,
    }));
    let realm = keycloak.import(&file, label).await?;
    let scope = json!({
        "name": "stock", "protocol": "openid-connect",
        "attributes": { "include.in.token.scope": "true" },
        "protocolMappers": [{
            "name": "stock-api audience", "protocol": "openid-connect", "protocolMapper": "oidc-audience-mapper",
            "config": {
                "included.client.audience": "stock-api", "access.token.claim": "true", "introspection.token.claim": "true",
            },
        }],
    });
    realm
        .admin()
        .add_optional_scope(realm.name(), "orders-api", &scope)
        .await?;
    Ok(realm)
}

/// The service `stock-api`, guarded by this crate.
fn stock(realm: &Realm) -> KeycloakBuilder {
    without_audience(realm).client_id("stock-api").audience("stock-api")
}

async fn serve(builder: KeycloakBuilder) -> Service {
    Service::start(routes().secure_with(library(builder))).await
}

async fn caller(keycloak: &keycloak_auth::Keycloak, realm: &Realm, user: &str) -> Result<KeycloakUser> {
    let token = realm.login("orders-web", user).await?.access;
    Ok(keycloak.authenticate(&token).await?)
}

async fn refresh_token(realm: &Realm) -> Result<String> {
    let tokens = realm.login("orders-web", "alice").await?;
    tokens.refresh.context("no refresh token")
}

#[track_caller]
fn refusal<T: std::fmt::Debug>(outcome: Result<T, AuthError>) -> TokenRefusal {
    match outcome {
        Err(AuthError::TokenRefused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn assert_refused<T: std::fmt::Debug>(
    outcome: Result<T, AuthError>,
    grant: GrantKind,
    error: OAuthError,
    description: &str,
) {
    let refusal = refusal(outcome);
    assert_eq!(
        (refusal.grant(), refusal.error(), refusal.description()),
        (grant, error, Some(description)),
        "{refusal}"
    );
    assert_eq!(refusal.code(), error.as_str());
}

fn audiences(token: &str) -> Vec<String> {
    match &claims_of(token)["aud"] {
        Value::String(audience) => vec![audience.clone()],
        Value::Array(audiences) => audiences
            .iter()
            .filter_map(|aud| Some(aud.as_str()?.to_owned()))
            .collect(),
        _ => Vec::new(),
    }
}

/// Keycloak counts from the second in which it began to make the token.
fn is_lifetime(expires_in: u64) -> bool {
    (295..=300).contains(&expires_in)
}

async fn a_refresh(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let library = library(builder(realm));
    let first = refresh_token(realm).await?;
    let tokens = library.refresh_token(&first).public_client("orders-web").await?;
    assert_eq!(tokens.token_type, "Bearer");
    assert!(is_lifetime(tokens.expires_in), "{tokens:?}");
    assert_eq!(tokens.not_before_policy, Some(0));
    assert!(tokens.scope.as_deref().is_some_and(|scope| scope.contains("profile")));
    assert_eq!(
        library.authenticate(&tokens.access_token).await?.username(),
        Some("alice")
    );
    let second = tokens
        .refresh_token
        .context("a refresh brings the next refresh token")?;
    assert_ne!(second, first);
    let again = library.refresh_token(&second).public_client("orders-web").await?;
    assert_ne!(again.access_token, tokens.access_token);
    Ok(())
}

/// Refresh token rotation, as the realm setting *Revoke Refresh Token* has it.
async fn rotating(keycloak: &Keycloak, label: &str) -> Result<Realm> {
    let realm = keycloak.realm_of_its_own(label).await?;
    let settings = json!({ "revokeRefreshToken": true, "refreshTokenMaxReuse": 0 });
    realm.admin().update_realm(realm.name(), &settings).await?;
    Ok(realm)
}

async fn a_used_refresh_token(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = rotating(&keycloak, "refresh-used").await?;
    let library = library(builder(&realm));
    let first = refresh_token(&realm).await?;
    let tokens = library.refresh_token(&first).public_client("orders-web").await?;
    let again = library.refresh_token(&first).public_client("orders-web").await;
    assert_refused(
        again,
        GrantKind::RefreshToken,
        OAuthError::InvalidGrant,
        "Maximum allowed refresh token reuse exceeded",
    );
    // To Keycloak a used one is a stolen one: its successor is void as well.
    let second = tokens
        .refresh_token
        .context("a refresh brings the next refresh token")?;
    let successor = library.refresh_token(&second).public_client("orders-web").await;
    assert_eq!(refusal(successor).error(), OAuthError::InvalidGrant);
    Ok(())
}

async fn concurrent_refreshes(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = rotating(&keycloak, "refresh-at-once").await?;
    let proxy = Proxy::start().await;
    let library = library(builder(&realm).proxy(proxy.url()));
    library.ready().await?;
    let token = Arc::new(refresh_token(&realm).await?);
    let mut refreshes = JoinSet::new();
    for _ in 0..50 {
        let (library, token) = (library.clone(), Arc::clone(&token));
        refreshes.spawn(async move { library.refresh_token(&token).public_client("orders-web").await });
    }
    let outcomes = refreshes.join_all().await.into_iter().collect::<Result<Vec<_>, _>>()?;
    assert!(outcomes.iter().all(|tokens| *tokens == outcomes[0]));
    assert_eq!(proxy.requests_to(TOKEN), 1);
    Ok(())
}

async fn refused_refreshes(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let library = library(builder(realm));
    let of_web = async |token: &str| library.refresh_token(token).public_client("orders-web").await;
    let refused = |outcome, description: &str| {
        assert_refused(outcome, GrantKind::RefreshToken, OAuthError::InvalidGrant, description);
    };
    refused(of_web("garbage").await, "Invalid refresh token");
    let tokens = realm.login("orders-web", "alice").await?;
    refused(of_web(&tokens.access).await, "Invalid refresh token");
    let token = tokens.refresh.context("no refresh token")?;
    realm.logout("orders-web", &token).await?;
    refused(of_web(&token).await, "Session not active");
    let token = refresh_token(realm).await?;
    let other = library.refresh_token(&token).public_client("orders-light").await;
    assert_eq!(refusal(other).error(), OAuthError::InvalidGrant);
    let nobody = library.refresh_token(&token).public_client("no-such-client").await;
    assert_refused(
        nobody,
        GrantKind::RefreshToken,
        OAuthError::InvalidClient,
        "Invalid client or Invalid client credentials",
    );
    Ok(())
}

async fn an_own_token(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let (proxy, clock) = (Proxy::start().await, clock());
    let library = library(confidential(realm).proxy(proxy.url()).clock(clock.clone()));
    let first = library.client_credentials().await?;
    let claims = claims_of(&first.access_token);
    assert_eq!(claims["preferred_username"], "service-account-orders-api");
    assert!(
        is_lifetime(first.expires_in) && first.refresh_token.is_none(),
        "{first:?}"
    );
    let second = library.client_credentials().await?;
    assert_eq!(second.access_token, first.access_token);
    assert_eq!(proxy.requests_to(TOKEN), 1);
    clock.advance(Duration::from_secs(245));
    let third = library.client_credentials().await?;
    assert_ne!(third.access_token, first.access_token);
    assert_eq!(proxy.requests_to(TOKEN), 2);
    Ok(())
}

async fn refused_own_tokens(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let refused = async |builder: KeycloakBuilder, error, description| {
        let outcome = library(builder).client_credentials().await;
        assert_refused(outcome, GrantKind::ClientCredentials, error, description);
    };
    refused(
        builder(realm).client_secret("wrong"),
        OAuthError::UnauthorizedClient,
        "Invalid client or Invalid client credentials",
    )
    .await;
    refused(
        confidential(realm).client_id("no-such-client"),
        OAuthError::InvalidClient,
        "Invalid client or Invalid client credentials",
    )
    .await;
    refused(
        confidential(realm).client_id("orders-web"),
        OAuthError::UnauthorizedClient,
        "Public client not allowed to retrieve service account",
    )
    .await;
    let unknown_scope = library(confidential(realm)).service_client();
    let unknown_scope = unknown_scope
        .for_origin("http://127.0.0.1:1")
        .scope("no-such-scope")
        .build()?;
    let error = unknown_scope.get("/").send().await.expect_err("no such scope");
    let ServiceClientError::Token(no_token) = error else {
        panic!("{error:?}")
    };
    assert_refused::<()>(
        Err(no_token.cause().clone()),
        GrantKind::ClientCredentials,
        OAuthError::InvalidScope,
        "Invalid scopes: no-such-scope",
    );
    Ok(())
}

async fn an_exchange(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = with_stock(&keycloak, "exchange").await?;
    let library = library(confidential(&realm));
    let carol = caller(&library, &realm, "carol").await?;
    let tokens = library
        .exchange_token(carol.access_token())
        .audience("billing-api")
        .await?;
    assert_eq!(audiences(&tokens.access_token), ["billing-api"]);
    assert_eq!(tokens.refresh_token, None);
    let claims = claims_of(&tokens.access_token);
    assert_eq!(
        (&claims["azp"], &claims["preferred_username"]),
        (&json!("orders-api"), &json!("carol"))
    );
    let exchange = library.exchange_token(carol.access_token()).audience("stock-api");
    let tokens = exchange.scope("stock").await?;
    assert_eq!(audiences(&tokens.access_token), ["stock-api"]);
    assert!(
        tokens
            .scope
            .context("a scope")?
            .split(' ')
            .any(|scope| scope == "stock")
    );
    Ok(())
}

async fn refused_exchanges(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let library = library(confidential(realm));
    let alice = caller(&library, realm, "alice").await?;
    let exchange = || library.exchange_token(alice.access_token());
    let refused = |outcome, error, description: &str| {
        assert_refused(outcome, GrantKind::TokenExchange, error, description);
    };
    refused(
        exchange().audience("billing-api").await,
        OAuthError::InvalidRequest,
        "Requested audience not available: billing-api",
    );
    refused(
        exchange().audience("no-such-client").await,
        OAuthError::InvalidClient,
        "Audience not found",
    );
    refused(
        exchange().scope("no-such-scope").await,
        OAuthError::InvalidScope,
        "Invalid scopes: no-such-scope",
    );
    refused(
        library.exchange_token("garbage").await,
        OAuthError::InvalidRequest,
        "Invalid token",
    );
    let worker = realm.client_secret("orders-worker").context("a secret")?;
    let worker = self::library(builder(realm).client_id("orders-worker").client_secret(worker));
    refused(
        worker.exchange_token(alice.access_token()).await,
        OAuthError::InvalidRequest,
        "Standard token exchange is not enabled for the requested client",
    );
    Ok(())
}

async fn own_calls(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = with_stock(&keycloak, "own-calls").await?;
    let stock = serve(stock(&realm)).await;
    let proxy = Proxy::start().await;
    let library = library(confidential(&realm).proxy(proxy.url()));
    let client = || library.service_client().for_origin(stock.url(""));
    let with_scope = client().scope("stock").build()?;
    for _ in 0..3 {
        let answer = with_scope.get("/me").send().await?;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.text().await?, "service-account-orders-api");
    }
    assert_eq!(proxy.requests_to(TOKEN), 1);
    // Without the scope the token is for others.
    let answer = client().build()?.get("/me").send().await?;
    assert_eq!(answer.status(), 401);
    Ok(())
}

async fn a_revoked_token(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = with_stock(&keycloak, "revoked").await?;
    let stock = serve(stock(&realm).client_secret("stock-api-secret").use_introspection(true)).await;
    let (proxy, clock) = (Proxy::start().await, clock());
    let library = library(confidential(&realm).proxy(proxy.url()).clock(clock.clone()));
    let client = library.service_client().for_origin(stock.url(""));
    let client = client.scope("stock").build()?;
    // Obtains a token, and leaves nothing of it in the service's memory.
    assert_eq!(client.get("/public").send().await?.status(), 200);
    let own = client.get("/echo-of-nothing").send().await?;
    assert_eq!(
        (own.status(), proxy.requests_to(TOKEN)),
        (http::StatusCode::NOT_FOUND, 1)
    );
    revoke_all_before_now(&realm).await?;
    clock.advance(Duration::from_secs(20));
    let answer = client.get("/me").send().await?;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.text().await?, "service-account-orders-api");
    assert_eq!(proxy.requests_to(TOKEN), 2);
    Ok(())
}

/// Makes the tokens void that the realm has issued so far, by its not-before, which counts in seconds.
async fn revoke_all_before_now(realm: &Realm) -> Result<()> {
    let not_before = now() + 1;
    realm.admin().set_not_before(realm.name(), not_before).await?;
    eventually("the second of the not-before", Duration::from_secs(5), async || {
        now() > not_before
    })
    .await;
    Ok(())
}

async fn passing_on(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let library = library(builder(realm));
    // Another service for the same audience.
    let partner = serve(builder(realm)).await;
    let client = library.service_client().for_origin(partner.url("")).build()?;
    let alice = caller(&library, realm, "alice").await?;
    let bob = caller(&library, realm, "bob").await?;
    let as_alice = client.on_behalf_of(&alice).pass_on();
    let answer = as_alice.get("/admin").send().await?;
    assert_eq!((answer.status().as_u16(), &*answer.text().await?), (200, "alice"));
    let answer = client.on_behalf_of(&bob).pass_on().get("/admin").send().await?;
    assert_eq!(answer.status(), 403);
    Ok(())
}

async fn exchanging(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = with_stock(&keycloak, "on-behalf").await?;
    let stock = serve(stock(&realm)).await;
    let proxy = Proxy::start().await;
    let library = library(confidential(&realm).proxy(proxy.url()));
    let client = library.service_client().for_origin(stock.url(""));
    let client = client.audience("stock-api").scope("stock").build()?;
    for user in ["alice", "bob"] {
        let caller = caller(&library, &realm, user).await?;
        for _ in 0..2 {
            let answer = client.on_behalf_of(&caller).exchange().get("/me").send().await?;
            assert_eq!((answer.status().as_u16(), &*answer.text().await?), (200, user));
        }
        let passed_on = client.on_behalf_of(&caller).pass_on().get("/me").send().await?;
        assert_eq!(passed_on.status(), 401, "the caller's token is not for that service");
    }
    assert_eq!(proxy.requests_to(TOKEN), 2, "one exchange for each caller");
    Ok(())
}
