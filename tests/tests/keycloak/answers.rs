//! What a service must answer: status, challenge and body, whole.

use keycloak_auth_tests::Answer;
use serde_json::{Value, json};

/// The request reached the handler, which says `body`.
#[track_caller]
pub fn assert_admitted(answer: &Answer, body: &str) {
    assert_eq!((answer.status, answer.text().as_str()), (200, body), "{answer:?}");
    assert!(answer.challenges().is_empty(), "{answer:?}");
}

/// 401 without an error code: no credentials (RFC 6750 section 3.1).
#[track_caller]
pub fn assert_no_credentials(answer: &Answer, realm: &str) {
    assert_envelope(answer, 401, "missing_header", json!({}));
    assert_eq!(answer.challenge(), format!(r#"Bearer realm="{realm}""#));
}

/// 401 `invalid_token`, with this code in the body.
#[track_caller]
pub fn assert_invalid_token(answer: &Answer, code: &str) {
    let message = assert_envelope(answer, 401, code, json!({}));
    let expected = format!(r#"Bearer error="invalid_token", error_description="{message}""#);
    assert_eq!(answer.challenge(), expected);
}

/// 403 `insufficient_scope`, with this code in the body, and the scopes that would help in the challenge.
#[track_caller]
pub fn assert_denied(answer: &Answer, code: &str, scope: Option<&str>) {
    let message = assert_envelope(answer, 403, code, json!({}));
    let mut expected = format!(r#"Bearer error="insufficient_scope", error_description="{message}""#);
    if let Some(scope) = scope {
        expected.push_str(&format!(r#", scope="{scope}""#));
    }
    assert_eq!(answer.challenge(), expected);
}

/// 401 `insufficient_user_authentication`: another login would help (RFC 9470 section 3).
#[track_caller]
pub fn assert_step_up(answer: &Answer, acr: Option<&str>, max_age: Option<u64>) {
    let details = json!({ "acr_values": acr, "max_age": max_age });
    let message = assert_envelope(answer, 401, "insufficient_user_authentication", details);
    let mut expected = format!(r#"Bearer error="insufficient_user_authentication", error_description="{message}""#);
    if let Some(acr) = acr {
        expected.push_str(&format!(r#", acr_values="{acr}""#));
    }
    if let Some(max_age) = max_age {
        expected.push_str(&format!(r#", max_age="{max_age}""#));
    }
    assert_eq!(answer.challenge(), expected);
}

/// 503 without a challenge, saying when to come again.
#[track_caller]
pub fn assert_unavailable(answer: &Answer, code: &str) {
    let retry_after = answer.retry_after();
    assert!(
        retry_after.is_some_and(|seconds| (1..=60).contains(&seconds)),
        "{answer:?}"
    );
    assert_envelope(answer, 503, code, json!({ "retry_after": retry_after }));
    assert!(answer.challenges().is_empty(), "{answer:?}");
}

/// The default body and nothing else in it; returns the message.
#[track_caller]
fn assert_envelope(answer: &Answer, status: u16, code: &str, details: Value) -> String {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.content_type(), Some("application/json"), "{answer:?}");
    let body = answer.json();
    let message = body["error"]["message"].as_str().unwrap_or_default().to_owned();
    let expected = json!({ "error": { "code": code, "message": message, "details": details } });
    assert_eq!(body, expected);
    assert!(!message.is_empty(), "{answer:?}");
    message
}
