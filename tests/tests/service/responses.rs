//! The forms of error bodies.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use keycloak_auth::{Answer, ErrorFormat};
use keycloak_auth_tests::{Issuer, Reply};
use serde_json::json;

use crate::setup::{builder, service};

#[tokio::test]
async fn the_default_is_an_envelope_with_code_message_and_details() {
    let issuer = Issuer::start().await;
    let service = service(&builder(&issuer).build().expect("valid")).await;
    let answer = service
        .get_as("/admin", &issuer.token().without("realm_access").sign(issuer.key()))
        .await;
    assert_eq!(answer.status, 403);
    assert_eq!(answer.content_type(), Some("application/json"));
    assert_eq!(
        answer.json(),
        json!({ "error": { "code": "missing_roles", "message": "the caller may not do this", "details": {} } })
    );
}

#[tokio::test]
async fn problem_details_follow_rfc_9457() {
    let issuer = Issuer::start().await;
    let service = service(
        &builder(&issuer)
            .error_format(ErrorFormat::ProblemDetails)
            .build()
            .expect("valid"),
    )
    .await;
    let answer = service.get("/me").send().await;
    assert_eq!((answer.status, answer.challenge()), (401, r#"Bearer realm="acme""#));
    assert_eq!(answer.content_type(), Some("application/problem+json"));
    assert_eq!(
        answer.json(),
        json!({
            "type": "about:blank",
            "title": "Unauthorized",
            "status": 401,
            "detail": "an access token is required",
            "code": "missing_header",
        })
    );
}

#[tokio::test]
async fn details_stand_in_each_form_and_so_does_retry_after() {
    let issuer = Issuer::start().await;
    issuer.reply(Issuer::JWKS, Reply::status(500));
    for format in [
        ErrorFormat::Envelope,
        ErrorFormat::ProblemDetails,
        ErrorFormat::custom(|answer| Json(json!({ "oops": answer.code, "details": answer.details })).into_response()),
    ] {
        let keycloak = builder(&issuer).error_format(format.clone()).build().expect("valid");
        let answer = service(&keycloak).await.get_as("/me", &issuer.valid_token()).await;
        let seconds = answer.retry_after().expect("when to come again");
        assert_eq!((answer.status, answer.challenges().len()), (503, 0), "{answer:?}");
        let (code, message) = ("keycloak_connection_error", "the token cannot be checked at the moment");
        let details = json!({ "retry_after": seconds });
        let expected = match format {
            ErrorFormat::Envelope => json!({ "error": { "code": code, "message": message, "details": details } }),
            ErrorFormat::ProblemDetails => json!({
                "type": "about:blank", "title": "Service Unavailable", "status": 503, "detail": message, "code": code,
                "details": details,
            }),
            _ => json!({ "oops": code, "details": details }),
        };
        assert_eq!(answer.json(), expected);
    }
}

#[tokio::test]
async fn a_renderer_of_its_own_changes_the_body_and_nothing_else() {
    fn render(answer: &Answer) -> Response {
        let body = Json(json!({ "oops": answer.code }));
        let headers = [
            (header::WWW_AUTHENTICATE, "None of it"),
            (header::CACHE_CONTROL, "no-store"),
        ];
        (StatusCode::OK, headers, body).into_response()
    }
    let issuer = Issuer::start().await;
    let service = service(
        &builder(&issuer)
            .error_format(ErrorFormat::custom(render))
            .build()
            .expect("valid"),
    )
    .await;
    let answer = service.get_as("/me", "garbage").await;
    assert_eq!(answer.status, 401, "a renderer cannot let anybody in");
    assert_eq!(
        answer.challenge(),
        r#"Bearer error="invalid_token", error_description="the access token is malformed""#
    );
    assert_eq!(
        answer.headers.get(header::CACHE_CONTROL),
        Some(&HeaderValue::from_static("no-store"))
    );
    assert_eq!(answer.json(), json!({ "oops": "malformed_token" }));
}

#[tokio::test]
async fn a_realm_with_quotes_cannot_break_the_challenge() {
    let issuer = Issuer::start().await;
    let service = service(&builder(&issuer).realm("a\"c\\me\r\nü").build().expect("valid")).await;
    let answer = service.get("/me").send().await;
    assert_eq!((answer.status, answer.challenge()), (401, r#"Bearer realm="acme""#));
}
