//! What the access matrix reads out of a realm file is what Keycloak puts into tokens.

mod page;

use std::{collections::BTreeMap, sync::Arc};

use anyhow::{Context as _, Result, ensure};
use keycloak_auth::{
    AccessMatrix, Keycloak as Realm, SecureRouter,
    access_matrix::{Access, Subject, SubjectKind},
    keycloak,
    routing::get,
};
use keycloak_auth_tests::{ACME, Keycloak, http_client, suite};
use serde_json::{Value, json};

pub fn tests() -> Vec<suite::Test> {
    vec![
        suite::test(
            "access_matrix::users_of_the_realm_file_are_those_of_the_tokens",
            users_of_the_realm_file,
        ),
        suite::browser_test("access_matrix::page_of_the_orders_service", page::of_the_orders_service),
        suite::browser_test("access_matrix::page_with_many_columns", page::with_many_columns),
    ]
}

/// One route for each role and group of the realm file.
macro_rules! routes {
    ($($name:ident: $policy:meta;)*) => {
        $(
            #[$policy]
            async fn $name() {}
        )*

        fn matrix() -> AccessMatrix {
            SecureRouter::<()>::new()
                $(.route(concat!("/", stringify!($name)), get($name)))*
                .access_matrix()
        }
    };
}

routes! {
    admin: keycloak(realm_roles = "admin");
    clerk: keycloak(realm_roles = "clerk");
    auditor: keycloak(realm_roles = "auditor");
    staff: keycloak(realm_roles = "staff");
    any_admin: keycloak(roles = "admin");
    any_reader: keycloak(roles = "orders:read");
    reader: keycloak(client_roles("orders-api" = "orders:read"));
    writer: keycloak(client_roles("orders-api" = "orders:write"));
    billing: keycloak(client_roles("billing-api" = "admin"));
    ops: keycloak(groups = "/ops");
    oncall: keycloak(groups = "/ops/oncall");
    all_ops: keycloak(group_tree("/ops"));
    finance: keycloak(groups = "/finance");
}

async fn users_of_the_realm_file(keycloak: Arc<Keycloak>) -> Result<()> {
    let file = realm_with_inherited_roles();
    let server = keycloak.realm().server_url().to_owned();
    keycloak.admin().create_realm(&file).await?;
    let realm = Realm::builder()
        .server_url(&server)
        .realm("access-matrix")
        .client_id("orders-api")
        .audience("orders-api")
        .build()?;

    let by_file = matrix().for_realm(&file.to_string(), "orders-api")?;
    let mut compared = BTreeMap::new();
    for user in file["users"].as_array().context("users")? {
        let name = user["username"].as_str().context("a name")?;
        let form = match user["serviceAccountClientId"].as_str() {
            Some(client) => vec![
                ("grant_type", "client_credentials"),
                ("client_id", client),
                ("client_secret", secret(client)?),
            ],
            None => vec![
                ("grant_type", "password"),
                ("client_id", "orders-web"),
                ("username", name),
                ("password", name),
            ],
        };
        let url = format!("{server}/realms/access-matrix/protocol/openid-connect/token");
        let answer: Value = http_client().post(url).form(&form).send().await?.json().await?;
        let token = answer["access_token"]
            .as_str()
            .with_context(|| format!("{name}: {answer}"))?;
        let caller = Subject::authenticated(name, &realm.authenticate(token).await?);
        for row in by_file.rows() {
            let listed = by_file
                .access(name, row.method(), row.path())
                .context("a listed user")?;
            assert_eq!(listed, caller.access(row.policy()), "{name} at {}", row.path());
            *compared.entry(listed.word()).or_insert(0) += 1;
        }
    }
    ensure!(compared["allow"] >= 15 && compared["deny"] >= 30, "{compared:?}");
    // The service account of a client without a group mapper is in no group, and so is none in the file.
    let users = by_file
        .subjects()
        .iter()
        .filter(|subject| subject.kind() == SubjectKind::User);
    assert_eq!(users.count(), 5);
    assert_eq!(
        by_file.access("bob", "GET", "/auditor"),
        Some(Access::Allow),
        "from the parent group"
    );
    Ok(())
}

/// the realm of the orders service, in which the group `/ops` gives roles to its members and to those of `/ops/oncall`.
fn realm_with_inherited_roles() -> Value {
    let mut file = ACME.clone();
    file["realm"] = json!("access-matrix");
    let users = file["users"].as_array_mut();
    for user in users.into_iter().flatten() {
        // Ids are unique in a whole server.
        user.as_object_mut().expect("a user is an object").remove("id");
    }
    // Which counts as missing.
    for member in ["identityProviders", "defaultGroups"] {
        file[member] = json!(null);
    }
    file["groups"][0]["attributes"] = json!(null);
    file["users"][0]["requiredActions"] = json!(null);
    file["groups"][0]["realmRoles"] = json!(["auditor"]);
    file["groups"][0]["clientRoles"] = json!({ "orders-api": ["orders:write"] });
    file
}

fn secret(client: &str) -> Result<&'static str> {
    let clients = ACME["clients"].as_array().context("clients")?;
    let client = clients.iter().find(|entry| entry["clientId"] == client);
    client.and_then(|client| client["secret"].as_str()).context("a secret")
}
