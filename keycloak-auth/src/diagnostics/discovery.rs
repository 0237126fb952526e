//! The discovery document, or why there is none.

use http::StatusCode;
use serde::Deserialize;
use tokio::time::timeout;

use super::{Finding, connection::PATIENCE};
use crate::{
    Keycloak, ProviderError,
    client_authentication::ClientCredentials,
    provider::{Endpoint, HttpAnswer, ProviderMetadata, Request},
    text::{chain, code_list, shortened},
};

/// How Keycloak says that a realm is disabled.
const DISABLED: &str = "Realm not enabled";

/// Reads the answer for the discovery document.
pub(super) async fn check(keycloak: &Keycloak, answer: HttpAnswer) -> (Finding, Option<ProviderMetadata>) {
    let metadata = keycloak.parts().provider.metadata();
    if answer.status != StatusCode::OK {
        return (no_discovery(keycloak, &answer).await, None);
    }
    match metadata.read(&answer.body) {
        Ok(read) => match metadata.check_endpoints(&read) {
            Ok(()) if is_disabled(keycloak).await => (disabled(keycloak), Some(read)),
            Ok(()) => (Finding::ok(issuers(keycloak, &read)), Some(read)),
            Err(error) => (
                Finding::failed(
                    chain(&error),
                    "check `KC_HOSTNAME` and the proxy settings of Keycloak: its endpoints are made from them",
                ),
                None,
            ),
        },
        Err(error @ ProviderError::Issuer { .. }) => (
            Finding::failed(
                chain(&error),
                "or else correct `.server_url(…)`, or `KC_HOSTNAME` of Keycloak",
            ),
            None,
        ),
        Err(error) => (
            Finding::failed(chain(&error), "check that `.server_url(…)` is the address of Keycloak"),
            None,
        ),
    }
}

/// What the document calls the realm, and what tokens have to, where that is something else.
fn issuers(keycloak: &Keycloak, metadata: &ProviderMetadata) -> String {
    let named = shortened(metadata.issuer());
    let expected = &keycloak.authenticator().validator().expectations().issuers;
    if expected.iter().any(|issuer| issuer == metadata.issuer()) {
        return format!("the issuer is `{named}`");
    }
    let expected = code_list(expected.iter().map(String::as_str));
    format!("the issuer is `{named}` when asked there, and tokens have to name {expected}")
}

/// Whether the realm is disabled: it shows its documents all the same, but answers no grant. The request names no grant, so that
/// Keycloak looks at the realm and no further.
async fn is_disabled(keycloak: &Keycloak) -> bool {
    #[derive(Deserialize)]
    struct Failure {
        error_description: String,
    }

    if keycloak.token_endpoint().may_ask().is_err() {
        return false;
    }
    let client = ClientCredentials::Public {
        id: keycloak.client_id(),
    };
    let request = Request::post(Endpoint::Token, client, &[]);
    // Where the endpoint is slow, that is for another check to say.
    let asking = timeout(PATIENCE, keycloak.parts().provider.probe(request));
    let Ok(Ok(answer)) = asking.await else {
        return false;
    };
    serde_json::from_slice(&answer.body).is_ok_and(|failure: Failure| failure.error_description.starts_with(DISABLED))
}

fn disabled(keycloak: &Keycloak) -> Finding {
    Finding::failed(
        format!("the realm `{}` is disabled", shortened(keycloak.realm())),
        "enable it in Keycloak's realm settings",
    )
}

async fn no_discovery(keycloak: &Keycloak, answer: &HttpAnswer) -> Finding {
    #[derive(Deserialize)]
    struct Failure {
        error: String,
    }

    let realm = keycloak.realm();
    let status = answer.status.as_u16();
    let proxy = keycloak.parts().connection.route.proxy();
    let failure: Option<Failure> = serde_json::from_slice(&answer.body).ok();
    let error = failure.map(|failure| failure.error).unwrap_or_default();
    match status {
        404 if error.starts_with("Realm does not exist") => Finding::failed(
            format!("there is no realm `{}` on this server", shortened(realm)),
            match realm.trim() == realm {
                true => "check `.realm(…)`: names are case-sensitive, and the display name is another",
                false => "take the white space away that `.realm(…)` has at its ends",
            },
        ),
        _ if error.starts_with(DISABLED) => disabled(keycloak),
        404 => match other_base_path(keycloak).await {
            Some(server_url) => Finding::failed(
                "Keycloak is there, under another base path",
                format!("set `.server_url(\"{server_url}\")`"),
            ),
            None => Finding::failed(
                "the server answers, but there is no Keycloak at this path (404)",
                "check host, port and base path in `server_url`",
            ),
        },
        300..=399 => Finding::failed(
            format!("the server redirects to another address ({status}), which is not followed"),
            "set the final address as `server_url`: often it is https instead of http",
        ),
        401 | 403 | 407 => match proxy {
            Some(proxy) => Finding::failed(format!("the proxy {proxy} wants a login ({status})"), proxy.advice()),
            None => Finding::failed(
                format!("something in front of Keycloak wants a login ({status})"),
                "let the proxy pass the paths below `/realms/`",
            ),
        },
        502..=504 => match proxy {
            Some(proxy) => Finding::failed(
                format!("the proxy {proxy} does not reach Keycloak ({status})"),
                format!("check that Keycloak runs at `server_url`; {}", proxy.advice()),
            ),
            None => Finding::failed(
                format!("the proxy in front of Keycloak does not reach it ({status})"),
                "check that Keycloak runs, and the proxy's configuration",
            ),
        },
        _ => Finding::failed(
            format!("Keycloak answers with status {status}"),
            "look into Keycloak's log",
        ),
    }
}

/// The server's address with or without `/auth`, if that is where Keycloak is.
async fn other_base_path(keycloak: &Keycloak) -> Option<String> {
    let parts = keycloak.parts();
    let other = parts.realm_url.with_other_base_path();
    let url = other.discovery_url();
    let answer = parts.provider.probe_address(&url).await.ok()?;
    (answer.status == StatusCode::OK).then(|| other.server_url())
}
