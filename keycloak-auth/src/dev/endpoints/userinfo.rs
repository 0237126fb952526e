//! Userinfo (OpenID Connect Core §5.3).

use axum::{
    http::{HeaderValue, Method, StatusCode, header},
    response::Response,
};
use serde_json::Value;

use super::Incoming;
use crate::{
    Algorithm,
    dev::{
        answers::{empty, json_response, no_store},
        dpop::Proof,
        model::ClientId,
        tokens::{AccessToken, Claims, Unusable, userinfo_claims},
    },
};

pub(super) async fn answer(request: &Incoming) -> Response {
    request.shared.keys.ready().await;
    let (response, exposed) = match userinfo(request) {
        Ok((client, claims)) => {
            let client = request.shared.model.client(client);
            if let Err(response) = request.origin.check(client, &request.server_url) {
                return *response;
            }
            let response = json_response(StatusCode::OK, &Value::Object(claims));
            (response, "Access-Control-Allow-Methods")
        }
        Err(refusal) => (
            refusal.into_response(request),
            "Access-Control-Allow-Methods, WWW-Authenticate",
        ),
    };
    request.origin.allow(no_store(response), Some(exposed))
}

/// Why userinfo is refused: status, scheme, error code and text of the challenge.
struct Refusal {
    status: StatusCode,
    scheme: Scheme,
    error: Option<(&'static str, &'static str)>,
}

/// How a token was sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Bearer,
    Dpop,
}

fn userinfo(request: &Incoming) -> Result<(ClientId, Claims), Refusal> {
    let (scheme, text) = token_of(request).ok_or(Refusal {
        status: StatusCode::UNAUTHORIZED,
        scheme: Scheme::Bearer,
        error: None,
    })?;
    let refusal = |status, error, text| Refusal {
        status,
        scheme,
        error: Some((error, text)),
    };
    let invalid = |text| refusal(StatusCode::UNAUTHORIZED, "invalid_token", text);
    let failed = || invalid("Token verification failed");
    let token = AccessToken::of(request, text).map_err(|unusable| match unusable {
        Unusable::Invalid | Unusable::Revoked => failed(),
        Unusable::NoSession => invalid("user_session_not_found"),
    })?;
    let bound = token
        .claims
        .get("cnf")
        .and_then(|confirmation| confirmation.get("jkt")?.as_str());
    let proof = match scheme {
        Scheme::Bearer => None,
        Scheme::Dpop => Some(Proof::of(request, Some(text)).ok().flatten().ok_or_else(failed)?),
    };
    if bound != proof.as_ref().map(|proof| proof.thumbprint.as_str()) {
        return Err(failed());
    }
    let scope = token.claims.get("scope").and_then(Value::as_str).unwrap_or_default();
    if !scope.split(' ').any(|word| word == "openid") {
        return Err(refusal(
            StatusCode::FORBIDDEN,
            "insufficient_scope",
            "Missing openid scope",
        ));
    }
    if request.shared.model.client(token.client).lightweight {
        return Err(invalid("Lightweight access token not allowed for userinfo endpoint"));
    }
    let claims = token.issue(request, userinfo_claims).ok_or_else(failed)?;
    Ok((token.client, claims))
}

/// The token of the header, or of the form of a POST (RFC 6750 §2, RFC 9449 §7.1).
fn token_of(request: &Incoming) -> Option<(Scheme, &str)> {
    if let Some(header) = request.headers.get(header::AUTHORIZATION) {
        let (scheme, token) = header.to_str().ok()?.split_once(' ')?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "bearer" => Scheme::Bearer,
            "dpop" => Scheme::Dpop,
            _ => return None,
        };
        return Some((scheme, token.trim()));
    }
    let token = request
        .form
        .get("access_token")
        .filter(|_| request.method == Method::POST)?;
    Some((Scheme::Bearer, token))
}

impl Refusal {
    fn into_response(self, request: &Incoming) -> Response {
        let realm = &request.shared.model.name;
        let mut challenge = match self.scheme {
            Scheme::Bearer => format!("Bearer realm=\"{realm}\""),
            Scheme::Dpop => {
                let algorithms: Vec<&str> = Algorithm::ALL.iter().map(|algorithm| algorithm.name()).collect();
                let algorithms = algorithms.join(" ");
                format!("DPoP algs=\"{algorithms}\", realm=\"{realm}\"")
            }
        };
        if let Some((code, text)) = self.error {
            challenge.push_str(&format!(", error=\"{code}\", error_description=\"{text}\""));
        }
        let mut response = empty(self.status);
        if let Ok(challenge) = HeaderValue::from_str(&challenge) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
