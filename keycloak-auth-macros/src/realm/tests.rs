//! The realm check from the manifest to the message, without a compiler.

use std::{fs, path::Path, str::FromStr, sync::Arc, time::Instant};

use proc_macro2::{TokenStream, TokenTree};
use syn::LitStr;
use tempfile::TempDir;

use super::{Problem, Realm, RealmCheck, Scope, built_in, essence, export, load::Loaded, settings::Settings};
use crate::expand;

const ACME: &str = r#"{
    "realm": "Acme",
    "roles": {"realm": [{"name": "clerk"}], "client": {"orders-api": [{"name": "orders:read"}], "billing-api": [{"name": "admin"}]}},
    "clients": [{"clientId": "orders-web", "authorizationServicesEnabled": true}, {"clientId": "orders-api"}],
    "groups": [{"name": "ops", "subGroups": [{"name": "oncall", "subGroups": []}]}, {"name": "x/y", "path": "/x~/y"}]
}"#;

fn realm(json: &str, client: Option<&str>) -> Arc<Realm> {
    let export = export::parse(json.as_bytes(), "realm.json", None).unwrap_or_else(|problem| panic!("{problem:?}"));
    Arc::new(Realm::new(export, client.map(str::to_owned)))
}

/// What is said about a policy, or nothing if it is fine.
fn said(realm: &Arc<Realm>, policy: &str) -> String {
    let check = RealmCheck {
        realm: Some(Arc::clone(realm)),
        ..RealmCheck::default()
    };
    let policy = TokenStream::from_str(policy).unwrap_or_else(|error| panic!("`{policy}`: {error}"));
    let mut messages = Vec::new();
    literals(expand::policy(policy, check), false, &mut messages);
    messages.join("\n")
}

/// The texts of all `compile_error!`.
fn literals(tokens: TokenStream, is_error: bool, into: &mut Vec<String>) {
    let mut is_next = false;
    for tree in tokens {
        match tree {
            TokenTree::Ident(ident) if ident == "compile_error" => is_next = true,
            TokenTree::Group(group) => literals(group.stream(), std::mem::take(&mut is_next), into),
            TokenTree::Literal(literal) if is_error => {
                into.push(syn::parse_str::<LitStr>(&literal.to_string()).expect("a text").value());
            }
            _ => {}
        }
    }
}

/// A package folder with these files; `Cargo.toml` is one of them.
fn package(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder for the test");
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    folder
}

fn told(package: &Path, variable: Option<&str>) -> RealmCheck {
    Loaded::load(package, variable).tell()
}

#[test]
fn a_file_by_hand_has_what_keycloak_builds_in() {
    let realm = realm(ACME, None);
    for policy in [
        r#"realm_roles = ["clerk", "offline_access", "uma_authorization", "default-roles-acme"]"#,
        r#"roles = ["clerk", "orders:read", "admin"]"#,
        r#"client_role("realm-management", "view-users")"#,
        r#"client_role("orders-web", "uma_protection")"#,
        r#"groups = ["/ops", "ops/oncall", "/x~/y"]"#,
        r#"scopes = ["openid", "email", "basic", "organization:acme", "offline_access"]"#,
    ] {
        assert_eq!(said(&realm, policy), "", "{policy}");
    }
}

#[test]
fn an_export_has_what_it_lists() {
    let realm = realm(
        r#"{"id": "1", "realm": "acme", "defaultRole": {"name": "default-roles-acme"}, "clients": null, "groups": null,
            "roles": {"realm": [{"name": "default-roles-acme", "composites": {"realm": ["x"]}}], "client": {"account": []}},
            "clientScopes": [
                {"name": "orders", "protocol": "openid-connect", "attributes": {"include.in.token.scope": "true"}},
                {"name": "roles", "attributes": {"include.in.token.scope": "false"}},
                {"name": "tenant", "attributes": {"is.dynamic.scope": "true"}},
                {"name": "bare"}
            ]}"#,
        None,
    );
    assert_eq!(realm.realm_roles.len(), 1);
    assert!(realm.client_roles["account"].is_empty(), "what was removed is gone");
    for (scope, expected) in [
        ("orders", Some(Scope::Named)),
        ("orders:x", None),
        ("bare", Some(Scope::Named)),
        ("tenant:7", Some(Scope::Parameterized)),
        ("roles", Some(Scope::NotInToken)),
        ("openid", Some(Scope::Named)),
        ("email", None),
    ] {
        assert_eq!(realm.scope(scope), expected, "{scope}");
    }
    assert_eq!(
        said(&realm, r#"scope("roles")"#),
        "the scope `roles` is not in any token\n\
         help: switch on `Include in token scope` of the client scope (`include.in.token.scope`), or ask for something else"
    );
}

