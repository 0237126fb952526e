//! Facts about Keycloak that the runtime relies on, each asked of the server itself.

mod endpoints;
mod tokens;

use std::collections::BTreeSet;

use anyhow::Result;
use keycloak_auth_tests::{Realm, Tokens, suite};
use serde_json::Value;

pub fn tests() -> Vec<suite::Test> {
    let subjects = [endpoints::tests(), tokens::tests()];
    subjects.into_iter().flatten().collect()
}

async fn alice(realm: &Realm) -> Result<Tokens> {
    realm.grant("orders-web").password("alice").scope("openid").send().await
}

fn names(value: &Value) -> BTreeSet<&str> {
    let object = value.as_object().into_iter().flatten();
    object.map(|(name, _)| name.as_str()).collect()
}

fn words(value: &Value) -> BTreeSet<&str> {
    value.as_str().unwrap_or_default().split(' ').collect()
}

fn strings(value: &Value) -> BTreeSet<&str> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}
