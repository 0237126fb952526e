//! Nothing is left of a `Keycloak` that is dropped or closed: no task, no connection, no thread.

use std::time::Duration;

use keycloak_auth::{AuthError, Clock, Keycloak, KeycloakBuilder, ProviderError};
use keycloak_auth_tests::{Fault, Gateway, Issuer, Logs, Reply, claims_of};
use serde_json::json;
use tokio::runtime::Handle;

use super::{assert_said, at_once, eventually, warnings};
use crate::setup::{builder, clock, lasting};

/// What it was doing.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Doing {
    /// It has keys, a token of its own and connections that wait for more.
    Nothing,
    FetchingKeys,
    ReloadingKeys,
    Introspecting,
    Refreshing,
    Diagnosing,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Drop,
    Close,
}

#[test]
fn no_task_connection_or_thread_is_left() {
    let mut cases = Vec::new();
    for doing in [
        Doing::Nothing,
        Doing::FetchingKeys,
        Doing::ReloadingKeys,
        Doing::Introspecting,
        Doing::Refreshing,
        Doing::Diagnosing,
    ] {
        cases.extend([End::Drop, End::Close].map(|end| (doing, end)));
    }
    // Threads have at most 15 letters, and inherit the name of the one that starts them.
    let name = |(doing, end): &(Doing, End)| format!("{:.8}{end:?}", format!("{doing:?}"));
    at_once(&cases, name, async |(doing, end)| run(*doing, *end).await);
}

async fn run(doing: Doing, end: End) {
    let logs = Logs::capture();
    let issuer = Issuer::start().await;
    let gateway = Gateway::to(&issuer).await;
    let token = lasting(&issuer, Duration::from_secs(86_400)).sign(issuer.key());
    let mut claims = claims_of(&token);
    claims["active"] = json!(true);
    issuer.reply(Issuer::INTROSPECTION, Reply::json(&claims));
    issuer.reply(
        Issuer::TOKEN,
        Reply::json(&json!({ "access_token": "own", "token_type": "Bearer", "expires_in": 300 })),
    );
    let clock = clock();
    let settings = builder(&issuer)
        .server_url(gateway.url())
        .issuer(issuer.issuer())
        .client_secret("canary")
        .request_timeout(Duration::from_secs(120))
        .clock(clock.clone());
    let before = (alive_tasks(), threads());

    let keycloak = build(settings, doing);
    let asking = match doing {
        Doing::Nothing | Doing::ReloadingKeys => {
            keycloak.authenticate(&token).await.expect("a valid token");
            keycloak.client_credentials().await.expect("a token");
            assert!(gateway.open_connections() > 0, "a connection waits for more");
            if doing == Doing::ReloadingKeys {
                gateway.inject(Issuer::JWKS, Fault::Silence);
                clock.advance(Duration::from_secs(300));
                keycloak.authenticate(&token).await.expect("the keys serve on");
                eventually("the reload has begun", || gateway.requests_to(Issuer::JWKS) == 2).await;
            }
            None
        }
        Doing::FetchingKeys => Some(asked(&keycloak, &gateway, &token, Issuer::JWKS).await),
        Doing::Introspecting => Some(asked(&keycloak, &gateway, &token, Issuer::INTROSPECTION).await),
        Doing::Refreshing => Some(asked(&keycloak, &gateway, &token, Issuer::TOKEN).await),
        Doing::Diagnosing => {
            gateway.inject(Issuer::DISCOVERY, Fault::Silence);
            let diagnosed = keycloak.clone();
            let asking = tokio::spawn(async move {
                diagnosed.diagnose().await;
                diagnosed.authenticate("garbage").await.map(drop)
            });
            eventually("the request is under way", || {
                gateway.requests_to(Issuer::DISCOVERY) == 1
            })
            .await;
            Some(asking)
        }
    };
    match end {
        End::Close => {
            keycloak.close().await;
            if let Some(asking) = asking {
                let error = asking
                    .await
                    .expect("the one who asks gets an answer")
                    .expect_err("closed");
                if doing != Doing::Diagnosing {
                    assert_closed(&error);
                }
            }
            assert_served_on(&keycloak, doing, &token, &clock).await;
            assert_closed(&keycloak.refresh_token("refresh-1").await.expect_err("closed"));
        }
        End::Drop => {
            if let Some(asking) = asking {
                asking.abort();
                assert!(asking.await.is_err_and(|error| error.is_cancelled()));
            }
            drop(keycloak);
        }
    }
    eventually("all connections are gone", || gateway.open_connections() == 0).await;
    eventually("all tasks have ended", || alive_tasks() <= before.0).await;
    assert_eq!(threads(), before.1, "no thread is left");
    // Its own end is no trouble of Keycloak's.
    assert_said(&warnings(&logs), &[]);
}

/// The keys at hand serve on, and nobody tries to fetch others, however old they are.
async fn assert_served_on(keycloak: &Keycloak, doing: Doing, token: &str, clock: &Clock) {
    let tasks = alive_tasks();
    for minutes in [10, 20] {
        clock.advance(Duration::from_secs(minutes * 60));
        let outcome = keycloak.authenticate(token).await;
        match doing {
            Doing::Nothing | Doing::ReloadingKeys => assert!(outcome.is_ok(), "{outcome:?}"),
            _ => assert_closed(&outcome.expect_err("no keys, and closed")),
        }
        assert!(alive_tasks() <= tasks, "a task was begun after the end");
    }
}

fn build(settings: KeycloakBuilder, doing: Doing) -> Keycloak {
    let settings = settings.use_introspection(doing == Doing::Introspecting);
    settings.build().expect("valid")
}

type Asking = tokio::task::JoinHandle<Result<(), AuthError>>;

/// Asks for something that never comes, until the request for it is under way.
async fn asked(keycloak: &Keycloak, gateway: &Gateway, token: &str, path: &'static str) -> Asking {
    gateway.inject(path, Fault::Silence);
    let (keycloak, token) = (keycloak.clone(), token.to_owned());
    let asking = tokio::spawn(async move {
        match path {
            Issuer::TOKEN => keycloak.refresh_token("refresh-1").await.map(drop),
            _ => keycloak.authenticate(&token).await.map(drop),
        }
    });
    eventually("the request is under way", || gateway.requests_to(path) == 1).await;
    asking
}

#[track_caller]
fn assert_closed(error: &AuthError) {
    let (AuthError::Unavailable(unavailable)
    | AuthError::IntrospectionUnavailable(unavailable)
    | AuthError::TokenEndpointUnavailable(unavailable)) = error
    else {
        panic!("{error:?}")
    };
    assert!(matches!(unavailable.cause(), ProviderError::Closed), "{unavailable:?}");
}

fn alive_tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

/// The threads with the name of this one, which is that of those it starts.
#[cfg(target_os = "linux")]
fn threads() -> usize {
    let name = |path: &std::path::Path| std::fs::read_to_string(path.join("comm")).unwrap_or_default();
    let own = name(std::path::Path::new("/proc/thread-self"));
    let tasks = std::fs::read_dir("/proc/self/task").expect("a list of threads");
    let named = tasks.filter_map(|task| Some(name(&task.ok()?.path())));
    named.filter(|name| *name == own).count()
}

#[cfg(not(target_os = "linux"))]
fn threads() -> usize {
    1
}
