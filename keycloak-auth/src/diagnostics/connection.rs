//! The way to the server: configuration, name, connection.

use std::{net::SocketAddr, time::Duration};

use tokio::net::{TcpStream, lookup_host};

use super::Finding;
use crate::Keycloak;

/// How long one address may take to accept a connection.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

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
    if parts.authenticator.validator().expectations().audiences.is_none() {
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
