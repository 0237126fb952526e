//! Userinfo (OpenID Connect Core §5.3).

use axum::{
    http::{HeaderValue, Method, StatusCode, header},
    response::Response,
};
use serde_json::Value;

use super::Incoming;
use crate::dev::{
    answers::{empty, json_response, no_store},
    tokens::{AccessToken, Claims, userinfo_claims},
};

const EXPOSED: &str = "Access-Control-Allow-Methods, WWW-Authenticate";

pub(super) async fn answer(request: &Incoming) -> Response {
    request.shared.keys.ready().await;
    let response = match userinfo(request) {
        Ok(claims) => json_response(StatusCode::OK, &Value::Object(claims)),
        Err(refusal) => refusal.into_response(request),
    };
    request.origin.allow(no_store(response), Some(EXPOSED))
}

/// Why userinfo is refused: status, error code and text of the challenge.
struct Refusal(StatusCode, Option<(&'static str, &'static str)>);

fn userinfo(request: &Incoming) -> Result<Claims, Refusal> {
    let invalid = |text| Refusal(StatusCode::UNAUTHORIZED, Some(("invalid_token", text)));
    let text = bearer(request).ok_or(Refusal(StatusCode::UNAUTHORIZED, None))?;
    let token = AccessToken::of(request, text).ok_or_else(|| invalid("Token verification failed"))?;
    let scope = token.claims.get("scope").and_then(Value::as_str).unwrap_or_default();
    if !scope.split(' ').any(|word| word == "openid") {
        return Err(Refusal(
            StatusCode::FORBIDDEN,
            Some(("insufficient_scope", "Missing openid scope")),
        ));
    }
    if !token.claims.contains_key("sub") {
        return Err(invalid("Lightweight access token not allowed for userinfo endpoint"));
    }
    token
        .issue(request, userinfo_claims)
        .ok_or_else(|| invalid("Token verification failed"))
}

/// The token of the header, or of the form of a POST (RFC 6750 §2).
fn bearer(request: &Incoming) -> Option<&str> {
    if let Some(header) = request.headers.get(header::AUTHORIZATION) {
        let (scheme, token) = header.to_str().ok()?.split_once(' ')?;
        let known = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("dpop");
        return known.then(|| token.trim());
    }
    request
        .form
        .get("access_token")
        .filter(|_| request.method == Method::POST)
}

impl Refusal {
    fn into_response(self, request: &Incoming) -> Response {
        let Self(status, error) = self;
        let realm = &request.shared.model.name;
        let challenge = match error {
            None => format!("Bearer realm=\"{realm}\""),
            Some((code, text)) => {
                format!("Bearer realm=\"{realm}\", error=\"{code}\", error_description=\"{text}\"")
            }
        };
        let mut response = empty(status);
        if let Ok(challenge) = HeaderValue::from_str(&challenge) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