#[test]
fn messages_say_what_is_meant_or_where_it_is() {
    let realm = realm(ACME, None);
    for (policy, expected) in [
        (
            r#"realm_role("orders:read")"#,
            "`orders:read` is a role of client `orders-api`, not a realm role\n\
             help: write `client_role(\"orders-api\", \"orders:read\")`",
        ),
        (
            r#"realm_roles = "orders:read""#,
            "`orders:read` is a role of client `orders-api`, not a realm role\n\
             help: write `client_roles(\"orders-api\" = \"orders:read\")`",
        ),
        (
            r#"roles = "clrek""#,
            "the realm `Acme` has no role `clrek`\nhelp: did you mean `clerk`?",
        ),
        (
            r#"realm_role("order:read")"#,
            "the realm `Acme` has no realm role `order:read`\n\
             help: did you mean `orders:read`, a role of client `orders-api`? write `client_role(\"orders-api\", \"orders:read\")`",
        ),
        (
            r#"client_role("order-api", "nonsense")"#,
            "the realm `Acme` has no client `order-api`\nhelp: did you mean `orders-api`?",
        ),
        (
            r#"client_roles("orders-api" = "clerk")"#,
            "`clerk` is a realm role, not one of client `orders-api`\nhelp: write `realm_roles = \"clerk\"`",
        ),
        (
            r#"client_role("orders-api", "zzzzzz")"#,
            "the client `orders-api` has no role `zzzzzz`\nhelp: there is `orders:read`",
        ),
        (
            r#"client_role("orders-web", "zzzzzzzzzzz")"#,
            "the client `orders-web` has no role `zzzzzzzzzzz`\nhelp: there is `uma_protection`",
        ),
        (
            r#"client_role("admin-cli", "zzzzzz")"#,
            "the client `admin-cli` has no role `zzzzzz`\nhelp: there is none at all",
        ),
        (
            r#"group("oncall")"#,
            "the realm `Acme` has no group `/oncall`\nhelp: did you mean `/ops/oncall`?",
        ),
        (
            r#"group_tree("/Ops")"#,
            "the realm `Acme` has no group `/Ops`\nhelp: did you mean `/ops`?",
        ),
        (
            r#"groups = "clerk""#,
            "`clerk` is a realm role, not a group\nhelp: write `realm_roles = \"clerk\"`",
        ),
        (
            r#"role("ops")"#,
            "`ops` is a group, not a role\nhelp: write `group(\"/ops\")`",
        ),
        (
            r#"scope("emial")"#,
            "the realm `Acme` has no scope `emial`\nhelp: did you mean `email`?",
        ),
    ] {
        assert_eq!(said(&realm, policy), expected, "{policy}");
    }
}

