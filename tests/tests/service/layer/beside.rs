//! The layer beside those of CORS, tracing, timeouts and limits.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, routing};
use http::{Method, Response, StatusCode, header::ACCESS_CONTROL_ALLOW_ORIGIN};
use keycloak_auth::Keycloak;
use keycloak_auth_tests::{Answer, Issuer, Service};
use tokio::sync::Barrier;
use tower::limit::{ConcurrencyLimitLayer, GlobalConcurrencyLimitLayer};
use tower_http::{cors::CorsLayer, timeout::TimeoutLayer, trace::TraceLayer};
use tracing::Span;

use super::{plain, router};
use crate::setup::builder;

fn keycloak(issuer: &Issuer) -> Keycloak {
    builder(issuer).build().expect("valid")
}

async fn preflight(service: &Service, path: &str) -> Answer {
    service
        .request(Method::OPTIONS, path)
        .header("origin", "https://app.example.com")
        .header("access-control-request-method", "GET")
        .send()
        .await
}

#[tokio::test]
async fn with_cors_further_out_preflights_do_not_arrive_and_refusals_can_be_read() {
    let issuer = Issuer::start().await;
    for layer in [
        keycloak(&issuer).layer(),
        keycloak(&issuer).layer().without_preflights(),
    ] {
        let service = Service::start(router().layer(layer).layer(CorsLayer::permissive())).await;
        let answer = preflight(&service, "/plain").await;
        assert_eq!(
            (answer.status, answer.header(ACCESS_CONTROL_ALLOW_ORIGIN)),
            (200, Some("*"))
        );
        let refused = service
            .get("/plain")
            .header("origin", "https://app.example.com")
            .send()
            .await;
        assert_eq!(
            (refused.status, refused.header(ACCESS_CONTROL_ALLOW_ORIGIN)),
            (401, Some("*"))
        );
        assert!(refused.challenge().starts_with("Bearer"), "{refused:?}");
    }
}

#[tokio::test]
async fn with_cors_further_in_preflights_get_through_and_other_options_do_not() {
    let issuer = Issuer::start().await;
    let service = Service::start(router().layer(CorsLayer::permissive()).layer(keycloak(&issuer).layer())).await;
    let answer = preflight(&service, "/plain").await;
    assert_eq!(
        (answer.status, answer.header(ACCESS_CONTROL_ALLOW_ORIGIN)),
        (200, Some("*"))
    );
    assert_eq!(service.request(Method::OPTIONS, "/plain").send().await.status, 401);
    let with_body = service
        .request(Method::OPTIONS, "/plain")
        .header("origin", "https://app.example.com")
        .header("access-control-request-method", "GET")
        .body("a body")
        .send()
        .await;
    assert_eq!(with_body.status, 401, "a preflight has no body");
}

#[tokio::test]
async fn without_preflights_nothing_without_a_token_gets_through() {
    let issuer = Issuer::start().await;
    let any = Router::new().route("/any", routing::any(plain));
    let open = Service::start(any.clone().layer(keycloak(&issuer).layer())).await;
    assert_eq!(
        preflight(&open, "/any").await.status,
        200,
        "there is no CORS layer that answers it"
    );
    let closed = Service::start(any.layer(keycloak(&issuer).layer().without_preflights())).await;
    assert_eq!(preflight(&closed, "/any").await.status, 401);
}

