//! CORS by the web origins of a client, as Keycloak does it.

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use serde_json::json;

use super::{answers, model::Client};

const ALLOWED_HEADERS: &str = "Origin, Access-Control-Request-Method, X-Requested-With, Accept, \
    Access-Control-Request-Headers, DPoP, Content-Type, Authorization";

/// The origin of a request from a page, if it is one.
#[derive(Clone, Debug)]
pub(super) struct Origin(Option<HeaderValue>);

impl Origin {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        Self(headers.get(header::ORIGIN).cloned())
    }

    /// A request that is not from a page, or is treated as if it were not.
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// Refuses a page of an origin that the client does not have; the answer is a 403 of its own form.
    pub(super) fn check(&self, client: &Client, server_url: &str) -> Result<(), Box<Response>> {
        let Some(origin) = &self.0 else { return Ok(()) };
        if origin
            .to_str()
            .is_ok_and(|origin| client.allows_origin(origin, server_url))
        {
            return Ok(());
        }
        let body = json!({ "error": "Invalid origin" });
        let response = answers::json_response(StatusCode::FORBIDDEN, &body);
        Err(Box::new(answers::no_store(response)))
    }

    /// Lets the page read the answer.
    pub(super) fn allow(&self, mut response: Response, exposed: Option<&'static str>) -> Response {
        let Some(origin) = &self.0 else { return response };
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
            HeaderValue::from_static("true"),
        );
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
        if let Some(exposed) = exposed {
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(exposed));
        }
        response
    }

    /// The answer to a preflight: every origin may ask, the request itself shows whether it may.
    pub(super) fn preflight(&self, methods: &'static str) -> Response {
        let mut response = self.allow(answers::empty(StatusCode::OK), None);
        let headers = response.headers_mut();
        if self.0.is_none() {
            headers.insert(header::ALLOW, HeaderValue::from_static(methods));
            return response;
        }
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods));
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static(ALLOWED_HEADERS),
        );
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("3600"));
        response
    }
}
