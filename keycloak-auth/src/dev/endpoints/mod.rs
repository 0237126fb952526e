//! The endpoints of a realm, with the paths of Keycloak.

mod authorize;
mod client_auth;
mod discovery;
mod introspect;
mod logout;
mod revoke;
mod token;
mod userinfo;

use std::{net::IpAddr, sync::Arc};

use axum::{
    Router, body,
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::Response,
};
use percent_encoding::percent_decode_str;
use serde_json::json;

use super::{answers, cors::Origin, model::RedirectUris, params::Params, server::Shared};

/// No request of a client of this realm is larger.
const MAX_BODY: usize = 256 * 1024;

pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new().fallback(answer).with_state(shared)
}

/// A request as the endpoints see it.
pub(super) struct Incoming {
    pub(super) shared: Arc<Shared>,
    pub(super) method: Method,
    /// The path below the issuer.
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) origin: Origin,
    pub(super) query: Params,
    /// The form of a POST.
    pub(super) form: Params,
    /// The name of the realm as it stands in the path.
    pub(super) realm_segment: String,
    /// The address by which the server was reached.
    pub(super) server_url: String,
    /// The issuer under this address.
    pub(super) issuer: String,
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Some(server_url) = reached_by(&parts.headers, &shared.server_url) else {
        let body = json!({ "error": "A development realm is reached by the name of the own machine only" });
        return answers::json_response(StatusCode::FORBIDDEN, &body);
    };
    let path = parts.uri.path().trim_end_matches('/');
    let Some(path) = path.strip_prefix("/realms/") else {
        return answers::plain_error(StatusCode::NOT_FOUND);
    };
    let (realm, path) = path.split_once('/').unwrap_or((path, ""));
    let name = percent_decode_str(realm).decode_utf8_lossy();
    if name != shared.model.name || !shared.model.enabled {
        let body = json!({ "error": "Realm does not exist" });
        return answers::json_response(StatusCode::NOT_FOUND, &body);
    }
    let Ok(body) = body::to_bytes(body, MAX_BODY).await else {
        return answers::plain_error(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let issuer = format!("{server_url}/realms/{realm}");
    let incoming = Incoming {
        origin: Origin::of(&parts.headers),
        query: Params::parse(parts.uri.query().unwrap_or_default().as_bytes()),
        form: Params::parse(&body),
        method: parts.method,
        path: path.to_owned(),
        headers: parts.headers,
        shared,
        realm_segment: realm.to_owned(),
        server_url,
        issuer,
    };
    route(&incoming).await
}

async fn route(request: &Incoming) -> Response {
    let path = request.path.as_str();
    let methods = match path {
        "" | ".well-known/openid-configuration" | "protocol/openid-connect/certs" => "GET",
        "protocol/openid-connect/auth" => "HEAD, POST, GET, OPTIONS",
        "protocol/openid-connect/token" | "protocol/openid-connect/revoke" => "POST, OPTIONS",
        "protocol/openid-connect/token/introspect"
        | "login-actions/authenticate"
        | "protocol/openid-connect/logout/logout-confirm" => "HEAD, POST, OPTIONS",
        // Without POST, which no preflight asks for.
        "protocol/openid-connect/userinfo" | "protocol/openid-connect/logout" => "GET, HEAD, OPTIONS",
        _ => return answers::plain_error(StatusCode::NOT_FOUND),
    };
    // Pages and introspection are not for scripts of another origin.
    let for_scripts = !methods.starts_with("HEAD");
    if request.method == Method::OPTIONS {
        return if for_scripts {
            request.origin.preflight(methods)
        } else {
            Origin::none().preflight(methods)
        };
    }
    let posts = matches!(
        path,
        "protocol/openid-connect/userinfo" | "protocol/openid-connect/logout"
    );
    let allowed = methods.split(", ").any(|method| method == request.method.as_str());
    if !(allowed || posts && request.method == Method::POST) {
        return answers::plain_error(StatusCode::METHOD_NOT_ALLOWED);
    }
    match path {
        "" => discovery::realm(request).await,
        ".well-known/openid-configuration" => discovery::configuration(request),
        "protocol/openid-connect/certs" => discovery::certs(request).await,
        "protocol/openid-connect/auth" => authorize::answer(request),
        "login-actions/authenticate" => authorize::authenticate(request).await,
        "protocol/openid-connect/token" => token::answer(request).await,
        "protocol/openid-connect/token/introspect" => introspect::answer(request).await,
        "protocol/openid-connect/userinfo" => userinfo::answer(request).await,
        "protocol/openid-connect/revoke" => revoke::answer(request).await,
        "protocol/openid-connect/logout" => logout::answer(request).await,
        "protocol/openid-connect/logout/logout-confirm" => logout::confirm(request),
        _ => answers::plain_error(StatusCode::NOT_FOUND),
    }
}

impl Incoming {
    /// The parameters of a request that may be a GET or a POST.
    pub(super) fn parameters(&self) -> &Params {
        if self.method == Method::POST {
            &self.form
        } else {
            &self.query
        }
    }

    /// Whether one of these URIs stands for the one given, or is the path of it on this server.
    pub(super) fn accepts(&self, uris: &RedirectUris, uri: &str) -> bool {
        uris.accept(uri, &self.server_url)
    }
}

/// The address by which the server was reached: that of the `Host` header, as Keycloak does it.
///
/// Only names of the own machine are accepted, so that no page in a browser reaches the realm by a name that it lets
/// point here (DNS rebinding).
fn reached_by(headers: &HeaderMap, server_url: &str) -> Option<String> {
    let Some(host) = headers.get(header::HOST) else {
        return Some(server_url.to_owned());
    };
    let url = url::Url::parse(&format!("http://{}", host.to_str().ok()?)).ok()?;
    let local = match url.host()? {
        url::Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        url::Host::Ipv4(address) => IpAddr::from(address).is_loopback(),
        url::Host::Ipv6(address) => IpAddr::from(address).is_loopback(),
    };
    local.then(|| url.origin().ascii_serialization())
}
