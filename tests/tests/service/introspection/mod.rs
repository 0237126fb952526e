//! Asking Keycloak about tokens: which, what may come of it, and how long that is remembered.

use keycloak_auth::{Clock, Introspection, KeycloakBuilder};
use keycloak_auth_tests::{Answer, Issuer, Logs, Record, Reply, Service, Token, claims_of};
use serde_json::{Value, json};
use tracing::Level;

use crate::setup::{builder, routes};

mod always;
mod kept_answers;
mod modes;
mod not_before;
mod turns;

fn in_mode(issuer: &Issuer, mode: Introspection) -> KeycloakBuilder {
    builder(issuer).client_secret("s e/c:r+et").introspection(mode)
}

fn introspecting(issuer: &Issuer) -> KeycloakBuilder {
    builder(issuer).client_secret("s e/c:r+et").use_introspection(true)
}

async fn service(issuer: &Issuer, clock: Clock) -> Service {
    let keycloak = introspecting(issuer).clock(clock).build().expect("valid");
    Service::start(routes().secure_with(keycloak)).await
}

/// A token as Keycloak 26.7 issues it for clients with lightweight access tokens.
fn lightweight(issuer: &Issuer) -> Token {
    let full = [
        "sub",
        "acr",
        "allowed-origins",
        "realm_access",
        "resource_access",
        "email_verified",
        "name",
        "groups",
        "preferred_username",
        "given_name",
        "family_name",
        "email",
    ];
    let token = full.into_iter().fold(issuer.token(), Token::without);
    token.claim("jti", "onltro:66384c88-b170-e7c6-4f0c-b15e16607434")
}

/// Lets the endpoint answer as Keycloak does for this token.
pub fn answer_for(issuer: &Issuer, token: &str, edit: impl FnOnce(&mut Value)) {
    let mut claims = claims_of(token);
    claims["active"] = json!(true);
    claims["client_id"] = json!("orders-web");
    claims["token_type"] = json!("Bearer");
    edit(&mut claims);
    issuer.reply(Issuer::INTROSPECTION, Reply::json(&claims));
}

/// What Keycloak tells of Alice beyond a lightweight token.
fn full_claims(claims: &mut Value) {
    claims["sub"] = json!("24b70fee-6687-575b-9043-0e37c958153d");
    claims["preferred_username"] = json!("alice");
    claims["realm_access"] = json!({ "roles": ["admin"] });
}

/// That the token is refused stands in the log at `debug`, and nothing above that: whoever sends such tokens could fill it.
#[track_caller]
fn assert_said(logs: &Logs, error_type: &str, what: &str) {
    let records = logs.records();
    let is_refusal = |record: &&Record| record.name == "keycloak.token_refused";
    let refusals: Vec<&str> = records
        .iter()
        .filter(is_refusal)
        .map(|record| record.field("error.type"))
        .collect();
    assert_eq!(refusals, [error_type], "{what}");
    // That an answer is about another token is no client's doing.
    let is_loud = |record: &&Record| {
        !record.is_span && record.level < Level::DEBUG && record.name != "keycloak.introspection_of_another_token"
    };
    let loud: Vec<_> = records.iter().filter(is_loud).collect();
    assert!(loud.is_empty(), "{what}: {loud:#?}");
}

#[track_caller]
pub fn code(answer: &Answer) -> (u16, Value) {
    (answer.status, answer.json()["error"]["code"].clone())
}
