//! What is public is what was meant, however a request line writes it.

use axum::{Router, extract::Path, routing};
use http::Method;
use keycloak_auth_tests::{Issuer, Service};

use crate::setup::builder;

async fn echo(Path(path): Path<Vec<(String, String)>>) -> String {
    path.iter().map(|(name, value)| format!("{name}={value};")).collect()
}

/// Routes that are laxer than the public paths, so that whatever the layer lets through gets an answer of 200.
async fn service(issuer: &Issuer, public: &[&str]) -> Service {
    let keycloak = builder(issuer).build().expect("valid");
    let router = Router::new()
        .route("/orders/{id}/public", routing::any(echo))
        .route("/docs/{*page}", routing::any(echo))
        .fallback(async || "fallback");
    Service::start(router.layer(keycloak.layer().public_paths(public.iter().copied()))).await
}

#[tokio::test]
async fn a_pattern_is_what_a_route_of_that_pattern_is() {
    let issuer = Issuer::start().await;
    let service = service(&issuer, &["/orders/{id}/public", "/files/{*path}"]).await;
    for (path, text) in [
        ("/orders/7/public", "id=7;"),
        ("/orders/a%20b/public", "id=a b;"),
        ("/orders/%C3%A4/public?x=../..", "id=ä;"),
        ("/files/a/b.txt", "fallback"),
    ] {
        let answer = service.raw_get(path, &[]).await;
        assert_eq!((answer.status, &*answer.text()), (200, text), "{path}");
    }
    for path in [
        "/orders/7",
        "/orders/7/public/",
        "/orders//public",
        "/orders/7/x/public",
        "/orders/7%2Fx/public",
        "/orders/../public",
        "/orders/%2e%2e/public",
        "/orders/%252e%252e/public",
        "/orders/%c0%ae%c0%ae/public",
        "/orders/..;x/public",
        "/orders/7%00/public",
        "//orders/7/public",
        "/orders/7/Public",
        "/files",
        "/files/",
        "/files//a",
        "/files/../orders/7",
        "/files/a/..",
    ] {
        assert_eq!(service.raw_get(path, &[]).await.status, 401, "{path}");
    }
}

#[tokio::test]
async fn overlapping_public_paths_add_up() {
    let issuer = Issuer::start().await;
    let service = service(
        &issuer,
        &["/docs/*", "/docs/{page}", "/docs/{*rest}", "/docs/x", "/docs/x"],
    )
    .await;
    for path in ["/docs/", "/docs/x", "/docs/x/y"] {
        assert_eq!(service.raw_get(path, &[]).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn every_form_of_target_is_judged_by_its_path() {
    let issuer = Issuer::start().await;
    let service = service(&issuer, &["/", "/docs/*"]).await;
    for (method, target, status) in [
        ("GET", "http://orders.example.com/docs/x", 200),
        ("GET", "http://orders.example.com", 200),
        ("GET", "http://orders.example.com/docs/../orders", 401),
        ("GET", "http://orders.example.com/orders/7/public", 401),
        // An address whose host and query look like a public path.
        ("GET", "http://docs/orders?/docs/x", 401),
        ("GET", "/orders/7/public?/docs/x", 401),
        ("OPTIONS", "*", 401),
        ("CONNECT", "orders.example.com:443", 401),
        ("DELETE", "/docs/x", 200),
    ] {
        let answer = service.raw(method, target, &[]).await;
        assert_eq!(answer.status, status, "{method} {target}: {answer:?}");
    }
    let token = format!("Authorization: Bearer {}", issuer.valid_token());
    let answer = service.raw("OPTIONS", "*", &[token.as_bytes()]).await;
    assert_ne!(answer.status, 401, "{answer:?}");
}

#[tokio::test]
async fn a_nested_layer_sees_the_path_behind_the_prefix() {
    let issuer = Issuer::start().await;
    let keycloak = builder(&issuer).build().expect("valid");
    let inner = Router::new()
        .route("/health", routing::get(async || "up"))
        .route("/me", routing::get(async || "me"))
        .layer(keycloak.layer().public_paths(["/health"]));
    let service = Service::start(Router::new().nest("/api", inner)).await;
    for (path, status) in [("/api/health", 200), ("/api/me", 401), ("/health", 404)] {
        assert_eq!(service.request(Method::GET, path).send().await.status, status, "{path}");
    }
}

#[tokio::test]
async fn a_panic_about_a_public_path_points_at_whoever_named_it() {
    let issuer = Issuer::start().await;
    let layer = builder(&issuer).build().expect("valid").layer();
    let (sender, receiver) = std::sync::mpsc::channel();
    let panicking = std::thread::spawn(move || {
        let here = std::thread::current().id();
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| match std::thread::current().id() == here {
            true => sender
                .send(panic.location().map(|location| location.file().to_owned()))
                .expect("somebody waits"),
            false => usual(panic),
        }));
        let _layer = layer.public_paths(["health"]);
    });
    panicking.join().expect_err("not a path");
    let file = receiver.recv().expect("the hook ran").expect("a panic has a place");
    assert_eq!(file, file!());
}
