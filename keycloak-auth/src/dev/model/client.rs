//! Clients and client scopes.

use std::collections::BTreeMap;

use super::RoleSet;
use crate::{Algorithm, dev::mappers::Mapper, secret::Secret};

/// Stands for the origin of the server among web origins: that of a redirect URI that is a path.
const OWN_ORIGIN: &str = "/";

/// The position of a client in the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::dev) struct ClientId(pub(super) usize);

/// A client.
#[derive(Debug)]
pub(in crate::dev) struct Client {
    pub(in crate::dev) client_id: String,
    pub(in crate::dev) enabled: bool,
    pub(in crate::dev) openid_connect: bool,
    pub(in crate::dev) kind: ClientKind,
    pub(in crate::dev) standard_flow: bool,
    pub(in crate::dev) direct_access_grants: bool,
    pub(in crate::dev) service_account: bool,
    pub(in crate::dev) token_exchange: bool,
    pub(in crate::dev) lightweight: bool,
    pub(in crate::dev) dpop_bound: bool,
    pub(in crate::dev) consent_required: bool,
    pub(in crate::dev) pkce_method: Option<String>,
    pub(in crate::dev) refresh_tokens: bool,
    pub(in crate::dev) refresh_tokens_for_service_account: bool,
    pub(in crate::dev) access_token_lifespan: Option<u64>,
    pub(in crate::dev) access_token_algorithm: Option<Algorithm>,
    pub(in crate::dev) id_token_algorithm: Option<Algorithm>,
    /// The header `typ` of access tokens is `at+jwt` (RFC 9068 §2.1) in place of `JWT`.
    pub(in crate::dev) access_token_header_type: bool,
    pub(in crate::dev) not_before: u64,
    pub(in crate::dev) redirect_uris: RedirectUris,
    pub(in crate::dev) post_logout_redirect_uris: RedirectUris,
    pub(in crate::dev) web_origins: Vec<String>,
    /// The roles that its tokens may carry, expanded; `None` for all.
    pub(in crate::dev) role_scope: Option<RoleSet>,
    pub(in crate::dev) mappers: Vec<Mapper>,
    pub(in crate::dev) default_scopes: Vec<usize>,
    pub(in crate::dev) optional_scopes: Vec<usize>,
}

/// How a client authenticates.
#[derive(Debug)]
pub(in crate::dev) enum ClientKind {
    Public,
    /// With a secret, unless the file does not have it.
    Confidential(Option<Secret>),
    /// A resource server only.
    BearerOnly,
}

impl Client {
    pub(in crate::dev) fn is_public(&self) -> bool {
        matches!(self.kind, ClientKind::Public)
    }

    /// Whether a page of this origin may read the answers to this client.
    pub(in crate::dev) fn allows_origin(&self, origin: &str, server_url: &str) -> bool {
        self.origins(server_url)
            .any(|allowed| allowed == "*" || allowed == origin)
    }

    /// The web origins, with that of the server by which it was reached.
    pub(in crate::dev) fn origins<'a>(&'a self, server_url: &'a str) -> impl Iterator<Item = &'a str> {
        let origins = self.web_origins.iter().map(String::as_str);
        origins.map(move |origin| if origin == OWN_ORIGIN { server_url } else { origin })
    }
}

/// A client scope.
#[derive(Debug)]
pub(in crate::dev) struct ClientScope {
    pub(in crate::dev) name: String,
    pub(super) openid_connect: bool,
    /// Its name is in the claim `scope`.
    pub(in crate::dev) in_token_scope: bool,
    pub(in crate::dev) mappers: Vec<Mapper>,
    /// The roles that a user needs one of, expanded; none when the scope has no roles.
    pub(in crate::dev) roles: RoleSet,
}

/// The redirect URIs of a client, with `*` at the end of those that stand for many.
#[derive(Debug, Default)]
pub(in crate::dev) struct RedirectUris(pub(super) Vec<String>);

impl RedirectUris {
    /// Whether one of them stands for this URI.
    ///
    /// As Keycloak does it: a `*` at the end stands for anything, but only in the path, or in the port of a URI that
    /// ends in `:*`; user information is never accepted.
    pub(in crate::dev) fn accept(&self, uri: &str, server_url: &str) -> bool {
        let Ok(parsed) = url::Url::parse(uri) else { return false };
        let path = uri.split(['?', '#']).next().unwrap_or(uri);
        let dots = path.to_ascii_lowercase().replace("%2e", ".");
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return false;
        }
        if dots.contains("/../") || dots.ends_with("/..") || uri.contains(['\\', '\n', '\r', '\t', ' ']) {
            return false;
        }
        // A path is one on this server, as the built-in clients have it.
        let absolute = |pattern: &String| match pattern.strip_prefix('/') {
            Some(path) => format!("{server_url}/{path}"),
            None => pattern.clone(),
        };
        self.0
            .iter()
            .map(absolute)
            .any(|pattern| match pattern.strip_suffix('*') {
                Some("") => matches!(parsed.scheme(), "http" | "https"),
                Some(start) if start.contains('?') => pattern == uri,
                Some(start) => path.starts_with(start) || start.strip_suffix('/') == Some(path),
                None => pattern == uri || loopback_without_port(&pattern, &parsed),
            })
    }

    /// The only URI, where there is just one and it stands for itself.
    pub(in crate::dev) fn only(&self) -> Option<&str> {
        match self.0.as_slice() {
            [uri] if !uri.ends_with('*') => Some(uri),
            _ => None,
        }
    }

    /// The origins of the URIs, which the web origin `+` stands for.
    pub(super) fn origins(&self) -> impl Iterator<Item = String> {
        self.0.iter().filter_map(|uri| {
            if uri.starts_with('/') {
                return Some(OWN_ORIGIN.to_owned());
            }
            let (scheme, rest) = uri.split_once("://")?;
            let host = rest.split(['/', '?']).next()?;
            matches!(scheme, "http" | "https").then(|| format!("{scheme}://{host}"))
        })
    }
}

/// A native app may take any port on loopback where its redirect URI has none (RFC 8252 §7.3).
fn loopback_without_port(pattern: &str, uri: &url::Url) -> bool {
    let Ok(mut pattern) = url::Url::parse(pattern) else {
        return false;
    };
    if pattern.scheme() != "http" || pattern.host_str() != Some("127.0.0.1") || pattern.port().is_some() {
        return false;
    }
    pattern.set_port(uri.port()).is_ok() && pattern == *uri
}

/// The attributes of a client, read one by one.
pub(super) struct Attributes<'f>(pub(super) &'f BTreeMap<String, String>);

impl Attributes<'_> {
    pub(super) fn is_true(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| value == "true")
    }

    pub(super) fn is_false(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| value == "false")
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let value = self.0.get(name)?;
        (!value.is_empty()).then_some(value.as_str())
    }
}
