//! Rows 18 to 21: what a caller has, and what only looks like it.

use keycloak_auth_tests::{Answer, Token};
use serde_json::json;

use crate::setup::{Setup, assert_a0, assert_a1, assert_a3};

/// Alice without any role and group.
fn nobody(setup: &Setup) -> Token {
    setup
        .issuer
        .token()
        .without("realm_access")
        .without("resource_access")
        .without("groups")
}

async fn ask(setup: &Setup, path: &str, token: &Token) -> Answer {
    setup.service.get_as(path, &token.sign(setup.issuer.key())).await
}

async fn expect_let_in(setup: &Setup, path: &str, token: &Token) {
    let answer = ask(setup, path, token).await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "let in"), "{path}");
}

async fn expect_a3(setup: &Setup, path: &str, token: &Token, code: &str, what: &str) {
    let answer = ask(setup, path, token).await;
    assert_a3(&answer, code, "", &format!("{path}: {what}"));
    for secret in ["uma_authorization", "view-profile", "/ops", "clerk", "alice"] {
        assert!(!answer.text().contains(secret), "{what}: the body tells `{secret}`");
    }
}

#[tokio::test]
async fn row_18_counts_no_role_of_another_client() {
    let setup = Setup::new().await;
    let of_client = |client: &str| nobody(&setup).claim("resource_access", json!({ client: { "roles": ["admin"] } }));
    let in_realm = nobody(&setup).claim("realm_access", json!({ "roles": ["admin"] }));
    let own = of_client("orders-api");
    expect_let_in(&setup, "/admin", &in_realm).await;
    expect_let_in(&setup, "/admin", &own).await;
    expect_let_in(&setup, "/realm-admin", &in_realm).await;
    expect_let_in(&setup, "/orders-admin", &own).await;
    // A realm role where a client role is asked, and the reverse.
    expect_a3(&setup, "/orders-admin", &in_realm, "missing_roles", "a realm role").await;
    expect_a3(&setup, "/realm-admin", &own, "missing_roles", "a client role").await;
    for client in [
        "billing-api",
        "realm-management",
        "account",
        "orders-web",
        "orders",
        "orders-api2",
        "orders-api ",
        "ORDERS-API",
        "",
        "*",
        "realm_access",
    ] {
        for path in ["/admin", "/realm-admin", "/orders-admin"] {
            expect_a3(&setup, path, &of_client(client), "missing_roles", client).await;
        }
    }
}

#[tokio::test]
async fn row_18_compares_role_names_exactly() {
    let setup = Setup::new().await;
    for role in [
        "Admin",
        "ADMIN",
        "administrator",
        "admi",
        "dmin",
        " admin",
        "admin ",
        "admin\0",
        "admin,clerk",
        "orders-api:admin",
        "orders-api.admin",
        "ROLE_admin",
        "/admin",
        "аdmin",
        "ａdmin",
        "admi\u{0301}n",
        "admin\u{200b}",
        "*",
        "",
    ] {
        let token = nobody(&setup)
            .claim("realm_access", json!({ "roles": ["clerk", role] }))
            .claim("resource_access", json!({ "orders-api": { "roles": [role] } }));
        for path in ["/admin", "/realm-admin", "/orders-admin"] {
            expect_a3(&setup, path, &token, "missing_roles", &format!("{role:?}")).await;
        }
    }
}

#[tokio::test]
async fn row_18_takes_roles_from_no_other_place() {
    let setup = Setup::new().await;
    for (name, value) in [
        ("roles", json!(["admin"])),
        ("role", json!("admin")),
        ("realm_roles", json!(["admin"])),
        ("realmRoles", json!(["admin"])),
        ("authorities", json!(["admin"])),
        ("scope", json!("admin")),
        ("groups", json!(["/admin", "admin"])),
        ("preferred_username", json!("admin")),
        ("realm_access.roles", json!(["admin"])),
        ("Realm_Access", json!({ "roles": ["admin"] })),
        (
            "authorization",
            json!({ "permissions": [{ "rsname": "admin", "scopes": ["admin"] }] }),
        ),
        ("realm_access", json!({ "Roles": ["admin"] })),
        ("realm_access", json!({ "roles": [] , "admin": true })),
        ("realm_access", json!({ "verify_caller": true })),
    ] {
        let token = nobody(&setup).claim(name, value.clone());
        for path in ["/admin", "/realm-admin", "/orders-admin"] {
            expect_a3(&setup, path, &token, "missing_roles", &format!("{name} {value}")).await;
        }
    }
}

#[tokio::test]
async fn row_18_lets_no_malformed_role_list_in() {
    let setup = Setup::new().await;
    for value in [
        json!("admin"),
        json!(["admin"]),
        json!({ "roles": "admin" }),
        json!({ "roles": { "admin": true } }),
        json!({ "roles": [["admin"]] }),
        json!({ "roles": [{ "name": "admin" }] }),
    ] {
        for (name, value) in [
            ("realm_access", value.clone()),
            ("resource_access", json!({ "orders-api": value })),
        ] {
            let token = nobody(&setup).claim(name, value.clone());
            for path in ["/admin", "/realm-admin", "/orders-admin"] {
                let answer = ask(&setup, path, &token).await;
                let what = format!("{path}: {name} {value}");
                if answer.status == 403 {
                    assert_a3(&answer, "missing_roles", "", &what);
                } else {
                    assert_a1(&answer, &["invalid_claims", "malformed_token"], &what);
                }
            }
        }
    }
}