#[test]
fn a_role_is_one_of_the_client_that_the_service_is() {
    let realm = realm(ACME, Some("orders-api"));
    assert_eq!(said(&realm, r#"roles = ["clerk", "orders:read"]"#), "");
    assert_eq!(
        said(&realm, r#"role("admin")"#),
        "`admin` is a role of client `billing-api`, neither a realm role nor a role of client `orders-api`\n\
         help: write `client_role(\"billing-api\", \"admin\")`"
    );
}

#[test]
fn the_realm_of_an_array_is_the_one_that_is_not_master() {
    let parse = |json: &str, wanted| export::parse(json.as_bytes(), "realm.json", wanted).map(|realm| realm.realm);
    let all = r#"[{"realm": "master"}, {"realm": "acme"}]"#;
    assert_eq!(parse(all, None).as_deref(), Ok("acme"));
    assert_eq!(parse(all, Some("master")).as_deref(), Ok("master"));
    assert_eq!(
        parse("\u{feff} [{\"realm\": \"master\"}]", None).as_deref(),
        Ok("master")
    );
    for (json, wanted, message) in [
        (all, Some("other"), "does not have the realm `other`"),
        (r#"[{"realm": "a"}, {"realm": "b"}]"#, None, "has several realms"),
        ("[]", None, "has no realm"),
        ("{}", None, "is not a realm file: a realm needs a name"),
        ("", None, "is not a realm file: EOF"),
        ("7", None, "is not a realm file: invalid type"),
        (
            r#"{"realm": "a", "roles": 7}"#,
            None,
            "is not a realm file: invalid type",
        ),
        (r#"{"realm": "a","#, None, "is not a realm file: EOF"),
    ] {
        let problem = parse(json, wanted).expect_err(json);
        assert!(problem.message.contains(message), "{json}: {problem:?}");
    }
}

/// The same files as for the embedded realm and the access matrix.
#[test]
fn the_realm_is_the_one_that_the_runtime_takes() {
    #[derive(serde::Deserialize)]
    struct Reading {
        file: String,
        realm: Option<String>,
        problem: Option<String>,
    }
    let readings = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/realm/readings.json");
    let readings = fs::read(readings).expect("the tests are beside");
    let readings: Vec<Reading> = serde_json::from_slice(&readings).expect("readings");
    assert!(!readings.is_empty());
    for Reading { file, realm, problem } in readings {
        match export::parse(file.as_bytes(), "realm.json", None) {
            Ok(read) => assert_eq!((Some(read.realm), None), (realm, problem), "{file}"),
            Err(unusable) => {
                let problem = problem.unwrap_or_else(|| panic!("{file}: {unusable:?}"));
                assert!(unusable.message.contains(&problem), "{file}: {unusable:?}");
            }
        }
    }
}

#[test]
fn a_slash_in_the_name_of_a_group_is_no_separator() {
    let realm = realm(r#"{"realm": "acme", "groups": [{"name": "a/b"}]}"#, None);
    assert_eq!(said(&realm, r#"groups = "/a~/b""#), "");
    assert_ne!(said(&realm, r#"groups = "/a/b""#), "");
}

#[test]
fn a_name_with_a_separator_is_one_name_when_the_realm_has_it() {
    let realm = realm(
        r#"{"realm": "acme", "roles": {"realm": [{"name": "sales, europe"}, {"name": "Team Lead"}]}, "groups": [{"name": "a,b"}]}"#,
        None,
    );
    for policy in [
        r#"roles = "sales, europe""#,
        r#"roles = "Team Lead""#,
        r#"not(realm_role("sales, europe"))"#,
        r#"any(group("/a,b"), group_tree("/a,b"))"#,
    ] {
        assert_eq!(said(&realm, policy), "", "{policy}");
    }
    let several = said(&realm, r#"roles = "sales,europe""#);
    assert!(
        several.starts_with("`sales,europe` reads as several roles in one string"),
        "{several}"
    );
    let missing = said(&realm, r#"roles = ["sales,europe"]"#);
    assert!(
        missing.starts_with("the realm `acme` has no role `sales,europe`"),
        "{missing}"
    );
}

#[test]
fn nothing_is_checked_unless_it_is_asked_for() {
    for manifest in [
        "[package]\nname = \"a\"",
        "[package.metadata]\nother = 1",
        "[package.metadata.keycloak]\nrealm = false",
        "[package.metadata.keycloak]",
    ] {
        let package = package(&[("Cargo.toml", manifest), ("realm.json", ACME)]);
        let check = told(package.path(), None);
        assert!(check.realm.is_none() && check.problem.is_none(), "{manifest}");
        assert!(check.dependencies.to_string().contains("Cargo.toml"), "{manifest}");
        assert!(told(package.path(), Some("realm.json")).realm.is_some(), "{manifest}");
    }
}

#[test]
fn the_package_comes_before_the_workspace_and_the_variable_before_both() {
    let other = ACME.replace("Acme", "other");
    let workspace = package(&[
        (
            "Cargo.toml",
            "[workspace]\n[workspace.metadata.keycloak]\nrealm = \"realms/acme.json\"\nclient = \"orders-api\"",
        ),
        ("realms/acme.json", ACME),
        ("a/Cargo.toml", "[package]\nname = \"a\""),
        ("b/Cargo.toml", "[package.metadata.keycloak]\nrealm = \"other.json\""),
        ("b/other.json", &other),
        ("c/Cargo.toml", "[package.metadata.keycloak]\nrealm = false"),
        ("d/Cargo.toml", "[workspace]\n[package]\nname = \"a\""),
    ]);
    let of = |package: &str, variable| {
        let check = told(&workspace.path().join(package), variable);
        assert_eq!(check.problem, None, "{package}");
        check.realm.map(|realm| (realm.name.clone(), realm.own_client.clone()))
    };
    let orders_api = Some("orders-api".to_owned());
    assert_eq!(of("a", None), Some(("Acme".to_owned(), orders_api.clone())));
    assert_eq!(of("b", None), Some(("other".to_owned(), orders_api.clone())));
    assert_eq!(of("c", None), None);
    assert_eq!(of("d", None), None, "a workspace of its own");
    assert_eq!(of("a", Some("../b/other.json")), Some(("other".to_owned(), orders_api)));
    assert_eq!(of("a", Some("")), None);
    let settings = Settings::read(&workspace.path().join("a"), None);
    assert_eq!(
        settings.manifests,
        [
            workspace.path().join("a/Cargo.toml"),
            workspace.path().join("Cargo.toml")
        ]
    );
}

#[test]
fn a_file_that_is_not_there_names_what_said_so() {
    let package = package(&[("Cargo.toml", "[package.metadata.keycloak]\nrealm = \"missing.json\"\n")]);
    let problem = |variable: Option<&str>| {
        told(package.path(), variable)
            .problem
            .expect("there is no such file")
            .help
    };
    let folder = package.path().display();
    for (variable, expected) in [
        (
            None,
            format!(
                "it is looked for at `{folder}/missing.json`, as `realm` in the table `metadata.keycloak` of Cargo.toml says"
            ),
        ),
        (
            Some("realms/acme.json"),
            format!(
                "it is looked for at `{folder}/realms/acme.json`, as the environment variable `KEYCLOAK_REALM_FILE` says, which is \
                 relative to the folder of the package: make it absolute"
            ),
        ),
        (
            Some("/no/such/realm.json"),
            "the environment variable `KEYCLOAK_REALM_FILE` says that it is there".to_owned(),
        ),
    ] {
        assert_eq!(problem(variable), expected);
    }
}

#[test]
fn what_keeps_the_file_from_being_used_is_said() {
    const IT_LOOKS_LIKE_THIS: &str =
        "it looks like this: `[package.metadata.keycloak]`, and in the next line `realm = \"realm.json\"`";
    for (keys, expected, help) in [
        (
            "realm = \"missing.json\"",
            "cannot read the realm file `missing.json`: ",
            "it is looked for at `{package}/missing.json`, as `realm` in the table `metadata.keycloak` of Cargo.toml says",
        ),
        (
            "realm = \"folder\"",
            "cannot read the realm file `folder`: ",
            "it is a folder; name the file of the realm in it, such as `acme-realm.json` of `kc.sh export --dir`",
        ),
        (
            "realm = \"broken.json\"",
            "`broken.json` is not a realm file: expected ",
            "export the realm by `kc.sh export --realm … --file …`, or correct the JSON",
        ),
        (
            "realm = \"nameless.json\"",
            "`nameless.json` is not a realm file: a realm needs a name",
            "export the realm by `kc.sh export --realm … --file …`, or write `{\"realm\": \"…\", \"roles\": …}`; the embedded realm and the access matrix need one, too",
        ),
        (
            "realm = \"two.json\"",
            "`two.json` has several realms",
            "say which by `realm-name = \"…\"` in the table `metadata.keycloak` of Cargo.toml",
        ),
        (
            "realm = \"none.json\"",
            "`none.json` has no realm",
            "export the realm by `kc.sh export --realm … --file …`",
        ),
        (
            "realm = true",
            "`realm = true` in the table `metadata.keycloak` of Cargo.toml does not say which file",
            "write `realm = \"realm.json\"`, or `realm = false` to check nothing",
        ),
        (
            "realm = 7",
            "cannot read the table `metadata.keycloak` of Cargo.toml: the path of the realm file, or `false`",
            IT_LOOKS_LIKE_THIS,
        ),
        (
            "realm = ",
            "cannot read the table `metadata.keycloak` of Cargo.toml: ",
            IT_LOOKS_LIKE_THIS,
        ),
        (
            "relam = \"acme.json\"",
            "unknown key `relam` in the table `metadata.keycloak` of Cargo.toml",
            "did you mean `realm`?",
        ),
        (
            "password = 7",
            "unknown key `password` in the table `metadata.keycloak` of Cargo.toml",
            "its keys are `client`, `realm`, `realm-name`",
        ),
        (
            "realm = \"acme.json\"\nclient = \"nobody\"",
            "the realm `Acme` has no client `nobody`",
            "`client` in the table `metadata.keycloak` of Cargo.toml is the `client_id` of the service",
        ),
        (
            "realm = \"acme.json\"\nrealm-name = \"other\"",
            "`acme.json` does not have the realm `other`",
            "`realm-name` in the table `metadata.keycloak` of Cargo.toml names a realm of the file",
        ),
    ] {
        let manifest = format!("[package.metadata.keycloak]\n{keys}\n");
        let package = package(&[
            ("Cargo.toml", &manifest),
            ("acme.json", ACME),
            ("broken.json", "{\"realm\": acme}"),
            ("nameless.json", "{\"roles\": {}}"),
            ("two.json", "[{\"realm\": \"a\"}, {\"realm\": \"b\"}]"),
            ("none.json", "[]"),
            ("folder/acme-realm.json", ACME),
        ]);
        let Problem { message, help: said } = told(package.path(), None).problem.expect("a problem");
        assert!(message.starts_with(expected), "{keys}: {message}");
        let folder = package.path().display().to_string();
        assert_eq!(said, help.replace("{package}", &folder), "{keys}");
    }
}

#[test]
fn the_first_to_ask_is_told_of_problem_and_files_and_nobody_else() {
    let package = package(&[
        ("Cargo.toml", "[package.metadata.keycloak]\nrealm = \"realm.json\""),
        ("realm.json", "{"),
    ]);
    let mut loaded = Loaded::load(package.path(), None);
    let first = loaded.tell();
    let dependencies = first.dependencies.to_string();
    assert!(first.problem.is_some());
    for part in ["Cargo.toml", "realm.json", "KEYCLOAK_REALM_FILE"] {
        assert!(dependencies.contains(part), "{dependencies}");
    }
    let second = loaded.tell();
    assert!(second.problem.is_none() && second.dependencies.is_empty());

    assert!(loaded.is_current());
    fs::write(package.path().join("realm.json"), ACME).expect("a file");
    assert!(!loaded.is_current());
    assert!(told(package.path(), None).realm.is_some());
    let realm_file = package.path().join("realm.json");
    fs::remove_file(&realm_file).expect("it is there");
    assert!(
        !told(package.path(), None)
            .dependencies
            .to_string()
            .contains("realm.json"),
        "rustc would report it again"
    );
}

#[test]
fn only_what_is_read_is_parsed() {
    let kept = |json: &str| essence::essence(json.as_bytes()).map(|kept| String::from_utf8(kept).expect("text"));
    for (json, expected) in [
        (
            r#" { "users" : [{"username":"a]\"}{"}], "realm" : "a\"b" , "x":-1.5e3,"y":null, "clients":[ {"clientId":"c","secret":"s"} , {}] } "#,
            r#"{"realm":"a\"b","clients":[{"clientId":"c"},{}]}"#,
        ),
        (
            r#"{"roles":{"client":{"users":[{"name":"r","id":"1"}]},"realm":null,"users":[]}}"#,
            r#"{"roles":{"client":{"users":[{"name":"r"}]},"realm":null}}"#,
        ),
        (
            r#"{"groups":[{"name":"a","subGroups":[{"id":"1","name":"b","subGroups":[]}]}]}"#,
            r#"{"groups":[{"name":"a","subGroups":[{"name":"b","subGroups":[]}]}]}"#,
        ),
        (
            r#"[ {"realm":"a","users":{}}, {"realm":"b"} ]"#,
            r#"[{"realm":"a"},{"realm":"b"}]"#,
        ),
        ("[]", "[]"),
    ] {
        assert_eq!(kept(json).as_deref(), Some(expected), "{json}");
    }
    for broken in [
        "",
        "{",
        "{]",
        "{\"realm\"}",
        "{\"realm\":}",
        "[{},]",
        "{} {}",
        "{\"users\":[}",
        "{\"a\":\"",
        "{\"a\" 1}",
    ] {
        assert_eq!(kept(broken), None, "{broken}");
    }
}

/// A megabyte, mostly users and clients with their mappers: within the time that nobody notices. Measured unoptimized, as
/// cargo builds macros; the limit leaves room for a busy machine.
#[test]
fn a_large_export_is_read_quickly() {
    let user = |number: usize| {
        format!(
            r#"{{"id":"{number:08}-0000-4000-8000-000000000000","username":"user{number}","enabled":true,"emailVerified":true,
               "email":"user{number}@acme.test","credentials":[{{"type":"password","secretData":"{{\"value\":\"{number:040}\"}}"}}],
               "realmRoles":["clerk"],"groups":["/ops/oncall"],"attributes":{{"locale":["de"]}}}}"#
        )
    };
    let users: Vec<_> = (0..3300).map(user).collect();
    let json = ACME.replacen(
        '{',
        &format!("{{\"defaultRole\":{{}},\"users\":[{}],", users.join(",")),
        1,
    );
    assert!(json.len() > 1_000_000, "{}", json.len());
    let fastest = (0..5)
        .map(|_| {
            let start = Instant::now();
            assert_eq!(realm(&json, None).groups.len(), 3);
            start.elapsed()
        })
        .min()
        .expect("five times");
    println!("{} bytes in {fastest:?}", json.len());
    assert!(fastest.as_millis() < 75, "{fastest:?}");
}

/// What the runtime's embedded realm creates, measured at a real Keycloak, is what names are looked up in here.
#[test]
fn the_built_in_names_are_those_of_the_embedded_realm() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../keycloak-auth/src/dev/file/built_in.json"
    );
    let file: serde_json::Value =
        serde_json::from_slice(&fs::read(file).expect("the runtime is beside")).expect("JSON");
    let names = |list: &serde_json::Value, name: &str| -> Vec<String> {
        let list = list.as_array().into_iter().flatten();
        let mut names: Vec<_> = list
            .filter_map(|entry| entry[name].as_str().map(str::to_owned))
            .collect();
        names.sort();
        names
    };
    let oidc: Vec<_> = file["clientScopes"].as_array().into_iter().flatten().cloned().collect();
    let oidc = oidc.into_iter().filter(|scope| scope["protocol"] != "saml").collect();
    assert_eq!(names(&oidc, "name"), built_in::SCOPES);
    let clients: Vec<_> = built_in::CLIENTS.iter().map(|(client, _)| *client).collect();
    assert_eq!(names(&file["clients"], "clientId"), clients);
    for (client, roles) in built_in::CLIENTS {
        assert_eq!(names(&file["roles"]["client"][client], "name"), *roles, "{client}");
    }
}
