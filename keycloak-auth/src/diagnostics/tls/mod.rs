//! TLS: whether it comes about, and on which certificates.

#[cfg(feature = "tls-diagnostics")]
mod certificate;
#[cfg(feature = "tls-diagnostics")]
mod chain;
#[cfg(feature = "tls-diagnostics")]
mod handshake;

use http::StatusCode;
use tokio::time::timeout;

use super::{Finding, connection::PATIENCE};
use crate::{
    Keycloak,
    error::{ProviderError, TlsFault},
    provider::{Endpoint, HttpAnswer, Request},
    text,
};

/// Asks for the discovery document, and looks at how the connection came about.
///
/// The HTTP client decides whether it does. With feature `tls-diagnostics`, and where the client makes its connections itself, a
/// connection beside it shows the certificates.
pub(super) async fn check(keycloak: &Keycloak) -> (Finding, Option<HttpAnswer>) {
    let parts = keycloak.parts();
    let ask = parts.provider.probe(Request::get(Endpoint::Discovery));
    #[cfg(feature = "tls-diagnostics")]
    let (asked, seen) = futures_util::future::join(ask, handshake::look(keycloak)).await;
    #[cfg(not(feature = "tls-diagnostics"))]
    let asked = ask.await;
    if let Err(error) = &asked
        && let Some(server_url) = http_instead(keycloak, error).await
    {
        return (speaks_http(error, &server_url), None);
    }
    let is_refused_by_http = match &asked {
        Ok(answer) => answer.status == StatusCode::BAD_REQUEST,
        Err(_) => true,
    };
    if is_refused_by_http && let Some(server_url) = https_instead(keycloak).await {
        return (speaks_https(&server_url), None);
    }
    match asked {
        Ok(answer) if !parts.realm_url.is_https() => (Finding::skipped("the address is `http://`"), Some(answer)),
        #[cfg(feature = "tls-diagnostics")]
        Ok(answer) => (accepted(keycloak, &answer, seen), Some(answer)),
        #[cfg(not(feature = "tls-diagnostics"))]
        Ok(answer) => (Finding::ok(SOUND), Some(answer)),
        #[cfg(feature = "tls-diagnostics")]
        Err(error) => (refused(keycloak, &error, seen), None),
        #[cfg(not(feature = "tls-diagnostics"))]
        Err(error) => (no_connection(keycloak, &error), None),
    }
}

/// The server's address with http, if that is how Keycloak is reached there.
///
/// Not tried by a client of the service's own, since what is set on it may be for https only.
async fn http_instead(keycloak: &Keycloak, error: &ProviderError) -> Option<String> {
    let parts = keycloak.parts();
    let is_of_certificate = error.tls_fault().is_some_and(|fault| fault != TlsFault::Other);
    if !parts.connection.route.is_direct() || is_of_certificate {
        return None;
    }
    let by_http = parts.realm_url.with_http()?;
    let url = by_http.discovery_url();
    let answer = timeout(PATIENCE, parts.provider.probe_address(&url)).await.ok()?.ok()?;
    (answer.status == StatusCode::OK).then(|| by_http.server_url())
}

fn speaks_http(error: &ProviderError, server_url: &str) -> Finding {
    Finding::failed(
        format!(
            "TLS does not come about, because Keycloak speaks http there: {}",
            text::chain(error)
        ),
        format!(
            "set `.server_url(\"{server_url}\")` where the network between is your own, or switch https on at Keycloak"
        ),
    )
}

/// The server's address with https, if that is what is spoken there. Whether the certificate is a good one is a question for later.
async fn https_instead(keycloak: &Keycloak) -> Option<String> {
    let parts = keycloak.parts();
    let by_https = parts
        .realm_url
        .with_https()
        .filter(|_| parts.connection.route.is_direct())?;
    let url = by_https.discovery_url();
    let speaks_https = match timeout(PATIENCE, parts.provider.probe_address(&url)).await.ok()? {
        Ok(answer) => answer.status == StatusCode::OK,
        Err(error) => error.tls_fault().is_some_and(|fault| fault != TlsFault::Other),
    };
    speaks_https.then(|| by_https.server_url())
}

fn speaks_https(server_url: &str) -> Finding {
    Finding::failed(
        "Keycloak speaks https there, and not http",
        format!("set `.server_url(\"{server_url}\")`"),
    )
}

const SOUND: &str = "the certificate is valid, trusted and for this host";

