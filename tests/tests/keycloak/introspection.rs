//! A service that asks Keycloak about every token: what local validation cannot know takes effect.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use keycloak_auth::Introspection;
use keycloak_auth_tests::{Keycloak, Proxy, Realm, Service, now, rsa_key, suite};
use serde_json::json;

use crate::{
    answers::{assert_admitted, assert_denied, assert_invalid_token, assert_unavailable},
    setup::{builder, eventually, introspecting, routes, service},
};

const INTROSPECTION: &str = "/protocol/openid-connect/token/introspect";

pub fn tests() -> Vec<suite::Test> {
    vec![
        suite::test("introspection::a_logout_takes_effect", a_logout),
        suite::test(
            "introspection::a_logout_reaches_a_remembered_answer_within_30_s",
            a_remembered_answer,
        ),
        suite::test("introspection::a_realm_not_before_takes_effect", a_realm_not_before),
        suite::test("introspection::a_disabled_user_is_refused", a_disabled_user),
        suite::test("introspection::a_revocation_takes_effect", a_revocation),
        suite::test(
            "introspection::a_new_role_takes_effect_where_keycloak_is_asked",
            a_new_role,
        ),
        suite::test("introspection::a_wrong_client_secret_lets_nobody_in", a_wrong_secret),
        suite::test("introspection::a_wrong_client_lets_nobody_in", a_wrong_client),
        suite::test("introspection::one_token_is_asked_about_once", asked_once),
        suite::test("introspection::garbage_is_not_active", garbage),
        suite::test(
            "introspection::what_keycloak_cannot_read_leaves_the_service_ready",
            unreadable,
        ),
        suite::test("introspection::a_token_has_one_spelling", one_spelling),
        suite::test("introspection::a_lightweight_token_gets_its_roles", lightweight_roles),
        suite::test("introspection::only_what_needs_it_is_asked_about", asked_where_needed),
        suite::test(
            "introspection::a_logout_takes_effect_for_lightweight_tokens",
            a_lightweight_logout,
        ),
        suite::test(
            "introspection::a_realm_not_before_takes_effect_for_lightweight_tokens",
            a_lightweight_not_before,
        ),
        suite::test(
            "introspection::a_not_before_that_is_told_takes_effect_without",
            a_told_not_before,
        ),
    ]
}

async fn a_logout(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let service = service(introspecting(realm)).await;
    let tokens = realm.login("orders-web", "alice").await?;
    let other_session = realm.login("orders-web", "alice").await?.access;
    realm
        .logout("orders-web", &tokens.refresh.context("no refresh token")?)
        .await?;
    assert_invalid_token(&service.get_as("/me", &tokens.access).await, "token_inactive");
    assert_admitted(&service.get_as("/me", &other_session).await, "alice");
    Ok(())
}

async fn a_remembered_answer(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let service = service(introspecting(realm)).await;
    let tokens = realm.login("orders-web", "bob").await?;
    assert_admitted(&service.get_as("/me", &tokens.access).await, "bob");
    realm
        .logout("orders-web", &tokens.refresh.context("no refresh token")?)
        .await?;
    eventually("the session's end is noticed", Duration::from_secs(32), async || {
        service.get_as("/me", &tokens.access).await.status == 401
    })
    .await;
    assert_invalid_token(&service.get_as("/me", &tokens.access).await, "token_inactive");
    Ok(())
}

async fn a_realm_not_before(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm_of_its_own("not-before").await?;
    let token = realm.login("orders-web", "alice").await?.access;
    assert_admitted(
        &service(introspecting(&realm)).await.get_as("/me", &token).await,
        "alice",
    );
    realm.admin().set_not_before(realm.name(), now() + 1).await?;
    // A service that has not asked yet.
    let service = service(introspecting(&realm)).await;
    assert_invalid_token(&service.get_as("/me", &token).await, "token_inactive");
    Ok(())
}

async fn a_disabled_user(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm_of_its_own("disabled").await?;
    let alice = realm.login("orders-web", "alice").await?.access;
    let bob = realm.login("orders-web", "bob").await?.access;
    realm
        .admin()
        .update_user(realm.name(), "alice", &json!({ "enabled": false }))
        .await?;
    let service = service(introspecting(&realm)).await;
    assert_invalid_token(&service.get_as("/admin", &alice).await, "token_inactive");
    assert_denied(&service.get_as("/admin", &bob).await, "missing_roles", None);
    Ok(())
}

