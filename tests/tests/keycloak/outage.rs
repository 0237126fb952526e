//! Keycloak goes away and comes back.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use keycloak_auth_tests::{Answer, Keycloak, Service, suite};

use crate::{
    answers::{assert_admitted, assert_invalid_token, assert_no_credentials, assert_unavailable},
    setup::{builder, eventually, introspecting, routes, service},
};

pub fn tests() -> Vec<suite::Test> {
    vec![
        suite::restarting_test("outage::requests_flow_on_while_keycloak_restarts", requests_flow_on),
        suite::restarting_test("outage::a_service_may_start_before_keycloak", a_cold_start),
    ]
}

/// How often Keycloak is asked for its keys in these tests, so that an outage is noticed.
const LIFETIME: Duration = Duration::from_secs(1);

async fn requests_flow_on(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let runtime = builder(realm)
        .key_set_lifetime(LIFETIME)
        .key_set_cooldown(LIFETIME)
        .build()
        .context("a valid configuration")?;
    let validating = Arc::new(Service::start(routes().secure_with(runtime.clone())).await);
    let asking = service(introspecting(realm)).await;
    let mut tokens = Vec::new();
    for user in ["alice", "bob", "carol", "dave"] {
        for _ in 0..5 {
            tokens.push((realm.login("orders-web", user).await?.access, user));
        }
    }
    // Seen by both services before the outage; the others come during it for the first time.
    let known = tokens[0].0.clone();
    assert_admitted(&validating.get_as("/me", &known).await, "alice");
    assert_admitted(&asking.get_as("/me", &known).await, "alice");
    let unseen = tokens.split_off(10);

    let stop = Arc::new(AtomicBool::new(false));
    let sent = Arc::new(AtomicUsize::new(0));
    let flow = tokio::spawn({
        let (validating, stop, sent) = (Arc::clone(&validating), Arc::clone(&stop), Arc::clone(&sent));
        async move {
            let mut refused = Vec::new();
            for (token, user) in tokens.iter().cycle() {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                let answer = validating.get_as("/me", token).await;
                if (answer.status, answer.text().as_str()) != (200, user) {
                    refused.push(answer);
                }
                sent.fetch_add(1, Ordering::SeqCst);
            }
            refused
        }
    });
    let flowing = async |what: &str| {
        let before = sent.load(Ordering::SeqCst);
        eventually(what, Duration::from_secs(20), async || {
            sent.load(Ordering::SeqCst) >= before + 50
        })
        .await;
    };

    flowing("requests before the outage").await;
    keycloak.stop().await?;
    flowing("requests while Keycloak is down").await;
    eventually("the outage is noticed", Duration::from_secs(10), async || {
        runtime.last_provider_error().is_some()
    })
    .await;
    for (token, user) in &unseen {
        assert_admitted(&validating.get_as("/me", token).await, user);
    }
    // What needs no key is answered as ever, and what is unknown stays so.
    assert_no_credentials(&validating.get("/me").send().await, realm.name());
    assert_invalid_token(&validating.get_as("/me", "garbage").await, "malformed_token");
    // Whoever has to ask cannot know, and says so.
    assert_unavailable(&asking.get_as("/me", &unseen[0].0).await, "introspection_service_error");

    keycloak.start_again().await?;
    eventually(
        "the end of the outage is noticed",
        Duration::from_secs(10),
        async || runtime.last_provider_error().is_none(),
    )
    .await;
    flowing("requests after the outage").await;
    stop.store(true, Ordering::SeqCst);
    let refused: Vec<Answer> = flow.await?;
    assert!(
        refused.is_empty(),
        "{} of {} refused, such as {:?}",
        refused.len(),
        sent.load(Ordering::SeqCst),
        refused[0]
    );
    let fresh = realm.login("orders-web", "alice").await?.access;
    assert_admitted(&validating.get_as("/admin", &fresh).await, "alice");
    assert_admitted(&asking.get_as("/admin", &fresh).await, "alice");
    assert_admitted(&asking.get_as("/me", &unseen[0].0).await, unseen[0].1);
    Ok(())
}

async fn a_cold_start(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let tokens = realm.login("orders-web", "bob").await?;
    keycloak.stop().await?;
    assert!(realm.login("orders-web", "bob").await.is_err());

    let validating = service(builder(realm)).await;
    let asking = service(introspecting(realm)).await;
    let began = Instant::now();
    assert_unavailable(
        &validating.get_as("/me", &tokens.access).await,
        "keycloak_connection_error",
    );
    assert_unavailable(
        &asking.get_as("/me", &tokens.access).await,
        "introspection_service_error",
    );
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_invalid_token(&validating.get_as("/me", "garbage").await, "malformed_token");
    for service in [&validating, &asking] {
        assert_admitted(&service.get("/public").send().await, "everyone");
        assert_no_credentials(&service.get("/me").send().await, realm.name());
    }

    keycloak.start_again().await?;
    // Nobody tells the services; clients come again as they were told to.
    eventually("the keys are found", Duration::from_secs(30), async || {
        let answer = validating.get_as("/me", &tokens.access).await;
        if answer.status == 503 {
            assert_unavailable(&answer, "keycloak_connection_error");
        }
        answer.status == 200
    })
    .await;
    for service in [&validating, &asking] {
        assert_admitted(&service.get_as("/me", &tokens.access).await, "bob");
    }
    // Keys and sessions are the same as before.
    let refresh = tokens.refresh.context("no refresh token")?;
    let refreshed = realm.grant("orders-web").refresh(&refresh).send().await?;
    assert_admitted(&validating.get_as("/me", &refreshed.access).await, "bob");
    Ok(())
}
