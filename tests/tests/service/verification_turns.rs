//! Many new tokens at once take turns, from many connections or one: who has a known one does not wait for all of them.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use axum::Router;
use keycloak_auth::{
    Keycloak, SecureRouter, keycloak,
    metrics::{MetricsCollector, Tag},
    routing::get,
};
use keycloak_auth_tests::{Issuer, Service, now, rsa_key};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::{JoinSet, yield_now},
};

use crate::setup::{answer, builder, clock};

#[keycloak(authenticated)]
async fn open() -> &'static str {
    "let in"
}

async fn router(issuer: &Issuer) -> Router {
    // While its clock stands still, no time passes between two verifications.
    router_of(builder(issuer).clock(clock()).build().expect("valid")).await
}

async fn router_of(keycloak: Keycloak) -> Router {
    keycloak.ready().await.expect("the issuer publishes a key");
    SecureRouter::new().route("/open", get(open)).secure_with(keycloak)
}

/// Tokens that nobody has seen before: each has an id of its own.
fn tokens(issuer: &Issuer, count: usize) -> Vec<String> {
    (0..count).map(|_| issuer.valid_token()).collect()
}

async fn status(router: Router, token: &str) -> u16 {
    answer(&router, "/open", Some(token)).await.0
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
    let known = issuer.valid_token();
    assert_eq!(status(router.clone(), &known).await, 200);
    let order = Arc::new(Mutex::new(String::new()));
    let mut tasks = JoinSet::new();
    for token in tokens(&issuer, 100) {
        let (router, order) = (router.clone(), Arc::clone(&order));
        tasks.spawn(async move {
            assert_eq!(status(router, &token).await, 200);
            order.lock().expect("no panic").push('n');
        });
    }
    for _ in 0..20 {
        let (router, order, known) = (router.clone(), Arc::clone(&order), known.clone());
        tasks.spawn(async move {
            for _ in 0..3 {
                assert_eq!(status(router.clone(), &known).await, 200);
                order.lock().expect("no panic").push('k');
                yield_now().await;
            }
        });
    }
    tasks.join_all().await;
    let order = order.lock().expect("no panic");
    let at = |count: usize| order.match_indices('k').nth(count - 1).expect("there are 60").0;
    // All of them came after all of the others.
    assert!(at(20) < 20 + 5, "the first round: {order}");
    assert!(at(60) < 60 + 50, "the last round: {order}");
    assert!(
        order[at(20)..at(60)].contains('n'),
        "new ones wait for others for ever: {order}"
    );
}

#[tokio::test]
async fn known_tokens_are_answered_between_new_ones_of_one_connection() {
    const FORGED: usize = 300;
    let issuer = Issuer::start().await;
    let refused = Counted::of("token_validation_failure_total");
    let settings = builder(&issuer).clock(clock()).metrics_collector(refused.clone());
    let router = router_of(settings.build().expect("valid")).await;
    let known = issuer.valid_token();
    assert_eq!(status(router.clone(), &known).await, 200);
    let service = Service::start(router.clone()).await;
    let address = service.url("").trim_start_matches("http://").to_owned();
    let stranger = rsa_key(1).with_kid(issuer.key().kid());
    let forged = issuer.token().sign(&stranger);
    let request = format!("GET /open HTTP/1.1\r\nhost: orders.test\r\nauthorization: Bearer {forged}\r\n\r\n");
    let client = tokio::spawn(async move {
        let mut connection = TcpStream::connect(address).await.expect("the service listens");
        let (mut answers, mut requests) = connection.split();
        let pipelined = request.repeat(FORGED);
        let mut answered = String::new();
        let read = async {
            while answered.matches("HTTP/1.1 401").count() < FORGED {
                let mut some = [0; 4096];
                let count = answers.read(&mut some).await.expect("an answer");
                answered.push_str(&String::from_utf8_lossy(&some[..count]));
            }
        };
        let ((), written) = tokio::join!(read, requests.write_all(pipelined.as_bytes()));
        written.expect("the service reads");
    });
    let (mut before, mut most) = (0, 0);
    while before < FORGED {
        yield_now().await;
        assert_eq!(status(router.clone(), &known).await, 200);
        let now = refused.count();
        most = most.max(now - before);
        before = now;
    }
    client.await.expect("no panic");
    assert!(most <= 8, "{most} one right after the other");
}

/// Counts what is counted under one name.
#[derive(Clone)]
struct Counted {
    suffix: &'static str,
    count: Arc<AtomicUsize>,
}

impl Counted {
    fn of(suffix: &'static str) -> Self {
        Self {
            suffix,
            count: Arc::default(),
        }
    }

    fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }
}

