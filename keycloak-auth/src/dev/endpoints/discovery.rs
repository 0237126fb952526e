//! Provider metadata (OpenID Connect Discovery §4) and keys.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use serde_json::{Value, json};

use super::Incoming;
use crate::{Algorithm, dev::answers::json_response};

/// The document at `/realms/{realm}`.
pub(super) async fn realm(request: &Incoming) -> Response {
    request.shared.keys.ready().await;
    let model = &request.shared.model;
    let body = json!({
        "realm": model.name,
        "public_key": request.shared.keys.public_key(model.settings.signature_algorithm),
        "token-service": format!("{}/protocol/openid-connect", request.issuer),
        "account-service": format!("{}/account", request.issuer),
        "tokens-not-before": model.settings.not_before,
    });
    request.origin.allow(json_response(StatusCode::OK, &body), None)
}

/// The provider metadata: what this realm has, in the words of Keycloak's.
pub(super) fn configuration(request: &Incoming) -> Response {
    let mut response = json_response(StatusCode::OK, &metadata(request));
    let value = HeaderValue::from_static("no-cache, must-revalidate, no-transform, no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, value);
    request.origin.allow(response, None)
}

fn metadata(request: &Incoming) -> Value {
    let endpoint = |name: &str| format!("{}/protocol/openid-connect/{name}", request.issuer);
    let signing: Vec<_> = Algorithm::ALL.iter().map(|algorithm| algorithm.name()).collect();
    let client_auth = ["client_secret_basic", "client_secret_post"];
    let model = &request.shared.model;
    let scopes: Vec<_> = ["openid"].into_iter().chain(model.openid_scopes()).collect();
    json!({
        "issuer": request.issuer,
        "authorization_endpoint": endpoint("auth"),
        "token_endpoint": endpoint("token"),
        "introspection_endpoint": endpoint("token/introspect"),
        "userinfo_endpoint": endpoint("userinfo"),
        "end_session_endpoint": endpoint("logout"),
        "revocation_endpoint": endpoint("revoke"),
        "jwks_uri": endpoint("certs"),
        "grant_types_supported": [
            "authorization_code",
            "client_credentials",
            "password",
            "refresh_token",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        ],
        "acr_values_supported": ["0", "1"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["public"],
        "prompt_values_supported": ["none", "login", "consent"],
        "id_token_signing_alg_values_supported": signing,
        "token_endpoint_auth_methods_supported": client_auth,
        "introspection_endpoint_auth_methods_supported": client_auth,
        "revocation_endpoint_auth_methods_supported": client_auth,
        "claims_supported": [
            "iss", "sub", "aud", "exp", "iat", "auth_time", "name", "given_name", "family_name", "preferred_username",
            "email", "acr", "azp", "nonce",
        ],
        "claim_types_supported": ["normal"],
        "claims_parameter_supported": false,
        "scopes_supported": scopes,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "code_challenge_methods_supported": ["plain", "S256"],
        "dpop_signing_alg_values_supported": signing,
        "tls_client_certificate_bound_access_tokens": false,
        "frontchannel_logout_supported": false,
        "backchannel_logout_supported": false,
        "require_pushed_authorization_requests": false,
        "authorization_response_iss_parameter_supported": true,
    })
}

/// The JWK Set.
pub(super) async fn certs(request: &Incoming) -> Response {
    request.shared.keys.all_ready().await;
    let mut response = json_response(StatusCode::OK, &request.shared.keys.jwks());
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    request.origin.allow(response, None)
}
