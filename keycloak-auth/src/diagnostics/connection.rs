//! The way to the server: configuration, name, connection.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use futures_util::future::join_all;
use tokio::net::{TcpStream, lookup_host};

use super::{Finding, Route, route::Proxy};
use crate::{Keycloak, provider::RealmUrl};

/// How long one address may take to accept a connection.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// Settings that work and deserve a second look, all of them.
pub(super) fn configuration(keycloak: &Keycloak) -> Finding {
    let parts = keycloak.parts();
    let doubtful = [
        (
            parts.connection.accepts_invalid_certificates,
            "certificates are not checked: anybody on the way to Keycloak can let anybody in",
            "remove `.danger_accept_invalid_certs(true)`, and add the authority by `.root_certificates(…)`",
        ),
        (
            !parts.realm_url.is_https() && !parts.realm_url.is_loopback(),
            "Keycloak is reached by http: anybody on the way can give you keys of their own",
            "use https, unless the network between is your own",
        ),
        (
            parts.authenticator.validator().expectations().audiences.is_none(),
            "the audience is not checked: tokens for any other service are accepted here",
            "name the audience by `.audience(…)` instead of `.without_audience_check()`",
        ),
    ];
    let (findings, advice): (Vec<&str>, Vec<&str>) = doubtful
        .into_iter()
        .filter_map(|(is_so, finding, advice)| is_so.then_some((finding, advice)))
        .unzip();
    if !findings.is_empty() {
        return Finding::warning(findings.join("; "), advice.join("; "));
    }
    match parts.connection.route.proxy() {
        Some(proxy) => Finding::ok(format!(
            "nothing unusual; requests go by the proxy {proxy} {}",
            proxy.origin()
        )),
        None => Finding::ok("nothing unusual"),
    }
}

pub(super) async fn dns(keycloak: &Keycloak) -> Finding {
    let parts = keycloak.parts();
    match &parts.connection.route {
        Route::OwnHttpClient => return Finding::skipped("an HTTP client of your own looks names up"),
        Route::Proxy(proxy) => {
            return Finding::skipped(format!("the proxy {proxy} {} looks names up", proxy.origin()));
        }
        Route::Direct => {}
    }
    let (host, port) = parts.realm_url.host_and_port();
    if host.parse::<IpAddr>().is_ok() {
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
    match &parts.connection.route {
        Route::OwnHttpClient => Finding::skipped("an HTTP client of your own makes the connections"),
        Route::Proxy(proxy) => to_proxy(proxy).await,
        Route::Direct => to_keycloak(&parts.realm_url).await,
    }
}

async fn to_keycloak(realm_url: &RealmUrl) -> Finding {
    let (host, port) = realm_url.host_and_port();
    let Ok(Attempts { reached, unreached }) = Attempts::at(host, port).await else {
        return Finding::skipped("the name has to be known first");
    };
    match (reached.is_empty(), unreached.is_empty()) {
        (false, true) => Finding::ok(format!("{} accepts connections", reached.join(", "))),
        // `localhost` is often two addresses, of which a server takes one.
        (false, false) if realm_url.is_loopback() => Finding::ok(format!("{} accepts connections", reached.join(", "))),
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

async fn to_proxy(proxy: &Proxy) -> Finding {
    let (host, port) = proxy.host_and_port();
    let origin = proxy.origin();
    match Attempts::at(host, port).await {
        Ok(Attempts { reached, .. }) if !reached.is_empty() => {
            Finding::ok(format!("the proxy at {} accepts connections", reached.join(", ")))
        }
        Ok(Attempts { unreached, .. }) => Finding::failed(
            format!(
                "nothing accepts connections at the proxy {proxy} {origin}: {}",
                unreached.join("; ")
            ),
            proxy.advice(),
        ),
        Err(error) => Finding::failed(
            format!("there is no address for the proxy {proxy} {origin}: {error}"),
            proxy.advice(),
        ),
    }
}

/// What became of connections to each address of a name, all tried at the same time.
struct Attempts {
    reached: Vec<String>,
    /// With the reasons.
    unreached: Vec<String>,
}

impl Attempts {
    async fn at(host: &str, port: u16) -> io::Result<Self> {
        let connections = lookup_host((host, port)).await?.map(|address| async move {
            match connect(address).await {
                Ok(()) => Ok(address.to_string()),
                Err(reason) => Err(format!("{address}: {reason}")),
            }
        });
        let mut attempts = Self {
            reached: Vec::new(),
            unreached: Vec::new(),
        };
        for outcome in join_all(connections).await {
            match outcome {
                Ok(address) => attempts.reached.push(address),
                Err(reason) => attempts.unreached.push(reason),
            }
        }
        Ok(attempts)
    }
}

async fn connect(address: SocketAddr) -> Result<(), String> {
    match tokio::time::timeout(PATIENCE, TcpStream::connect(address)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}
