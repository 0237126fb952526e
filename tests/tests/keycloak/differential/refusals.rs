//! What is refused is refused in the same words: status, error, text, and the headers that a client acts on.

mod endpoints;
mod login;
mod probes;
mod times;
mod token;

use std::sync::Arc;

use anyhow::{Result, ensure};
use keycloak_auth_tests::{ACME, Keycloak, Realm, suite};
use serde_json::{Value, json};

use self::probes::Probes;
use super::{compare::differences, pair::Pair, quick};

pub fn tests() -> Vec<suite::Test> {
    vec![
        suite::test("differential::refusals_at_the_token_endpoint", |keycloak| {
            check(keycloak, "refused-tokens", async |probes| token::ask(probes).await)
        }),
        suite::test("differential::refusals_of_logins_and_codes", |keycloak| {
            check(keycloak, "refused-logins", async |probes| login::ask(probes).await)
        }),
        suite::test("differential::refusals_at_other_endpoints", |keycloak| {
            check(keycloak, "refused-others", async |probes| endpoints::ask(probes).await)
        }),
        suite::test("differential::refusals_of_what_has_expired", |keycloak| {
            check(keycloak, "expired", async |probes| times::ask(probes).await)
        }),
    ]
}

/// Asks both sides the same and compares the answers one by one.
async fn check(keycloak: Arc<Keycloak>, label: &str, ask: impl AsyncFn(&mut Probes<'_>) -> Result<()>) -> Result<()> {
    let realm = keycloak.import(&quick(file(label == "expired")), label).await?;
    let pair = Pair::of(&realm, &realm.file().to_string()).await?;
    let (mut real, mut embedded) = (Probes::new(&pair.real), Probes::new(&pair.embedded));
    tokio::try_join!(ask(&mut real), ask(&mut embedded))?;
    report(real.found, embedded.found)
}

fn report(real: Vec<(String, Value)>, embedded: Vec<(String, Value)>) -> Result<()> {
    ensure!(
        real.len() == embedded.len() && !real.is_empty(),
        "the sides were not asked the same"
    );
    let asked = real.len();
    let lines: Vec<_> = (real.into_iter().zip(embedded))
        .flat_map(|((name, real), (_, embedded))| {
            let found = differences(&real, &allow_stricter(&real, embedded)).into_iter();
            found.map(move |difference| format!("{name}: {difference}"))
        })
        .collect();
    ensure!(
        lines.is_empty(),
        "{} differences in {asked} answers:\n{}",
        lines.len(),
        lines.join("\n")
    );
    Ok(())
}

/// What Keycloak lets a browser keep, the embedded realm may forbid it to keep; not the other way round.
fn allow_stricter(real: &Value, mut embedded: Value) -> Value {
    let forbids = |document: &Value| {
        let words = document["cache-control"].as_array().into_iter().flatten();
        words.into_iter().any(|word| word == "no-store")
    };
    if forbids(&embedded) && !forbids(real) {
        for header in ["cache-control", "pragma"] {
            match real.get(header) {
                Some(value) => embedded[header] = value.clone(),
                None => {
                    embedded.as_object_mut().map(|document| document.remove(header));
                }
            }
        }
    }
    embedded
}

/// The realm of the tests with what it has no need of otherwise: a disabled user, a disabled client, a client for one
/// web page only; refresh tokens are for one use.
fn file(short_lived: bool) -> Value {
    let mut file = ACME.clone();
    file["revokeRefreshToken"] = json!(true);
    file["refreshTokenMaxReuse"] = json!(0);
    if short_lived {
        file["accessTokenLifespan"] = json!(2);
        file["accessCodeLifespan"] = json!(2);
        file["ssoSessionMaxLifespan"] = json!(3);
    }
    let users = file["users"].as_array_mut().expect("the file has users");
    let mut gone = users[0].clone();
    gone["id"] = json!("7d1f3ae2-58a4-4d52-8a3e-0d35a6a1b0c5");
    gone["username"] = json!("gone");
    gone["email"] = json!("gone@acme.test");
    gone["enabled"] = json!(false);
    gone["credentials"][0]["value"] = json!("gone");
    users.push(gone);
    let clients = file["clients"].as_array_mut().expect("the file has clients");
    clients.push(json!({
        "clientId": "off", "enabled": false, "publicClient": true, "directAccessGrantsEnabled": true,
        "redirectUris": ["http://localhost:*"],
    }));
    clients.push(json!({
        "clientId": "page", "publicClient": true, "directAccessGrantsEnabled": true,
        "redirectUris": ["https://page.test/callback"], "webOrigins": ["https://page.test"],
    }));
    clients.push(json!({
        "clientId": "confidential", "secret": "confidential-secret", "redirectUris": ["http://localhost:*"],
    }));
    file
}

fn endpoint(realm: &Realm, name: &str) -> String {
    format!("{}/protocol/openid-connect/{name}", realm.issuer())
}
