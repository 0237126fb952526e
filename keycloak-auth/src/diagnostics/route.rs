//! Who makes the connections to Keycloak: this service, or somebody in between.

use std::fmt;

use hyper_util::client::proxy::matcher::Matcher;

use crate::provider::RealmUrl;

/// How Keycloak is reached.
#[derive(Debug)]
pub(crate) enum Route {
    Direct,
    Proxy(Proxy),
    /// By an HTTP client of the service's own, which cannot be looked into.
    OwnHttpClient,
}

/// A proxy, without the user and password that it may want.
#[derive(Debug)]
pub(crate) struct Proxy {
    scheme: String,
    host: String,
    port: u16,
    named_by: NamedBy,
}

#[derive(Clone, Copy, Debug)]
enum NamedBy {
    Builder,
    /// The variables that do so for http or for https.
    Environment(&'static str),
}

impl Route {
    /// As the HTTP client will take it: a proxy that is set, or else one that the environment names (`HTTP_PROXY`, `HTTPS_PROXY`,
    /// `ALL_PROXY`, but for the hosts of `NO_PROXY`).
    pub(crate) fn new(realm_url: &RealmUrl, proxy: Option<&str>, has_own_http_client: bool) -> Self {
        if has_own_http_client {
            return Self::OwnHttpClient;
        }
        let proxy = match proxy {
            Some(proxy) => Proxy::find(&Matcher::builder().all(proxy).build(), realm_url, NamedBy::Builder),
            None => {
                let variables = if realm_url.is_https() {
                    "`HTTPS_PROXY` or `ALL_PROXY`"
                } else {
                    "`HTTP_PROXY` or `ALL_PROXY`"
                };
                Proxy::find(&Matcher::from_system(), realm_url, NamedBy::Environment(variables))
            }
        };
        proxy.map_or(Self::Direct, Self::Proxy)
    }

    pub(super) const fn proxy(&self) -> Option<&Proxy> {
        match self {
            Self::Proxy(proxy) => Some(proxy),
            Self::Direct | Self::OwnHttpClient => None,
        }
    }

    pub(super) const fn is_direct(&self) -> bool {
        matches!(self, Self::Direct)
    }
}

impl Proxy {
    fn find(matcher: &Matcher, realm_url: &RealmUrl, named_by: NamedBy) -> Option<Self> {
        let intercept = matcher.intercept(&realm_url.as_str().parse().ok()?)?;
        let uri = intercept.uri();
        let scheme = uri.scheme_str()?.to_owned();
        let port = uri.port_u16().unwrap_or(match &*scheme {
            "http" => 80,
            "https" => 443,
            _ => 1080,
        });
        let host = uri.host()?.trim_start_matches('[').trim_end_matches(']').to_owned();
        Some(Self {
            scheme,
            host,
            port,
            named_by,
        })
    }

    pub(super) fn host_and_port(&self) -> (&str, u16) {
        (&self.host, self.port)
    }

    /// Who says that it is there.
    pub(super) fn origin(&self) -> String {
        match self.named_by {
            NamedBy::Builder => "of `.proxy(…)`".to_owned(),
            NamedBy::Environment(variables) => format!("of the environment ({variables})"),
        }
    }

    /// What to do where the proxy is the matter.
    pub(super) fn advice(&self) -> String {
        match self.named_by {
            NamedBy::Builder => "check `.proxy(…)`, or leave it out where Keycloak is reached without".to_owned(),
            NamedBy::Environment(variables) => {
                format!("check {variables}, or name Keycloak's host in `NO_PROXY` where it is reached without")
            }
        }
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scheme, host, port, .. } = self;
        if host.contains(':') {
            write!(f, "`{scheme}://[{host}]:{port}`")
        } else {
            write!(f, "`{scheme}://{host}:{port}`")
        }
    }
}
