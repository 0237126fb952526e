//! This service's client: whether Keycloak accepts it.

use http::StatusCode;

use super::Finding;
use crate::{
    Introspection, Keycloak,
    client_authentication::ClientCredentials,
    provider::{Endpoint, Request},
    text::chain,
};

/// Authenticates as the client, by asking about a token that is none.
pub(super) async fn check(keycloak: &Keycloak) -> Finding {
    let parts = keycloak.parts();
    let Some(method) = parts.client.method() else {
        return Finding::skipped(
            "there is no `client_secret` and no other `client_authentication`, and judging tokens by keys needs none",
        );
    };
    let introspector = keycloak.authenticator().introspection();
    if let Some(Err(unavailable)) = introspector.map(|introspector| introspector.may_ask()) {
        return Finding::paused(&unavailable);
    }
    let form = [("token", "diagnosis")];
    let request = Request::post(
        Endpoint::Introspection,
        ClientCredentials::Configured(&parts.client),
        &form,
    );
    let client_id = keycloak.client_id();
    match parts.provider.probe(request).await {
        Ok(answer) if answer.status == StatusCode::OK => Finding::ok(format!(
            "Keycloak accepts `{client_id}` by `{method}`, and introspects {} for it",
            introspected(keycloak)
        )),
        Ok(answer) if matches!(answer.status.as_u16(), 400 | 401 | 403) => Finding::failed(
            format!("Keycloak does not accept the client `{client_id}` by `{method}`"),
            method_advice(method),
        ),
        Ok(answer) => Finding::failed(
            format!(
                "the introspection endpoint answers with status {}",
                answer.status.as_u16()
            ),
            "look into Keycloak's log",
        ),
        Err(error) => Finding::failed(chain(&error), "check `.introspection_endpoint(…)`, or leave it out"),
    }
}

/// The tokens that Keycloak is asked about, or could be.
fn introspected(keycloak: &Keycloak) -> &'static str {
    let introspection = keycloak.authenticator().introspection();
    match introspection.map_or(Introspection::Never, |introspector| introspector.mode()) {
        Introspection::Never => "tokens",
        Introspection::WhenLightweight => "lightweight tokens",
        Introspection::WhenOpaque => "opaque tokens",
        Introspection::WhenNeeded => "lightweight and opaque tokens",
        Introspection::Always => "every token",
    }
}

fn method_advice(method: &str) -> &'static str {
    match method {
        "private_key_jwt" => {
            "check `.client_id(…)`, that the client's authenticator in Keycloak is `Signed JWT`, that its keys or certificate \
             there belong to this private key, the algorithm and `.key_id(…)`, and the check `clock`"
        }
        "tls_client_auth" => {
            "check `.client_id(…)`, that the client's authenticator in Keycloak is `X509 Certificate` with the subject of this \
             certificate, and that Keycloak, or the proxy in front of it, asks for certificates (`https-client-auth`)"
        }
        _ => {
            "check `.client_id(…)` and `.client_secret(…)`, and that the client is confidential and enabled, with the \
             authenticator `Client Id and Secret`"
        }
    }
}