/// What to say where the certificates are known, of a connection that came about.
#[cfg(feature = "tls-diagnostics")]
fn accepted(keycloak: &Keycloak, answer: &HttpAnswer, seen: Option<handshake::Handshake>) -> Finding {
    use chain::Chain;

    let Some(seen) = seen else {
        let info = answer.tls.as_ref();
        let own = info.and_then(|info| Chain::read([info.peer_certificate()?]));
        let protocol = info.and_then(|info| handshake::version_name(info.version()?));
        return own.map_or_else(|| Finding::ok(SOUND), |own| own.accepted(protocol));
    };
    let Some(chain) = Chain::read(&seen.certificates) else {
        return Finding::ok(SOUND);
    };
    let (host, _) = keycloak.parts().realm_url.host_and_port();
    let finding = match &seen.refusal {
        None => chain.accepted(seen.protocol.as_deref()),
        Some(refusal) => {
            let (fault, advice) = chain.fault(host, refusal);
            if keycloak.parts().connection.accepts_invalid_certificates {
                Finding::warning(format!("not checked, and would not pass: {fault}"), advice)
            } else {
                Finding::warning(
                    format!("one connection came about, another one did not: {fault}"),
                    advice,
                )
            }
        }
    };
    finding.with_details(chain.lines())
}

/// What to say where the certificates are known, of a connection that did not come about.
#[cfg(feature = "tls-diagnostics")]
fn refused(keycloak: &Keycloak, error: &ProviderError, seen: Option<handshake::Handshake>) -> Finding {
    let Some((seen, chain)) = seen.and_then(|seen| {
        let chain = chain::Chain::read(&seen.certificates)?;
        Some((seen, chain))
    }) else {
        return no_connection(keycloak, error);
    };
    let finding = match &seen.refusal {
        None => no_connection(keycloak, error),
        Some(refusal) => {
            let (host, _) = keycloak.parts().realm_url.host_and_port();
            let (fault, advice) = chain.fault(host, refusal);
            Finding::failed(fault, advice)
        }
    };
    finding.with_details(chain.lines())
}

fn no_connection(keycloak: &Keycloak, error: &ProviderError) -> Finding {
    let parts = keycloak.parts();
    let (host, _) = parts.realm_url.host_and_port();
    let fault = error.tls_fault();
    if let (None, Some(proxy)) = (fault, parts.connection.route.proxy()) {
        return Finding::failed(
            format!(
                "there is no connection through the proxy {proxy}: {}",
                text::chain(error)
            ),
            format!("look into the proxy's log; {}", proxy.advice()),
        );
    }
    if let ProviderError::Timeout { .. } = error {
        return Finding::failed(
            error.to_string(),
            "see whether Keycloak, or what is in front of it, is overloaded",
        );
    }
    match fault {
        Some(TlsFault::Expired) => Finding::failed(
            format!("the certificate of `{host}`, or one that it rests on, has expired"),
            advice::RENEW,
        ),
        Some(TlsFault::NotYetValid) => {
            Finding::failed(format!("the certificate of `{host}` is not valid yet"), advice::NOT_YET)
        }
        Some(TlsFault::Untrusted) => Finding::failed(
            format!("the certificate of `{host}` comes from an authority that is not trusted here"),
            advice::ADD,
        ),
        Some(TlsFault::HostnameMismatch) => {
            Finding::failed(format!("the certificate is not for `{host}`"), advice::NAME)
        }
        Some(TlsFault::Other) => Finding::failed(
            format!("TLS does not come about: {}", text::chain(error)),
            "check that the port speaks https, and whether the certificate is one of an authority",
        ),
        None if parts.realm_url.is_https() => Finding::failed(
            format!("the connection fails: {}", text::chain(error)),
            "check that the port speaks https, and the proxy in between",
        ),
        None => Finding::failed(
            format!("the connection fails: {}", text::chain(error)),
            "check that the port speaks http and not https, and the proxy in between",
        ),
    }
}

/// What to do, in words that several findings share.
mod advice {
    pub(super) const RENEW: &str = "renew it at Keycloak or at the proxy in front of it";
    pub(super) const NOT_YET: &str = "set the clock of this machine, or wait for the certificate's first day";
    pub(super) const ADD: &str = "add the authority's certificate by `.root_certificates(…)`";
    pub(super) const NAME: &str =
        "write into `server_url` a name that is in the certificate, or issue one for this name";
}
