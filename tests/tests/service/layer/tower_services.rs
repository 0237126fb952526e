//! The layer around services that are not axum's: their bodies, their readiness, their errors.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll},
};

use axum::{
    Router,
    body::{HttpBody, to_bytes},
};
use bytes::Bytes;
use http::{Request, Response};
use http_body::Frame;
use keycloak_auth::{Keycloak, KeycloakUser};
use keycloak_auth_tests::{Issuer, Reply, Service as RunningService};
use tower::{Layer as _, Service, ServiceBuilder, ServiceExt as _, service_fn};

use crate::setup::builder;

fn keycloak(issuer: &Issuer) -> Keycloak {
    builder(issuer).build().expect("valid")
}

/// A body of a service's own, with an error of its own.
struct Words(Vec<&'static str>);

#[derive(Debug)]
struct Speechless;

impl std::fmt::Display for Speechless {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("speechless")
    }
}

impl std::error::Error for Speechless {}

impl HttpBody for Words {
    type Data = Bytes;
    type Error = Speechless;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Speechless>>> {
        let word = self.0.pop().map(|word| Ok(Frame::data(Bytes::from(word))));
        Poll::Ready(word)
    }
}

fn request(path: &str, token: Option<&str>) -> Request<&'static str> {
    let mut request = Request::builder().uri(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.body("a body that is no HTTP body").expect("a request")
}

#[tokio::test]
async fn bodies_are_those_of_the_service() {
    let issuer = Issuer::start().await;
    let mut service = ServiceBuilder::new()
        .layer(keycloak(&issuer).layer().public_paths(["/open"]))
        .service(service_fn(async |request: Request<&'static str>| {
            assert_eq!(*request.body(), "a body that is no HTTP body");
            let user = KeycloakUser::from_extensions(request.extensions());
            let words = match user.and_then(|user| user.username()) {
                Some("alice") => vec!["alice", "hello "],
                _ => vec!["nobody", "hello "],
            };
            Ok::<_, Infallible>(Response::new(Words(words)))
        }));
    let token = issuer.valid_token();
    for (path, token, status, text) in [
        ("/x", Some(&*token), 200, "hello alice"),
        ("/open", None, 200, "hello nobody"),
    ] {
        let answer = service.ready().await.expect("ready").call(request(path, token)).await;
        let (parts, body) = answer.expect("infallible").into_parts();
        let body = to_bytes(body, 1024).await.expect("a body");
        assert_eq!((parts.status.as_u16(), &*body), (status, text.as_bytes()));
    }
    let refused = service.ready().await.expect("ready").call(request("/x", None)).await;
    let refused = refused.expect("infallible");
    assert_eq!(refused.status(), 401);
    let body = to_bytes(refused.into_body(), 1024).await.expect("a body");
    assert!(body.starts_with(b"{\"error\":"), "{body:?}");
}

#[tokio::test]
async fn errors_of_the_service_stay_its_own() {
    let issuer = Issuer::start().await;
    let service = service_fn(async |_: Request<&'static str>| Err::<Response<String>, _>(Speechless));
    let service = keycloak(&issuer).layer().layer(service);
    let answer = service.oneshot(request("/x", Some(&issuer.valid_token()))).await;
    assert!(matches!(answer, Err(Speechless)));
}

/// Counts how often it is asked whether it is ready, and panics when it is called without having said so.
#[derive(Debug)]
struct Strict {
    was_ready: bool,
    asked: Arc<AtomicUsize>,
    called: Arc<AtomicUsize>,
    is_busy: Arc<AtomicBool>,
}

impl Strict {
    fn new() -> Self {
        Self {
            was_ready: false,
            asked: Arc::default(),
            called: Arc::default(),
            is_busy: Arc::default(),
        }
    }
}

/// As with a limit, a clone of one that is ready is not ready.
impl Clone for Strict {
    fn clone(&self) -> Self {
        Self {
            was_ready: false,
            asked: Arc::clone(&self.asked),
            called: Arc::clone(&self.called),
            is_busy: Arc::clone(&self.is_busy),
        }
    }
}

impl<B> Service<Request<B>> for Strict {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.asked.fetch_add(1, SeqCst);
        if self.is_busy.swap(false, SeqCst) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.was_ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        assert!(self.was_ready, "called without being ready");
        self.was_ready = false;
        self.called.fetch_add(1, SeqCst);
        ready(Ok(Response::new("strict".to_owned())))
    }
}

/// Waits until the service is ready and calls it; the answer may take longer.
async fn call<S: Service<Request<&'static str>, Error = Infallible>>(
    service: &mut S,
    request: Request<&'static str>,
) -> S::Future {
    service.ready().await.expect("infallible").call(request)
}

