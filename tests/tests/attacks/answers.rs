//! The answers in the other forms that a service can choose.

use axum::{Json, response::IntoResponse as _};
use keycloak_auth::ErrorFormat;
use keycloak_auth_tests::{Answer, Issuer, Reply};
use serde_json::{Value, json};

use crate::setup::Setup;

/// The answers A0 to A4, by name.
async fn answers(setup: &Setup) -> [(&'static str, Answer); 5] {
    let valid = setup.issuer.token();
    let key = setup.issuer.key();
    let service = &setup.service;
    // Before any key is there.
    setup.issuer.reply(Issuer::JWKS, Reply::status(503));
    let a4 = service.get_as("/authenticated", &valid.sign(key)).await;
    setup.issuer.reply_as_usual(Issuer::JWKS);
    let a0 = service.get("/authenticated").send().await;
    let expired = valid.clone().claim("exp", 1).sign(key);
    let a2 = service.get("/authenticated").authorization("Bearer a b").send().await;
    // The pause after the failed fetch is over when this one gets through.
    let a1 = until_keys_are_there(setup, "/authenticated", &expired).await;
    let nobody = valid.without("groups").sign(key);
    let a3 = service.get_as("/ops", &nobody).await;
    [("A0", a0), ("A1", a1), ("A2", a2), ("A3", a3), ("A4", a4)]
}

async fn until_keys_are_there(setup: &Setup, path: &str, token: &str) -> Answer {
    let mut ticks = tokio::time::interval(std::time::Duration::from_millis(50));
    for _ in 0..200 {
        ticks.tick().await;
        let answer = setup.service.get_as(path, token).await;
        if answer.status != 503 {
            return answer;
        }
    }
    panic!("the keys were not fetched within 10 s");
}

const STATUS: [u16; 5] = [401, 401, 400, 403, 503];
const TITLE: [&str; 5] = [
    "Unauthorized",
    "Unauthorized",
    "Bad Request",
    "Forbidden",
    "Service Unavailable",
];
const CODE: [&str; 5] = [
    "missing_header",
    "token_expired",
    "invalid_header_format",
    "missing_groups",
    "keycloak_connection_error",
];

#[track_caller]
fn assert_headers(name: &str, answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{name}");
    assert_eq!(answer.retry_after().is_some(), name == "A4", "{name}");
    let challenge = answer.challenges().first().map(|challenge| challenge.to_string());
    let error = match name {
        "A0" => r#"Bearer realm="acme""#,
        "A1" => r#"Bearer error="invalid_token""#,
        "A2" => r#"Bearer error="invalid_request""#,
        "A3" => r#"Bearer error="insufficient_scope""#,
        _ => return assert_eq!(challenge, None, "{name}"),
    };
    assert!(answer.challenge().starts_with(error), "{name}: {challenge:?}");
}

#[tokio::test]
async fn problem_details_have_the_same_status_and_challenge() {
    let setup = Setup::with(|builder| builder.error_format(ErrorFormat::ProblemDetails)).await;
    for (place, (name, answer)) in answers(&setup).await.iter().enumerate() {
        assert_headers(name, answer, STATUS[place]);
        assert_eq!(answer.content_type(), Some("application/problem+json"), "{name}");
        let body = answer.json();
        assert_eq!(body["type"], "about:blank", "{name}");
        assert_eq!(body["title"], TITLE[place], "{name}");
        assert_eq!(body["status"], STATUS[place], "{name}");
        assert_eq!(body["code"], CODE[place], "{name}");
        assert!(
            body["detail"].as_str().is_some_and(|detail| !detail.is_empty()),
            "{name}"
        );
        let members: Vec<&String> = body.as_object().expect("an object").keys().collect();
        let known = ["type", "title", "status", "detail", "code", "details"];
        assert!(members.iter().all(|member| known.contains(&member.as_str())), "{body}");
    }
}

#[tokio::test]
async fn a_renderer_changes_the_body_and_nothing_else() {
    let format = ErrorFormat::custom(|answer| {
        let body: Value = json!({ "oops": answer.code });
        (axum::http::StatusCode::OK, [("www-authenticate", "Basic")], Json(body)).into_response()
    });
    let setup = Setup::with(|builder| builder.error_format(format)).await;
    for (place, (name, answer)) in answers(&setup).await.iter().enumerate() {
        assert_headers(name, answer, STATUS[place]);
        assert_eq!(answer.json(), json!({ "oops": CODE[place] }), "{name}");
    }
}