#[tokio::test]
async fn cors_tracing_and_a_timeout_further_out_see_each_answer() {
    let issuer = Issuer::start().await;
    let seen = Arc::<Mutex<Vec<u16>>>::default();
    let note = Arc::clone(&seen);
    let trace = TraceLayer::new_for_http().on_response(move |response: &Response<_>, _: Duration, _: &Span| {
        note.lock().expect("nobody panicked").push(response.status().as_u16());
    });
    let timeout = TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, Duration::from_secs(1));
    let slow = router().route("/slow", routing::get(std::future::pending::<String>));
    let layered = slow.layer(keycloak(&issuer).layer().without_preflights());
    let layered = layered.layer(timeout).layer(CorsLayer::permissive()).layer(trace);
    let service = Service::start(layered).await;
    let (token, without_roles) = (
        issuer.valid_token(),
        issuer.token().without("realm_access").sign(issuer.key()),
    );
    let cases = [
        ("/plain", "", 401),
        ("/plain", "garbage", 401),
        ("/admin", &without_roles, 403),
        ("/admin", &token, 200),
        ("/slow", &token, 504),
    ];
    for (path, token, status) in cases {
        let request = service.get(path).header("origin", "https://app.example.com");
        let request = if token.is_empty() {
            request
        } else {
            request.bearer(token)
        };
        let answer = request.send().await;
        assert_eq!(
            (answer.status, answer.header(ACCESS_CONTROL_ALLOW_ORIGIN)),
            (status, Some("*")),
            "{path}: {answer:?}"
        );
    }
    let expected = cases.map(|(_, _, status)| status);
    assert_eq!(*seen.lock().expect("nobody panicked"), expected);
}

#[tokio::test]
async fn a_timeout_further_out_holds_while_keys_are_fetched() {
    let issuer = Issuer::start().await;
    issuer.reply(
        Issuer::JWKS,
        issuer.usual(Issuer::JWKS).after(Duration::from_secs(3600)),
    );
    let timeout = TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, Duration::from_millis(200));
    let layered = router().layer(keycloak(&issuer).layer()).layer(timeout);
    let service = Service::start(layered.layer(TraceLayer::new_for_http())).await;
    assert_eq!(service.get_as("/plain", &issuer.valid_token()).await.status, 504);
    assert_eq!(
        service.get("/plain").send().await.status,
        401,
        "others do not wait for it"
    );
}

#[tokio::test]
async fn a_timeout_further_in_holds_for_handlers_alone() {
    let issuer = Issuer::start().await;
    issuer.reply(
        Issuer::JWKS,
        issuer.usual(Issuer::JWKS).after(Duration::from_millis(400)),
    );
    let slow = Router::new().route("/slow", routing::get(std::future::pending::<String>));
    let timeout = TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, Duration::from_millis(200));
    let service = Service::start(router().merge(slow).layer(timeout).layer(keycloak(&issuer).layer())).await;
    let token = issuer.valid_token();
    assert_eq!(service.get_as("/plain", &token).await.status, 200);
    assert_eq!(service.get_as("/slow", &token).await.status, 504);
}

#[tokio::test]
async fn refused_requests_keep_no_place_of_a_limit() {
    let issuer = Issuer::start().await;
    let handler = Router::new().route("/plain", routing::get(plain));
    let limited = handler
        .clone()
        .layer(GlobalConcurrencyLimitLayer::new(1))
        .layer(keycloak(&issuer).layer());
    let inside = Service::start(limited).await;
    let outside = Service::start(
        handler
            .layer(keycloak(&issuer).layer())
            .layer(ConcurrencyLimitLayer::new(1)),
    )
    .await;
    let token = issuer.valid_token();
    for service in [inside, outside] {
        for _ in 0..5 {
            assert_eq!(service.get("/plain").send().await.status, 401);
            assert_eq!(service.get_as("/plain", "garbage").await.status, 401);
            assert_eq!(service.get_as("/plain", &token).await.status, 200);
        }
    }
}

#[tokio::test]
async fn requests_behind_the_layer_run_side_by_side() {
    let issuer = Issuer::start().await;
    let both = Arc::new(Barrier::new(2));
    let handler = async move || {
        both.wait().await;
        "met"
    };
    let meeting = Router::new().route("/meet", routing::get(handler));
    let service = Service::start(meeting.layer(keycloak(&issuer).layer())).await;
    let token = issuer.valid_token();
    let (one, other) = tokio::join!(service.get_as("/meet", &token), service.get_as("/meet", &token));
    assert_eq!((one.status, other.status), (200, 200));
}