async fn a_revocation(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let full = realm.login("orders-web", "alice").await?.access;
    let light = realm.login("orders-light", "alice").await?.access;
    realm.revoke("orders-web", &full).await?;
    realm.revoke("orders-light", &light).await?;
    let all = in_mode(realm, Introspection::Always).await;
    assert_invalid_token(&all.get_as("/me", &full).await, "token_inactive");
    let needed = in_mode(realm, Introspection::WhenNeeded).await;
    assert_invalid_token(&needed.get_as("/me", &light).await, "token_inactive");
    // Nobody is asked about a full one.
    assert_admitted(&needed.get_as("/me", &full).await, "alice");
    Ok(())
}

async fn a_new_role(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm_of_its_own("new-role").await?;
    let full = realm.login("orders-web", "bob").await?.access;
    let light = realm.login("orders-light", "bob").await?.access;
    let service = in_mode(&realm, Introspection::WhenLightweight).await;
    assert_denied(&service.get_as("/admin", &light).await, "missing_roles", None);
    realm.admin().add_realm_role(realm.name(), "bob", "admin").await?;
    // A service that has not asked yet.
    let service = in_mode(&realm, Introspection::WhenLightweight).await;
    assert_admitted(&service.get_as("/admin", &light).await, "bob");
    // So it does for a full one, where Keycloak is asked about it, and else the roles are those with which it was issued.
    let service = in_mode(&realm, Introspection::Always).await;
    assert_admitted(&service.get_as("/admin", &full).await, "bob");
    let service = in_mode(&realm, Introspection::WhenLightweight).await;
    assert_denied(&service.get_as("/admin", &full).await, "missing_roles", None);
    Ok(())
}

async fn a_wrong_secret(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let service = service(builder(realm).client_secret("wrong").use_introspection(true)).await;
    let token = realm.login("orders-web", "alice").await?.access;
    for path in ["/me", "/admin"] {
        assert_unavailable(&service.get_as(path, &token).await, "introspection_service_error");
    }
    assert_admitted(&service.get("/public").send().await, "everyone");
    Ok(())
}

async fn a_wrong_client(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let service = service(introspecting(realm).client_id("no-such-client")).await;
    let token = realm.login("orders-web", "alice").await?.access;
    assert_unavailable(&service.get_as("/me", &token).await, "introspection_service_error");
    Ok(())
}

async fn asked_once(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let proxy = Proxy::start().await;
    let service = service(introspecting(realm).proxy(proxy.url())).await;
    let token = realm.login("orders-web", "alice").await?.access;
    for path in ["/me", "/admin", "/me"] {
        assert_admitted(&service.get_as(path, &token).await, "alice");
    }
    assert_eq!(proxy.requests_to(INTROSPECTION), 1);
    Ok(())
}

async fn garbage(keycloak: Arc<Keycloak>) -> Result<()> {
    let service = service(introspecting(keycloak.realm())).await;
    assert_invalid_token(&service.get_as("/me", "garbage").await, "token_inactive");
    // What has the form of a JWS is looked at before Keycloak is asked.
    assert_invalid_token(&service.get_as("/me", "a.b.c").await, "malformed_token");
    assert_invalid_token(
        &service.get_as("/me", "eyJhbGciOiJub25lIn0.e30.").await,
        "invalid_algorithm",
    );
    Ok(())
}

async fn unreadable(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let keycloak = introspecting(realm).build()?;
    let service = Service::start(routes().secure_with(keycloak.clone())).await;
    // JWS of two parts, whose headers are `{}` and `null`: Keycloak answers 400 instead of `{"active":false}`.
    for token in ["e30.e30", "e30.", "bnVsbA.e30", "bnVsbA"] {
        assert_invalid_token(&service.get_as("/me", token).await, "token_inactive");
        assert!(keycloak.is_ready(), "{token}");
    }
    Ok(())
}

async fn one_spelling(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let token = realm.login("orders-web", "bob").await?.access;
    for spelling in [format!("{token}."), format!("{token}..."), format!("{token}=.")] {
        // This is what has to be kept out: for Keycloak it is the token.
        assert!(is_active(realm, &spelling).await?, "{spelling}");
        for mode in [Introspection::WhenOpaque, Introspection::Always] {
            let answer = in_mode(realm, mode).await.get_as("/me", &spelling).await;
            assert_invalid_token(&answer, "malformed_token");
        }
    }
    Ok(())
}

