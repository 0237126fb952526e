//! Answers that the browser carries to the client (RFC 6749 §4.1.2, OAuth 2.0 Multiple Response Types §2.1).

use axum::response::Response;
use url::form_urlencoded;

use crate::dev::{
    answers,
    endpoints::Incoming,
    pages,
    sessions::{AuthorizationRequest, ResponseMode},
};

/// An answer with these members beside `state` and `iss` (RFC 9207).
pub(super) fn respond(request: &Incoming, asked: &AuthorizationRequest, mut members: Vec<(&str, String)>) -> Response {
    members.extend(asked.state.clone().map(|state| ("state", state)));
    members.push(("iss", request.issuer.clone()));
    let encoded = |members: &[(&str, String)]| {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(members).finish()
    };
    let uri = &asked.redirect_uri;
    match asked.response_mode {
        ResponseMode::FormPost => pages::form_post(&request.shared.model, uri, &members),
        ResponseMode::Fragment => {
            let start = uri.split('#').next().unwrap_or(uri);
            answers::redirect(&format!("{start}#{}", encoded(&members)))
        }
        ResponseMode::Query => {
            let (start, fragment) = match uri.split_once('#') {
                Some((start, fragment)) => (start, format!("#{fragment}")),
                None => (uri.as_str(), String::new()),
            };
            let separator = if start.contains('?') { '&' } else { '?' };
            answers::redirect(&format!("{start}{separator}{}{fragment}", encoded(&members)))
        }
    }
}

/// An error for the client (RFC 6749 §4.1.2.1).
pub(super) fn error_response(
    request: &Incoming,
    asked: &AuthorizationRequest,
    error: &str,
    description: Option<&str>,
) -> Response {
    let mut members = vec![("error", error.to_owned())];
    members.extend(description.map(|text| ("error_description", text.to_owned())));
    respond(request, asked, members)
}
