//! Checking a request for authorization, in the order in which Keycloak does it.

use axum::{http::StatusCode, response::Response};

use super::respond::error_response;
use crate::dev::{
    endpoints::{Incoming, token::is_pkce_text},
    model::{Client, ClientKind},
    pages,
    params::Params,
    sessions::{AuthorizationRequest, ChallengeMethod, ResponseMode},
};

/// What the client wants of the login.
pub(super) struct Prompt {
    /// No page may be shown.
    pub(super) none: bool,
    /// The user has to log in again.
    pub(super) login: bool,
    /// The login may be this many seconds old.
    pub(super) max_age: Option<u64>,
}

/// Why a request is refused.
pub(super) enum Refusal {
    /// By a page: there is nobody to send the browser back to (RFC 6749 §4.1.2.1).
    Page(StatusCode, &'static str),
    /// By an answer to the client.
    Client(Box<AuthorizationRequest>, &'static str, Option<String>),
}

impl Refusal {
    pub(super) fn into_response(self, request: &Incoming) -> Response {
        match self {
            Self::Page(status, text) => pages::error(&request.shared.model, status, text),
            Self::Client(asked, error, description) => error_response(request, &asked, error, description.as_deref()),
        }
    }
}

pub(super) fn read(request: &Incoming, parameters: &Params) -> Result<(AuthorizationRequest, Prompt), Refusal> {
    let model = &request.shared.model;
    let page = |text| Refusal::Page(StatusCode::BAD_REQUEST, text);
    if parameters.has_duplicates() {
        return Err(page("Invalid Request"));
    }
    let client_id = parameters.get("client_id").ok_or_else(|| page("Invalid Request"))?;
    let id = model.client_named(client_id).ok_or_else(|| page("Client not found."))?;
    let client = model.client(id);
    if !client.enabled {
        return Err(page("Client disabled."));
    }
    if matches!(client.kind, ClientKind::BearerOnly) {
        let text = "Bearer-only applications are not allowed to initiate browser login";
        return Err(Refusal::Page(StatusCode::FORBIDDEN, text));
    }
    if !client.openid_connect {
        return Err(page("Wrong client protocol."));
    }
    let given = parameters.get("redirect_uri");
    let redirect_uri = given.filter(|uri| request.accepts(&client.redirect_uris, uri));
    let redirect_uri = redirect_uri.or_else(|| client.redirect_uris.only().filter(|_| given.is_none()));
    let redirect_uri = redirect_uri.ok_or_else(|| page("Invalid parameter: redirect_uri"))?;
    if parameters.get("request").is_some() || parameters.get("request_uri").is_some() {
        return Err(page("Invalid Request"));
    }
    if parameters.get("prompt") == Some("create") {
        return Err(page("Registration not allowed"));
    }
    let mut asked = AuthorizationRequest {
        client: id,
        redirect_uri: redirect_uri.to_owned(),
        redirect_uri_given: given.is_some(),
        state: parameters.get("state").map(str::to_owned),
        nonce: parameters.get("nonce").map(str::to_owned),
        scope: parameters.get("scope").map(str::to_owned),
        response_mode: ResponseMode::Query,
        code_challenge: None,
        login_hint: parameters.get("login_hint").map(str::to_owned),
    };
    let prompt = check(request, parameters, client, &mut asked)
        .map_err(|(error, description)| Refusal::Client(Box::new(asked.clone()), error, description))?;
    Ok((asked, prompt))
}

/// Code and text of an answer to the client.
type Problem = (&'static str, Option<String>);

fn check(
    request: &Incoming,
    parameters: &Params,
    client: &Client,
    asked: &mut AuthorizationRequest,
) -> Result<Prompt, Problem> {
    let invalid = |text: &str| ("invalid_request", Some(text.to_owned()));
    let response_type = parameters
        .get("response_type")
        .ok_or_else(|| invalid("Missing parameter: response_type"))?;
    check_response_type(response_type, asked)?;
    asked.response_mode = match parameters.get("response_mode") {
        None | Some("query") => ResponseMode::Query,
        Some("fragment") => ResponseMode::Fragment,
        Some("form_post") => ResponseMode::FormPost,
        Some(_) => return Err(invalid("Invalid parameter: response_mode")),
    };
    if !client.standard_flow {
        let text = "Client is not allowed to initiate browser login with given response_type. \
            Standard flow is disabled for the client.";
        return Err(("unauthorized_client", Some(text.to_owned())));
    }
    let known = request
        .shared
        .model
        .knows_scope(client, asked.scope.as_deref().unwrap_or_default());
    if !known {
        let scope = asked.scope.as_deref().unwrap_or_default();
        return Err(("invalid_scope", Some(format!("Invalid scopes: {scope}"))));
    }
    asked.code_challenge = code_challenge(parameters, client)?;
    let prompts = || parameters.get("prompt").unwrap_or_default().split_whitespace();
    Ok(Prompt {
        none: prompts().any(|prompt| prompt == "none"),
        login: prompts().any(|prompt| prompt == "login"),
        max_age: parameters.get("max_age").and_then(|text| text.parse().ok()),
    })
}

fn check_response_type(response_type: &str, asked: &mut AuthorizationRequest) -> Result<(), Problem> {
    if response_type == "code" {
        return Ok(());
    }
    let words: Vec<_> = response_type.split_whitespace().collect();
    if !words
        .iter()
        .all(|word| matches!(*word, "code" | "token" | "id_token" | "none"))
    {
        return Err(("unsupported_response_type", None));
    }
    // What comes without a code travels in the fragment.
    asked.response_mode = ResponseMode::Fragment;
    let text = "Client is not allowed to initiate browser login with given response_type. \
        Implicit flow is disabled for the client.";
    Err(("unauthorized_client", Some(text.to_owned())))
}

/// The challenge of PKCE (RFC 7636 §4.3), which a client may be bound to.
fn code_challenge(parameters: &Params, client: &Client) -> Result<Option<(String, ChallengeMethod)>, Problem> {
    let invalid = |text: &str| ("invalid_request", Some(text.to_owned()));
    let (challenge, method) = (
        parameters.get("code_challenge"),
        parameters.get("code_challenge_method"),
    );
    if let Some(bound) = &client.pkce_method {
        match method {
            None => return Err(invalid("Missing parameter: code_challenge_method")),
            Some(method) if method != bound => {
                let text = "Invalid parameter: code challenge method is not matching the configured one";
                return Err(invalid(text));
            }
            Some(_) => {}
        }
        if challenge.is_none() {
            return Err(invalid("Missing parameter: code_challenge"));
        }
    }
    let method = match method {
        None | Some("plain") => ChallengeMethod::Plain,
        Some("S256") => ChallengeMethod::S256,
        Some(_) => return Err(invalid("Invalid parameter: code_challenge_method")),
    };
    match challenge {
        None if parameters.get("code_challenge_method").is_some() => Err(invalid("Missing parameter: code_challenge")),
        None => Ok(None),
        Some(challenge) if !is_pkce_text(challenge) => Err(invalid("Invalid parameter: code_challenge")),
        Some(challenge) => Ok(Some((challenge.to_owned(), method))),
    }
}
