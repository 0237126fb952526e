//! The embedded realm against a real Keycloak: whoever asks for whatever token gets the same one from both.
//!
//! Both serve one realm file. [`matrix`] lists who asks, [`grant`] asks and writes down all that comes of it,
//! [`compare`] knows the few things that may differ.

mod compare;
mod grant;
mod matrix;
mod pair;
mod refusals;

use std::sync::Arc;

use anyhow::{Result, ensure};
use keycloak_auth::dev::{DevRealm, RealmWarning};
use keycloak_auth_tests::{ACME_JSON, Keycloak, suite};
use serde_json::{Value, json};

use self::{matrix::Scopes, pair::Pair};

pub fn tests() -> Vec<suite::Test> {
    let claims = vec![
        suite::test("differential::claims_of_the_realm_of_the_tests", acme),
        suite::test("differential::claims_of_a_realm_with_all_mappers", variety),
        suite::test("differential::claims_of_a_realm_with_scopes_of_its_own", rich),
        suite::restarting_test("differential::claims_of_a_full_export", export),
    ];
    claims.into_iter().chain(refusals::tests()).collect()
}

async fn acme(keycloak: Arc<Keycloak>) -> Result<()> {
    check_file(&keycloak, ACME_JSON, "acme").await
}

/// A full export has everything that Keycloak has added, and the passwords as hashes only.
async fn export(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let exported = keycloak.export(realm).await?;
    let file: Value = serde_json::from_str(&exported)?;
    let users = file["users"].as_array().into_iter().flatten();
    let credentials = users.filter_map(|user| user["credentials"].as_array());
    let credentials: Vec<_> = credentials.flatten().collect();
    let hashed = |credential: &&Value| credential["secretData"].is_string() && credential.get("value").is_none();
    ensure!(
        !credentials.is_empty() && credentials.iter().all(hashed),
        "the export has other passwords than hashed ones"
    );
    let pair = Pair::of(realm, &exported).await?;
    matrix::check(&pair, Scopes::Few, 100).await
}

async fn variety(keycloak: Arc<Keycloak>) -> Result<()> {
    check_file(&keycloak, include_str!("../../../realm/variety.json"), "variety").await
}

/// What the embedded realm cannot do of it, it names; Keycloak does the same with the rest.
async fn rich(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = DevRealm::from_json(include_str!("../../../realm/rich.json"))?;
    let named: Vec<_> = realm.warnings().iter().map(RealmWarning::member).collect();
    assert_eq!(
        named,
        ["clientScopes", "clients[6].consentRequired", "users[4].requiredActions"]
    );
    check_file(&keycloak, include_str!("../../../realm/rich.json"), "rich").await
}

/// Passwords with a cheap hash: with that of Keycloak's default, logins take most of the time of these tests.
fn quick(mut file: Value) -> Value {
    file["passwordPolicy"] = json!("hashAlgorithm(pbkdf2-sha256) and hashIterations(1)");
    file
}

async fn check_file(keycloak: &Keycloak, json: &str, label: &str) -> Result<()> {
    let realm = keycloak.import(&quick(serde_json::from_str(json)?), label).await?;
    let pair = Pair::of(&realm, &realm.file().to_string()).await?;
    matrix::check(&pair, Scopes::Each, 250).await
}
