//! The response to a request that is refused, in a form that its client understands.

use axum::{body::Body, response::Response};
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE},
};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::{AuthError, Keycloak, challenge::Answer};

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// What is percent-encoded in `grpc-message` (gRPC over HTTP/2, Responses); beyond ASCII everything is.
const MESSAGE: &AsciiSet = &CONTROLS.add(b'%');

/// The answer to a request with these headers: in the configured form, and for gRPC in that of gRPC.
#[cold]
pub(super) fn respond(keycloak: &Keycloak, error: &AuthError, headers: &HeaderMap) -> Response {
    let response = keycloak.respond(error);
    let content_type = headers.get(CONTENT_TYPE);
    match content_type.filter(|value| is_grpc(value)) {
        Some(content_type) => into_grpc(response, &Answer::to(error), content_type.clone()),
        None => response,
    }
}

/// With or without the name of an encoding, also that of gRPC-Web.
fn is_grpc(content_type: &HeaderValue) -> bool {
    let rest = content_type.as_bytes().strip_prefix(b"application/grpc");
    matches!(rest, Some([] | [b'+' | b'-' | b';', ..]))
}

/// Headers alone (gRPC over HTTP/2, Trailers-Only): a client would read any body as a message. The status of HTTP stays.
fn into_grpc(response: Response, answer: &Answer, content_type: HeaderValue) -> Response {
    let mut response = response.map(|_| Body::empty());
    let headers = response.headers_mut();
    headers.remove(CONTENT_LENGTH);
    headers.insert(CONTENT_TYPE, content_type);
    headers.insert(GRPC_STATUS, HeaderValue::from_static(grpc_status(answer.status)));
    let message = utf8_percent_encode(&answer.message, MESSAGE).to_string();
    if let Ok(message) = HeaderValue::try_from(message) {
        headers.insert(GRPC_MESSAGE, message);
    }
    response
}

fn grpc_status(status: StatusCode) -> &'static str {
    match status {
        // Credentials that cannot be read are as good as none: gRPC's codes for bad requests are about messages.
        StatusCode::UNAUTHORIZED | StatusCode::BAD_REQUEST => "16", // UNAUTHENTICATED
        StatusCode::FORBIDDEN => "7",                               // PERMISSION_DENIED
        StatusCode::SERVICE_UNAVAILABLE => "14",                    // UNAVAILABLE
        _ => "2",                                                   // UNKNOWN
    }
}
