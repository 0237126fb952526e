//! The embedded realm against a real Keycloak: whoever asks for whatever token gets the same one from both.
//!
//! Both serve one realm file. [`matrix`] lists who asks, [`grant`] asks and writes down all that comes of it,
//! [`compare`] knows the few things that may differ.

mod compare;
mod grant;
mod matrix;
mod pair;

use std::sync::Arc;

use anyhow::Result;
use keycloak_auth_tests::{Keycloak, suite};
use serde_json::Value;

use self::pair::Pair;

pub fn tests() -> Vec<suite::Test> {
    vec![
        suite::test("differential::claims_of_the_realm_of_the_tests", acme),
        suite::test("differential::claims_of_a_realm_with_all_mappers", variety),
    ]
}

async fn acme(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let pair = Pair::of(realm, &realm.file().to_string()).await?;
    matrix::check(&pair, 100).await
}

async fn variety(keycloak: Arc<Keycloak>) -> Result<()> {
    let file: Value = serde_json::from_str(include_str!("../../../realm/variety.json"))?;
    let realm = keycloak.import(&file, "variety").await?;
    let pair = Pair::of(&realm, &realm.file().to_string()).await?;
    matrix::check(&pair, 100).await
}
