//! The way to the server: configuration, name, connection, certificate.

use std::{net::SocketAddr, time::Duration};

use tokio::net::{TcpStream, lookup_host};

use super::Finding;
use crate::{
    Keycloak,
    provider::{HttpAnswer, ProviderError, TlsFault},
    text::chain,
};

/// How long one address may take to accept a connection.
const PATIENCE: Duration = Duration::from_secs(2);

/// Settings that work and deserve a second look.
pub(super) fn configuration(keycloak: &Keycloak) -> Finding {
    let parts = keycloak.parts();
    if parts.connection.accepts_invalid_certificates {
        return Finding::warning(
            "certificates are not checked: anybody on the way to Keycloak can let anybody in",
            "remove `.danger_accept_invalid_certs(true)`, and add the authority by `.root_certificates(…)`",
        );
    }
    if !parts.realm_url.is_https() && !parts.realm_url.is_loopback() {
        return Finding::warning(
            "Keycloak is reached by http: anybody on the way can give you keys of their own",
            "use https, unless the network between is your own",
        );
    }
    if parts.validator.expectations().audiences.is_none() {
        return Finding::warning(
            "the audience is not checked: tokens for any other service are accepted here",
            "name the audience by `.audience(…)` instead of `.without_audience_check()`",
        );
    }
    Finding::ok("nothing unusual")
}

pub(super) async fn dns(keycloak: &Keycloak) -> Finding {
    let parts = keycloak.parts();
    if parts.connection.is_indirect {
        return Finding::skipped("a proxy or an HTTP client of your own looks names up");
    }
    let (host, port) = parts.realm_url.host_and_port();
    if host.parse::<std::net::IpAddr>().is_ok() {
        return Finding::skipped(format!("`{host}` is an address already"));
    }
    match lookup_host((host, port)).await {
        Ok(found) => {
            let addresses: Vec<String> = found.map(|address| address.ip().to_string()).collect();
            Finding::ok(format!("`{host}` is {}", addresses.join(", ")))
        }
        Err(error) => Finding::failed(
            format!("there is no address for the name `{host}`: {error}"),
            "check `server_url`, and the name server of this machine or container",
        ),
    }
}

pub(super) async fn tcp(keycloak: &Keycloak) -> Finding {
    let parts = keycloak.parts();
    if parts.connection.is_indirect {
        return Finding::skipped("a proxy or an HTTP client of your own makes the connections");
    }
    let (host, port) = parts.realm_url.host_and_port();
    let Ok(found) = lookup_host((host, port)).await else {
        return Finding::skipped("the name has to be known first");
    };
    let mut reached = Vec::new();
    let mut unreached = Vec::new();
    for address in found {
        match connect(address).await {
            Ok(()) => reached.push(address.to_string()),
            Err(reason) => unreached.push(format!("{address}: {reason}")),
        }
    }
    match (reached.is_empty(), unreached.is_empty()) {
        (false, true) => Finding::ok(format!("{} accepts connections", reached.join(", "))),
        // `localhost` is often two addresses, of which a server takes one.
        (false, false) if parts.realm_url.is_loopback() => {
            Finding::ok(format!("{} accepts connections", reached.join(", ")))
        }
        (false, false) => Finding::warning(
            format!(
                "some addresses of `{host}` accept no connection: {}",
                unreached.join("; ")
            ),
            "remove these addresses from the name, or start what should run there",
        ),
        (true, _) => Finding::failed(
            format!(
                "nothing accepts connections at `{host}:{port}`: {}",
                unreached.join("; ")
            ),
            "check that Keycloak runs, the port in `server_url`, and firewalls and networks in between",
        ),
    }
}

async fn connect(address: SocketAddr) -> Result<(), String> {
    match tokio::time::timeout(PATIENCE, TcpStream::connect(address)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}

/// Asks for the discovery document, and looks at how the connection came about.
pub(super) async fn tls(keycloak: &Keycloak) -> (Finding, Option<HttpAnswer>) {
    let parts = keycloak.parts();
    let url = parts.provider.metadata.discovery_url();
    let asked = parts.provider.within_deadline(parts.provider.http.ask(&url)).await;
    match asked {
        Ok(answer) if parts.realm_url.is_https() => (certificate(&answer), Some(answer)),
        Ok(answer) => (Finding::skipped("the address is `http://`"), Some(answer)),
        Err(error) => (no_connection(keycloak, &error), None),
    }
}

fn no_connection(keycloak: &Keycloak, error: &ProviderError) -> Finding {
    let parts = keycloak.parts();
    let (host, _) = parts.realm_url.host_and_port();
    match error.tls_fault() {
        Some(TlsFault::Expired) => Finding::failed(
            format!("the certificate of `{host}` has expired"),
            "renew it at Keycloak or at the proxy in front of it",
        ),
        Some(TlsFault::NotYetValid) => Finding::failed(
            format!("the certificate of `{host}` is not valid yet"),
            "set the clock of this machine, or wait for the certificate's first day",
        ),
        Some(TlsFault::Untrusted) => Finding::failed(
            format!("the certificate of `{host}` comes from an authority that is not trusted here"),
            "add the authority's certificate by `.root_certificates(…)`",
        ),
        Some(TlsFault::HostnameMismatch) => Finding::failed(
            format!("the certificate is not for `{host}`"),
            "write into `server_url` a name that is in the certificate, or issue one for this name",
        ),
        Some(TlsFault::Other) => Finding::failed(
            format!("TLS does not come about: {}", chain(error)),
            "check that the port speaks https, and whether the certificate is one of an authority",
        ),
        None if parts.realm_url.is_https() => Finding::failed(
            format!("the connection fails: {}", chain(error)),
            "check that the port speaks https, and the proxy in between",
        ),
        None => Finding::failed(
            format!("the connection fails: {}", chain(error)),
            "check that the port speaks http and not https, and the proxy in between",
        ),
    }
}

#[cfg(not(feature = "tls-diagnostics"))]
fn certificate(_: &HttpAnswer) -> Finding {
    Finding::ok("the certificate is valid, trusted and for this host")
}

#[cfg(feature = "tls-diagnostics")]
fn certificate(answer: &HttpAnswer) -> Finding {
    use reqwest::tls::TlsInfo;
    use x509_parser::parse_x509_certificate;

    /// A certificate is usually renewed earlier than this before its end.
    const SOON: i64 = 14;

    let protocol = answer.tls.as_ref().and_then(TlsInfo::version).map_or("", protocol);
    let parsed = answer.tls.as_ref().and_then(TlsInfo::peer_certificate);
    let Some(Ok((_, certificate))) = parsed.map(parse_x509_certificate) else {
        return Finding::ok(format!("{protocol}the certificate is valid, trusted and for this host"));
    };
    let days = certificate
        .validity()
        .time_to_expiration()
        .map_or(0, |left| left.whole_days());
    let text = format!(
        "{protocol}the certificate is for {}, from {}, and ends in {days} days",
        certificate.subject(),
        certificate.issuer()
    );
    if days < SOON {
        return Finding::warning(text, "renew it: when it has ended, no keys can be fetched any more");
    }
    Finding::ok(text)
}

/// The version that was negotiated, as the start of a finding.
#[cfg(feature = "tls-diagnostics")]
fn protocol(version: reqwest::tls::Version) -> &'static str {
    use reqwest::tls::Version;

    match version {
        Version::TLS_1_3 => "TLSv1.3; ",
        Version::TLS_1_2 => "TLSv1.2; ",
        Version::TLS_1_1 => "TLSv1.1; ",
        Version::TLS_1_0 => "TLSv1.0; ",
        _ => "",
    }
}
