//! Policies that need more than a caller: a path, the time, another configuration.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use keycloak_auth_tests::{Browser, Keycloak, claims_of, suite};

use crate::{
    answers::{assert_admitted, assert_denied, assert_invalid_token, assert_step_up},
    setup::{builder, clock, service, without_audience},
};

pub fn tests() -> Vec<suite::Test> {
    vec![
        suite::test("policies::only_the_owner_is_admitted", only_the_owner),
        suite::test(
            "policies::a_login_grows_too_old_while_its_token_is_good",
            a_login_grows_too_old,
        ),
        suite::test("policies::a_remembered_login_is_no_fresh_one", a_remembered_login),
        suite::test(
            "policies::roles_are_those_of_the_configured_client",
            the_configured_client,
        ),
        suite::test(
            "policies::another_authorized_party_is_refused",
            another_authorized_party,
        ),
    ]
}

async fn only_the_owner(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let service = service(builder(realm)).await;
    let alice = realm.login("orders-web", "alice").await?.access;
    let bob = realm.login("orders-web", "bob").await?.access;
    let lightweight = realm.login("orders-light", "alice").await?.access;
    let id = claims_of(&alice)["sub"].as_str().context("no `sub`")?.to_owned();
    for path in [format!("/by-id/{id}"), "/by-name/alice".to_owned()] {
        assert_admitted(&service.get_as(&path, &alice).await, "own");
        assert_denied(&service.get_as(&path, &bob).await, "forbidden", None);
        // Says neither who it is nor under which id.
        assert_denied(&service.get_as(&path, &lightweight).await, "forbidden", None);
    }
    for path in ["/by-name/Alice", "/by-name/alice%20", "/by-id/alice", "/by-name/%00"] {
        assert_denied(&service.get_as(path, &alice).await, "forbidden", None);
    }
    Ok(())
}

async fn a_login_grows_too_old(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let clock = clock();
    let service = service(builder(realm).clock(clock.clone())).await;
    let token = Browser::default().login(realm, "orders-web", "alice").await?.access;
    assert_admitted(&service.get_as("/recent", &token).await, "recent");
    // Past the 300 s of the policy; the token lives 300 s and the leeway of 60 s more.
    clock.advance(Duration::from_secs(330));
    assert_step_up(&service.get_as("/recent", &token).await, None, Some(300));
    assert_admitted(&service.get_as("/me", &token).await, "alice");
    clock.advance(Duration::from_secs(60));
    for path in ["/recent", "/me"] {
        assert_invalid_token(&service.get_as(path, &token).await, "token_expired");
    }
    Ok(())
}

async fn a_remembered_login(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let service = service(builder(realm)).await;
    let mut browser = Browser::default();
    let fresh = browser.login(realm, "orders-web", "alice").await?.access;
    assert_admitted(&service.get_as("/level-one", &fresh).await, "level one");
    let remembered = browser.login(realm, "orders-web", "alice").await?.access;
    assert_eq!(claims_of(&remembered)["sid"], claims_of(&fresh)["sid"]);
    assert_step_up(&service.get_as("/level-one", &remembered).await, Some("1"), None);
    assert_admitted(&service.get_as("/admin", &remembered).await, "alice");
    Ok(())
}

async fn the_configured_client(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let orders = service(builder(realm)).await;
    let billing = service(without_audience(realm).client_id("billing-api").audience("billing-api")).await;
    let carol = realm.login("orders-web", "carol").await?.access;
    assert_denied(&orders.get_as("/admin", &carol).await, "missing_roles", None);
    assert_admitted(&billing.get_as("/admin", &carol).await, "carol");
    // A realm role counts in every service, for whose audience the token is.
    let alice = realm.login("orders-web", "alice").await?.access;
    assert_admitted(&orders.get_as("/admin", &alice).await, "alice");
    assert_invalid_token(&billing.get_as("/admin", &alice).await, "invalid_claims");
    Ok(())
}

async fn another_authorized_party(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let service = service(builder(realm).authorized_party("orders-web")).await;
    let alice = realm.login("orders-web", "alice").await?.access;
    assert_admitted(&service.get_as("/me", &alice).await, "alice");
    let worker = realm.grant("orders-worker").client_credentials().send().await?.access;
    let lightweight = realm.login("orders-light", "alice").await?.access;
    for token in [worker, lightweight] {
        assert_invalid_token(&service.get_as("/me", &token).await, "invalid_claims");
    }
    Ok(())
}