impl MetricsCollector for Counted {
    fn increment_counter(&self, name: &str, _: &[Tag<'_>]) {
        if name.ends_with(self.suffix) {
            self.count.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn observe_histogram(&self, _: &str, _: &[Tag<'_>], _: f64) {}

    fn set_gauge(&self, _: &str, _: &[Tag<'_>], _: f64) {}
}

#[tokio::test]
async fn a_token_that_comes_with_several_requests_is_verified_once() {
    for (counter, expected) in [("token_cache_hits_total", 9), ("jwks_cache_hits_total", 2)] {
        let issuer = Issuer::start().await;
        let counted = Counted::of(counter);
        let settings = builder(&issuer).clock(clock()).metrics_collector(counted.clone());
        let router = router_of(settings.build().expect("valid")).await;
        let tokens = tokens(&issuer, 2);
        assert_eq!(status(router.clone(), &tokens[0]).await, 200);
        let mut tasks = JoinSet::new();
        for _ in 0..10 {
            let (router, token) = (router.clone(), tokens[1].clone());
            tasks.spawn(async move { status(router, &token).await });
        }
        assert_eq!(tasks.join_all().await, [200; 10]);
        assert_eq!(counted.count(), expected, "{counter}");
    }
}

#[tokio::test]
async fn a_token_that_was_verified_with_another_request_may_have_expired_since() {
    let issuer = Issuer::start().await;
    let clock = clock();
    let keycloak = builder(&issuer).clock(clock.clone()).build().expect("valid");
    let router = router_of(keycloak).await;
    let tokens = tokens(&issuer, 2);
    assert_eq!(status(router.clone(), &tokens[0]).await, 200);
    let others = async move {
        let mut twins = [0, 1].map(|_| Box::pin(status(router.clone(), &tokens[1])));
        for twin in &mut twins {
            let polled = poll_fn(|context| Poll::Ready(twin.as_mut().poll(context))).await;
            assert_eq!(polled, Poll::Pending, "another task verified before");
        }
        let [first, second] = twins;
        assert_eq!(first.await, 200);
        clock.advance(Duration::from_secs(60 * 60));
        assert_eq!(second.await, 401);
    };
    tokio::spawn(others).await.expect("no panic");
}

#[tokio::test]
async fn keys_that_are_exchanged_while_a_token_waits_count() {
    let issuer = Issuer::start().await;
    let clock = clock();
    let keycloak = builder(&issuer).clock(clock.clone()).build().expect("valid");
    let router = router_of(keycloak).await;
    let tokens = tokens(&issuer, 3);
    assert_eq!(status(router.clone(), &tokens[0]).await, 200);
    let others = async move {
        let mut waiting = pin!(status(router.clone(), &tokens[1]));
        let polled = poll_fn(|context| Poll::Ready(waiting.as_mut().poll(context))).await;
        assert_eq!(polled, Poll::Pending, "another task verified before");
        assert_eq!(status(router.clone(), &tokens[2]).await, 200);
        let successor = rsa_key(1).with_kid("successor");
        issuer.publish(std::slice::from_ref(&successor));
        clock.advance(Duration::from_secs(31));
        assert_eq!(status(router, &issuer.token().sign(&successor)).await, 200);
        assert_eq!(waiting.await, 401);
    };
    tokio::spawn(others).await.expect("no panic");
}

#[tokio::test]
async fn the_time_of_its_turn_counts_for_a_token() {
    let issuer = Issuer::start().await;
    let clock = clock();
    let keycloak = builder(&issuer).clock(clock.clone()).build().expect("valid");
    let router = router_of(keycloak.clone()).await;
    for is_void in [false, true] {
        let mut tokens = tokens(&issuer, 4).into_iter().map(|token| (router.clone(), token));
        let (router, first) = tokens.next().expect("four");
        assert_eq!(status(router, &first).await, 200);
        let tasks: JoinSet<u16> = tokens
            .map(|(router, token)| async move { status(router, &token).await })
            .collect();
        yield_now().await;
        if is_void {
            keycloak
                .set_not_before(clock.now().as_secs() + 30)
                .expect("within the leeway");
        } else {
            clock.advance(Duration::from_secs(60 * 60));
        }
        assert_eq!(tasks.join_all().await, [401; 3], "not-before: {is_void}");
        clock.set(Duration::from_secs(now()));
    }
}

#[tokio::test]
async fn callers_who_keep_the_thread_do_not_wait() {
    let issuer = Issuer::start().await;
    let keycloak = builder(&issuer).clock(clock()).build().expect("valid");
    let router = router_of(keycloak.clone()).await;
    let tokens = tokens(&issuer, 3);
    assert_eq!(status(router.clone(), &tokens[0]).await, 200);
    let others = async move {
        assert_eq!(status_at_once(&router, &tokens[1]), None);
        let mut user = pin!(keycloak.authenticate(&tokens[2]));
        let polled = user.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(polled, Poll::Ready(Ok(_))));
    };
    tokio::spawn(others).await.expect("no panic");
}

#[tokio::test]
async fn who_comes_alone_waits_for_its_third_one_only() {
    let issuer = Issuer::start().await;
    let clock = clock();
    let router = router_of(builder(&issuer).clock(clock.clone()).build().expect("valid")).await;
    tokio::spawn(async move {
        for expected in [Some(200), Some(200), None] {
            assert_eq!(status_at_once(&router, &issuer.valid_token()), expected);
        }
        assert_eq!(status(router.clone(), &issuer.valid_token()).await, 200);
        clock.advance(Duration::from_millis(1));
        assert_eq!(status_at_once(&router, &issuer.valid_token()), Some(200));
    })
    .await
    .expect("no panic");
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
async fn callers_who_go_away_keep_nobody_waiting() {
    let issuer = Issuer::start().await;
    let router = router(&issuer).await;
    let tokens = tokens(&issuer, 31);
    assert_eq!(status(router.clone(), &tokens[0]).await, 200);
    let mut tasks = JoinSet::new();
    let mut impatient = Vec::new();
    for (number, token) in tokens.into_iter().skip(1).enumerate() {
        let router = router.clone();
        let handle = tasks.spawn(async move { status(router, &token).await });
        if number % 3 == 0 {
            impatient.push(handle);
        }
    }
    // All of them wait by now, and some may have been let in.
    yield_now().await;
    impatient.iter().for_each(|task| task.abort());
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
    let known = issuer.valid_token();
    let mut tasks = JoinSet::new();
    for token in tokens(&issuer, 100) {
        for token in [token.clone(), known.clone(), token] {
            let service = Arc::clone(&service);
            tasks.spawn(async move { service.get_as("/open", &token).await.status });
        }
    }
    assert_eq!(tasks.join_all().await, [200; 300]);
}
