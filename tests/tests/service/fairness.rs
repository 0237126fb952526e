//! Many new tokens at once: who has a known one does not wait for all of them.

use std::{
    pin::pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use axum::{Router, body::Body, http::Request};
use keycloak_auth::{SecureRouter, keycloak, routing::get};
use keycloak_auth_tests::{Issuer, Service, rsa_key};
use tokio::task::{JoinSet, yield_now};
use tower::ServiceExt as _;

use crate::setup::{builder, clock};

#[keycloak(authenticated)]
async fn open() -> &'static str {
    "let in"
}

async fn router(issuer: &Issuer) -> Router {
    // While its clock stands still, no time passes between two verifications.
    let keycloak = builder(issuer).clock(clock()).build().expect("valid");
    keycloak.ready().await.expect("the issuer publishes a key");
    SecureRouter::new().route("/open", get(open)).secure_with(keycloak)
}

fn tokens(issuer: &Issuer, count: usize) -> Vec<String> {
    let token = |number| issuer.token().claim("number", number).sign(issuer.key());
    (0..count).map(token).collect()
}

async fn status(router: Router, token: &str) -> u16 {
    let request = Request::get("/open").header("authorization", format!("Bearer {token}"));
    let request = request.body(Body::empty()).expect("a request");
    let response = router.oneshot(request).await.expect("a router does not fail");
    response.status().as_u16()
}

/// The status of an answer that nothing is awaited for.
fn status_at_once(router: &Router, token: &str) -> Option<u16> {
    match pin!(status(router.clone(), token)).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(status) => Some(status),
        Poll::Pending => None,
    }
}

#[tokio::test]
async fn known_tokens_are_answered_between_new_ones() {
    let issuer = Issuer::start().await;
    let router = router(&issuer).await;
    let known = issuer.token().sign(issuer.key());
    assert_eq!(status(router.clone(), &known).await, 200);
    let order = Arc::new(Mutex::new(String::new()));
    let mut tasks = JoinSet::new();
    let new = tokens(&issuer, 20).into_iter().map(|token| ('n', token));
    let regulars = (0..20).map(|_| ('k', known.clone()));
    for (kind, token) in new.chain(regulars) {
        let (router, order) = (router.clone(), Arc::clone(&order));
        tasks.spawn(async move {
            assert_eq!(status(router, &token).await, 200);
            order.lock().expect("no panic").push(kind);
        });
    }
    tasks.join_all().await;
    let order = order.lock().expect("no panic");
    assert_eq!(*order, "k".repeat(20) + &"n".repeat(20));
}

#[tokio::test]
async fn new_tokens_are_answered_among_those_who_are_always_ready() {
    let issuer = Issuer::start().await;
    let router = router(&issuer).await;
    let mut busy = JoinSet::new();
    for _ in 0..100 {
        busy.spawn(async {
            loop {
                yield_now().await;
            }
        });
    }
    let mut tasks = JoinSet::new();
    for token in tokens(&issuer, 20) {
        let router = router.clone();
        tasks.spawn(async move { status(router, &token).await });
    }
    assert_eq!(tasks.join_all().await, [200; 20]);
    busy.shutdown().await;
}

#[tokio::test]
async fn who_comes_alone_does_not_wait() {
    let issuer = Issuer::start().await;
    let router = router(&issuer).await;
    for token in tokens(&issuer, 5) {
        assert_eq!(status_at_once(&router, &token), Some(200));
    }
}

#[tokio::test]
async fn what_is_refused_without_a_verification_does_not_wait() {
    let issuer = Issuer::start().await;
    let router = router(&issuer).await;
    let unknown = issuer.token().sign(&rsa_key(1).with_kid("unknown"));
    // From then on it is not looked for.
    assert_eq!(status(router.clone(), &unknown).await, 401);
    let new = tokens(&issuer, 3);
    assert_eq!(status(router.clone(), &new[0]).await, 200);
    let task = async move {
        assert_eq!(status_at_once(&router, &new[1]), None, "another task verified before");
        for token in [&unknown, "no-token", "", &new[0].replace("eyJ", "eyK")] {
            assert!(matches!(status_at_once(&router, token), Some(400 | 401)), "{token}");
        }
        assert_eq!(status(router, &new[2]).await, 200);
    };
    tokio::spawn(task).await.expect("no panic");
}

#[tokio::test]
async fn a_caller_who_goes_away_keeps_nobody_waiting() {
    let issuer = Issuer::start().await;
    let router = router(&issuer).await;
    let mut tasks = JoinSet::new();
    let mut aborted = Vec::new();
    for (number, token) in tokens(&issuer, 30).into_iter().enumerate() {
        let router = router.clone();
        let handle = tasks.spawn(async move { status(router, &token).await });
        if number % 3 == 0 {
            aborted.push(handle);
        }
    }
    // All of them wait in a row by now, the first one for others to be served.
    yield_now().await;
    aborted.iter().for_each(|task| task.abort());
    let mut answered = 0;
    while let Some(ended) = tasks.join_next().await {
        answered += usize::from(ended.is_ok_and(|status| status == 200));
    }
    assert!(answered >= 20, "{answered}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn on_several_workers_all_are_answered() {
    let issuer = Issuer::start().await;
    let service = Arc::new(Service::start(router(&issuer).await).await);
    let known = issuer.token().sign(issuer.key());
    let mut tasks = JoinSet::new();
    for token in tokens(&issuer, 100) {
        for token in [token.clone(), known.clone(), token] {
            let service = Arc::clone(&service);
            tasks.spawn(async move { service.get_as("/open", &token).await.status });
        }
    }
    assert_eq!(tasks.join_all().await, [200; 300]);
}