#[tokio::test]
async fn the_service_that_was_ready_is_the_one_that_is_called() {
    let issuer = Issuer::start().await;
    let strict = Strict::new();
    let (asked, called) = (Arc::clone(&strict.asked), Arc::clone(&strict.called));
    let mut service = keycloak(&issuer).layer().public_paths(["/open"]).layer(strict);
    let token = issuer.valid_token();
    // The first request with a token waits for the keys, the second finds them, and the rest goes by without a caller.
    for (path, token, status) in [
        ("/x", Some(&*token), 200),
        ("/x", Some(&*token), 200),
        ("/open", None, 200),
        ("/x", None, 401),
        ("/x", Some("garbage"), 401),
        ("/x", Some(&*token), 200),
    ] {
        let answer = call(&mut service, request(path, token)).await;
        assert_eq!(answer.await.expect("infallible").status(), status, "{path}");
    }
    assert_eq!((asked.load(SeqCst), called.load(SeqCst)), (6, 4));
}

#[tokio::test]
async fn requests_that_wait_for_keys_keep_their_own_ready_service() {
    let issuer = Issuer::start().await;
    issuer.reply(
        Issuer::JWKS,
        issuer.usual(Issuer::JWKS).after(std::time::Duration::from_millis(200)),
    );
    let strict = Strict::new();
    let called = Arc::clone(&strict.called);
    let mut service = keycloak(&issuer).layer().layer(strict);
    let token = issuer.valid_token();
    let mut answers = Vec::new();
    for _ in 0..8 {
        answers.push(call(&mut service, request("/x", Some(&token))).await);
    }
    assert_eq!(called.load(SeqCst), 0, "all of them wait");
    for answer in answers {
        assert_eq!(answer.await.expect("infallible").status(), 200);
    }
    assert_eq!(called.load(SeqCst), 8);
    assert_eq!(issuer.key_fetches(), 1);
}

#[tokio::test]
async fn a_busy_service_is_waited_for() {
    let issuer = Issuer::start().await;
    let strict = Strict::new();
    strict.is_busy.store(true, SeqCst);
    let asked = Arc::clone(&strict.asked);
    let service = keycloak(&issuer).layer().layer(strict);
    let answer = service.oneshot(request("/x", Some(&issuer.valid_token()))).await;
    assert_eq!(answer.expect("infallible").status(), 200);
    assert_eq!(asked.load(SeqCst), 2);
}

#[tokio::test]
async fn a_strict_service_over_http_while_keycloak_comes_up() {
    let issuer = Issuer::start().await;
    issuer.reply(Issuer::JWKS, Reply::status(503));
    let strict = Strict::new();
    let called = Arc::clone(&strict.called);
    let layered = keycloak(&issuer).layer().layer(strict);
    let service = RunningService::start(Router::new().fallback_service(layered)).await;
    let answer = service.get_as("/x", &issuer.valid_token()).await;
    assert_eq!((answer.status, called.load(SeqCst)), (503, 0));
    assert!(answer.retry_after().is_some(), "{answer:?}");
}

/// What a preflight looks like, of which HTTP/2 says nothing about its body in the header.
fn preflight<B>(body: B) -> Request<B> {
    Request::options("/orders.Orders/Delete")
        .header("origin", "https://app.example.com")
        .header("access-control-request-method", "POST")
        .body(body)
        .expect("a request")
}

#[tokio::test]
async fn nothing_passes_as_a_preflight_that_may_be_a_call() {
    let issuer = Issuer::start().await;
    let layer = || keycloak(&issuer).layer();
    let reached = Arc::new(AtomicUsize::new(0));
    let count = || {
        let reached = Arc::clone(&reached);
        reached.fetch_add(1, SeqCst);
        ready(Ok::<_, Infallible>(Response::new(axum::body::Body::empty())))
    };
    // Services of tonic ask for the path alone, whatever the method.
    let other = layer().layer(service_fn(|_: Request<&'static str>| count()));
    assert_eq!(
        other.oneshot(preflight("a call")).await.expect("infallible").status(),
        401
    );
    let axum = || service_fn(|_: Request<axum::body::Body>| count());
    let with_body = layer()
        .layer(axum())
        .oneshot(preflight(axum::body::Body::from("a call")))
        .await;
    assert_eq!(with_body.expect("infallible").status(), 401);
    let guarded = layer()
        .require(keycloak_auth::policy!(realm_role("admin")))
        .layer(axum());
    let to_policy = guarded.oneshot(preflight(axum::body::Body::empty())).await;
    assert_eq!(to_policy.expect("infallible").status(), 401);
    assert_eq!(reached.load(SeqCst), 0);
    let real = layer()
        .layer(axum())
        .oneshot(preflight(axum::body::Body::empty()))
        .await;
    assert_eq!(
        (real.expect("infallible").status().as_u16(), reached.load(SeqCst)),
        (200, 1)
    );
}