#[tokio::test]
async fn row_19_compares_group_paths_whole() {
    let setup = Setup::new().await;
    let in_group = |path: &str| nobody(&setup).claim("groups", json!(["/finance", path]));
    expect_let_in(&setup, "/ops", &in_group("/ops")).await;
    for group in [
        "/ops/sub",
        "/ops/",
        "/evil/ops",
        "ops",
        "/Ops",
        "/OPS",
        "//ops",
        "/ops2",
        "/op",
        " /ops",
        "/ops ",
        "/ops\0",
        "/ops/../ops",
        "/./ops",
        "/ops,/finance",
        "/оps",
        "/",
        "",
        "*",
        "/*",
    ] {
        expect_a3(&setup, "/ops", &in_group(group), "missing_groups", group).await;
    }
    for value in [json!("/ops"), json!({ "/ops": true }), json!([["/ops"]]), json!(null)] {
        let answer = ask(&setup, "/ops", &nobody(&setup).claim("groups", value.clone())).await;
        let what = format!("groups {value}");
        if answer.status == 403 {
            assert_a3(&answer, "missing_groups", "", &what);
        } else {
            assert_a1(&answer, &["invalid_claims", "malformed_token"], &what);
        }
    }
}

#[tokio::test]
async fn row_19_a_tree_of_groups_ends_where_its_path_does() {
    let setup = Setup::new().await;
    let in_group = |path: &str| nobody(&setup).claim("groups", json!(["/finance", path]));
    for group in ["/ops", "/ops/sub", "/ops/sub/x"] {
        expect_let_in(&setup, "/ops-tree", &in_group(group)).await;
    }
    for group in [
        "/opsx",
        "/ops-x",
        "/ops~",
        "/ops~/x",
        "/OPS",
        "/Ops/x",
        "/ops /x",
        "/ops\0/x",
        "/ops\\x",
        "/ops%2Fx",
        "ops",
        "ops/x",
        "//ops/x",
        "/./ops/x",
        "/evil/ops/x",
        "/оps/x",
        "/op",
        "/",
        "",
        "/*",
    ] {
        expect_a3(&setup, "/ops-tree", &in_group(group), "missing_groups", group).await;
    }
}

#[tokio::test]
async fn row_18_and_19_names_the_missing_scope_and_no_other() {
    let setup = Setup::new().await;
    expect_let_in(&setup, "/email", &setup.issuer.token()).await;
    for scope in [
        "profile",
        "",
        "Email",
        "email2 e-mail",
        "emai l",
        "profile,email",
        "email\tprofile",
        "profile\u{a0}email",
    ] {
        let answer = ask(&setup, "/email", &setup.issuer.token().claim("scope", scope)).await;
        assert_a3(&answer, "missing_scopes", "email", &format!("scope {scope:?}"));
    }
    let answer = ask(&setup, "/email", &setup.issuer.token().without("scope")).await;
    assert_a3(&answer, "missing_scopes", "email", "without scope");
}

#[tokio::test]
async fn row_20_a_policy_without_requirements_still_authenticates() {
    let setup = Setup::new().await;
    expect_let_in(&setup, "/authenticated", &nobody(&setup)).await;
    let answer = setup.service.get("/authenticated").send().await;
    assert_a0(&answer, "no credentials");
    let attack = setup.issuer.token().claim("exp", 1);
    let answer = ask(&setup, "/authenticated", &attack).await;
    assert_a1(&answer, &["token_expired"], "an expired token");
}

#[tokio::test]
async fn row_20_an_optional_user_is_nobody_only_without_credentials() {
    let setup = Setup::new().await;
    let answer = setup.service.get("/optional").send().await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "nobody"));
    let answer = ask(&setup, "/optional", &setup.issuer.token()).await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "user alice"));
    let answer = ask(&setup, "/optional", &setup.issuer.token().claim("exp", 1)).await;
    assert_a1(&answer, &["token_expired"], "an expired token");
    // Where nobody asks who calls, a bad token is as good as none.
    let answer = ask(&setup, "/public", &setup.issuer.token().claim("exp", 1)).await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "let in"));
}

#[tokio::test]
async fn row_21_lightweight_tokens_pass_no_role() {
    let setup = Setup::new().await;
    let token = nobody(&setup)
        .without("sub")
        .without("acr")
        .without("allowed-origins")
        .without("email")
        .without("email_verified")
        .without("name")
        .without("given_name")
        .without("family_name")
        .without("preferred_username")
        .claim("jti", "onltro:7f3bd66c-4a7b-4f6a-9fd9-7b0d4f3c3f0e");
    expect_let_in(&setup, "/authenticated", &token).await;
    for path in ["/admin", "/realm-admin", "/orders-admin"] {
        expect_a3(&setup, path, &token, "missing_roles", "lightweight").await;
    }
    expect_a3(&setup, "/ops", &token, "missing_groups", "lightweight").await;
    let answer = ask(&setup, "/me", &token).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["subject"], json!(null));
    assert_eq!(answer.json()["realm_roles"], json!([]));
}