/// What the introspection endpoint itself says.
async fn is_active(realm: &Realm, token: &str) -> Result<bool> {
    let secret = realm.client_secret("orders-api");
    let answer = keycloak_auth_tests::http_client()
        .post(format!("{}{INTROSPECTION}", realm.issuer()))
        .basic_auth("orders-api", secret)
        .form(&[("token", token)])
        .send()
        .await?;
    let told: serde_json::Value = answer.json().await?;
    Ok(told["active"] == json!(true))
}

async fn in_mode(realm: &Realm, mode: Introspection) -> Service {
    service(introspecting(realm).introspection(mode)).await
}

async fn lightweight_roles(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let alice = realm.login("orders-light", "alice").await?.access;
    let bob = realm.login("orders-light", "bob").await?.access;
    for mode in [
        Introspection::WhenLightweight,
        Introspection::WhenNeeded,
        Introspection::Always,
    ] {
        let service = in_mode(realm, mode).await;
        assert_admitted(&service.get_as("/admin", &alice).await, "alice");
        assert_admitted(&service.get_as("/me", &bob).await, "bob");
        assert_denied(&service.get_as("/admin", &bob).await, "missing_roles", None);
    }
    for mode in [Introspection::Never, Introspection::WhenOpaque] {
        let service = in_mode(realm, mode).await;
        assert_admitted(&service.get_as("/me", &alice).await, "without a name");
        assert_denied(&service.get_as("/admin", &alice).await, "missing_roles", None);
    }
    Ok(())
}

async fn asked_where_needed(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let proxy = Proxy::start().await;
    let builder = introspecting(realm).proxy(proxy.url());
    let service = service(builder.introspection(Introspection::WhenNeeded)).await;
    let full = realm.login("orders-web", "alice").await?.access;
    // Without any role, and full all the same.
    let dave = realm.login("orders-web", "dave").await?.access;
    assert_admitted(&service.get_as("/admin", &full).await, "alice");
    assert_admitted(&service.get_as("/me", &dave).await, "dave");
    let light = realm.login("orders-light", "alice").await?.access;
    let (signed, signature) = light.rsplit_once('.').context("three parts")?;
    let forged = keycloak_auth_tests::base64url(rsa_key(0).sign(signed.as_bytes()));
    assert_ne!(forged, signature);
    assert_invalid_token(
        &service.get_as("/me", &format!("{signed}.{forged}")).await,
        "invalid_signature",
    );
    assert_eq!(proxy.requests_to(INTROSPECTION), 0);
    assert_admitted(&service.get_as("/admin", &light).await, "alice");
    assert_invalid_token(&service.get_as("/me", "garbage").await, "token_inactive");
    assert_eq!(proxy.requests_to(INTROSPECTION), 2);
    Ok(())
}

async fn a_lightweight_logout(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let tokens = realm.login("orders-light", "alice").await?;
    realm
        .logout("orders-light", &tokens.refresh.context("no refresh token")?)
        .await?;
    let service = in_mode(realm, Introspection::WhenLightweight).await;
    assert_invalid_token(&service.get_as("/me", &tokens.access).await, "token_inactive");
    Ok(())
}

async fn a_lightweight_not_before(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm_of_its_own("light-not-before").await?;
    let token = realm.login("orders-light", "alice").await?.access;
    let full = realm.login("orders-web", "alice").await?.access;
    realm.admin().set_not_before(realm.name(), now() + 1).await?;
    let service = in_mode(&realm, Introspection::WhenLightweight).await;
    assert_invalid_token(&service.get_as("/me", &token).await, "token_inactive");
    // Nobody is asked about a full one.
    assert_admitted(&service.get_as("/me", &full).await, "alice");
    Ok(())
}

async fn a_told_not_before(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let token = realm.login("orders-web", "alice").await?.access;
    let keycloak = builder(realm).build()?;
    let service = Service::start(routes().secure_with(keycloak.clone())).await;
    assert_admitted(&service.get_as("/me", &token).await, "alice");
    keycloak.set_not_before(now() + 1)?;
    assert_invalid_token(&service.get_as("/me", &token).await, "token_inactive");
    Ok(())
}
