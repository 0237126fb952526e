//! The token endpoint (RFC 6749 §3.2).

mod client_credentials;
mod code;
mod exchange;
mod password;
mod refresh;

pub(super) use code::is_pkce_text;
pub(super) use password::{PasswordCheck, check_password};

use axum::{http::StatusCode, response::Response};
use serde_json::Value;

use super::{Incoming, client_auth};
use crate::dev::{
    answers::{OAuthError, json_response, no_store},
    dpop::Proof,
    model::{Client, ClientId, User, UserId},
    tokens::{Claims, Issue, Scope, SessionKind},
};

/// What the answers show to a page beside their body.
const EXPOSED: &str = "Access-Control-Allow-Methods";

pub(super) async fn answer(request: &Incoming) -> Response {
    request.shared.keys.ready().await;
    let allow = |response| request.origin.allow(response, Some(EXPOSED));
    let client = match authenticate(request) {
        Ok(client) => client,
        Err(error) => return allow(error.into_response()),
    };
    if let Err(response) = request
        .origin
        .check(request.shared.model.client(client), &request.server_url)
    {
        return *response;
    }
    allow(match grant(request, client).await {
        Ok(body) => no_store(json_response(StatusCode::OK, &Value::Object(body))),
        Err(error) => error.into_response(),
    })
}

const GRANTS: [&str; 5] = [
    "authorization_code",
    "client_credentials",
    "password",
    "refresh_token",
    "urn:ietf:params:oauth:grant-type:token-exchange",
];

fn authenticate(request: &Incoming) -> Result<ClientId, OAuthError> {
    if request.form.has_duplicates() {
        return Err(OAuthError::invalid_request("duplicated parameter"));
    }
    let Some(grant) = request.form.get("grant_type") else {
        return Err(OAuthError::invalid_request("Missing form parameter: grant_type"));
    };
    if !GRANTS.contains(&grant) {
        return Err(unsupported_grant());
    }
    client_auth::authenticate(request)
}

async fn grant(request: &Incoming, client: ClientId) -> Result<Claims, OAuthError> {
    let proof = Proof::of(request, None).map_err(OAuthError::invalid_request)?;
    if proof.is_none() && request.shared.model.client(client).dpop_bound {
        return Err(OAuthError::invalid_request("DPoP proof is missing"));
    }
    let grant = Grant {
        request,
        client,
        dpop_thumbprint: proof.as_ref().map(|proof| proof.thumbprint.as_str()),
    };
    match request.form.get("grant_type").unwrap_or_default() {
        "password" => password::grant(&grant).await,
        "client_credentials" => client_credentials::grant(&grant),
        "refresh_token" => refresh::grant(&grant),
        "authorization_code" => code::grant(&grant),
        "urn:ietf:params:oauth:grant-type:token-exchange" => exchange::grant(&grant),
        _ => Err(unsupported_grant()),
    }
}

fn unsupported_grant() -> OAuthError {
    let text = "Unsupported grant_type";
    OAuthError::new(StatusCode::BAD_REQUEST, "unsupported_grant_type", text)
}

/// A request for tokens, of a client that has proved itself.
struct Grant<'r> {
    request: &'r Incoming,
    client: ClientId,
    /// The thumbprint of the key that the tokens are to be bound to (RFC 9449 §6.1).
    dpop_thumbprint: Option<&'r str>,
}

impl Grant<'_> {
    fn of_client(&self) -> &Client {
        self.request.shared.model.client(self.client)
    }

    /// Refuses a scope that the client does not have.
    fn check_words(&self) -> Result<(), OAuthError> {
        let scope = self.request.form.get("scope").unwrap_or_default();
        if self.request.shared.model.knows_scope(self.of_client(), scope) {
            return Ok(());
        }
        let text = format!("Invalid scopes: {scope}");
        Err(OAuthError::new(StatusCode::BAD_REQUEST, "invalid_scope", text))
    }

    /// The scope that the request asks for.
    fn requested_scope(&self, user: &User) -> Result<Scope, OAuthError> {
        self.check_words()?;
        let parameter = self.request.form.get("scope");
        Ok(Scope::requested(
            &self.request.shared.model,
            self.of_client(),
            user,
            parameter,
        ))
    }

    /// Whether offline tokens are asked for; they are refused to a user who may not have them.
    fn check_offline(&self, parameter: Option<&str>, scope: &Scope) -> Result<bool, OAuthError> {
        let asked = parameter
            .unwrap_or_default()
            .split_whitespace()
            .any(|word| word == "offline_access");
        let may = scope.has(&self.request.shared.model, "offline_access");
        if asked && self.of_client().refresh_tokens && !may {
            let text = "Offline tokens not allowed for the user or client";
            return Err(OAuthError::new(StatusCode::BAD_REQUEST, "not_allowed", text));
        }
        Ok(asked)
    }

    /// The tokens to make. `kind` is the two letters that Keycloak has for this way of asking.
    fn issue<'i>(
        &'i self,
        kind: &'static str,
        now: u64,
        user: UserId,
        scope: &'i Scope,
        session: SessionKind<'i>,
    ) -> Issue<'i> {
        Issue {
            model: &self.request.shared.model,
            keys: &self.request.shared.keys,
            issuer: &self.request.issuer,
            now,
            client: self.client,
            user,
            scope,
            refreshed: None,
            session,
            grant: kind,
            dpop_thumbprint: self.dpop_thumbprint,
        }
    }
}
