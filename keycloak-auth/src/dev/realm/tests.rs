use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use super::*;

const ACME: &str = include_str!("../../../../examples/orders/realm.json");
const VARIETY: &str = include_str!("../../../../tests/realm/variety.json");

fn error(json: &str) -> String {
    DevRealm::from_json(json).expect_err(json).to_string()
}

fn warnings(json: &str) -> Vec<String> {
    let realm = DevRealm::from_json(json).expect(json);
    realm.warnings().iter().map(ToString::to_string).collect()
}

#[test]
fn names_the_member_that_cannot_be() {
    for (json, expected) in [
        (r#"{}"#, "realm: a realm needs a name"),
        (r#"{"realm": "a/b"}"#, "realm: the name cannot be part of an address"),
        (
            r#"{"realm": "a", "users": [{"username": "u"}, {"username": "U"}]}"#,
            "users[1].username: there are two users `u`",
        ),
        (
            r#"{"realm": "a", "users": [{"username": "u", "email": "x@y"}, {"username": "v", "email": "X@y"}]}"#,
            "users[1].email: there are two users with the e-mail address `x@y`",
        ),
        (
            r#"{"realm": "a", "users": [{"email": "x@y"}]}"#,
            "users[0].username: a user needs a name",
        ),
        (
            r#"{"realm": "a", "users": [{"username": "u", "realmRoles": ["r"]}]}"#,
            "users[0].realmRoles[0]: there is no realm role `r`",
        ),
        (
            r#"{"realm": "a", "clients": [{"clientId": "c"}], "users": [{"username": "u", "clientRoles": {"c": ["r"]}}]}"#,
            "users[0].clientRoles.c[0]: the client `c` has no role `r`",
        ),
        (
            r#"{"realm": "a", "users": [{"username": "u", "clientRoles": {"my.api": []}}]}"#,
            "users[0].clientRoles[\"my.api\"]: there is no client `my.api`",
        ),
        (
            r#"{"realm": "a", "groups": [{"name": "g"}], "users": [{"username": "u", "groups": ["/g", "/h"]}]}"#,
            "users[0].groups[1]: there is no group `/h`",
        ),
        (
            r#"{"realm": "a", "users": [{"username": "u", "groups": ["/g/h"]}]}"#,
            "users[0].groups[0]: there is no group `/g/h`: its parent group `/g` does not exist",
        ),
        (
            r#"{"realm": "a", "groups": [{"name": "h", "path": "/g/h"}]}"#,
            "groups[0].path: the parent group `/g` does not exist",
        ),
        (
            r#"{"realm": "a", "groups": [{"name": "g", "subGroups": [{"name": "h"}, {"name": "h"}]}]}"#,
            "groups[0].subGroups[1].name: there are two groups `/g/h`",
        ),
        (
            r#"{"realm": "a", "groups": [{"name": "g", "realmRoles": ["r"]}]}"#,
            "groups[0].realmRoles[0]: there is no realm role `r`",
        ),
        (
            r#"{"realm": "a", "roles": {"realm": [{"name": "r"}, {"name": "r"}]}}"#,
            "roles.realm[1].name: there are two roles `r`",
        ),
        (
            r#"{"realm": "a", "roles": {"realm": [{"name": "r", "composites": {"realm": ["s"]}}]}}"#,
            "roles.realm[0].composites.realm[0]: there is no realm role `s`",
        ),
        (
            r#"{"realm": "a", "roles": {"client": {"c": [{"name": "r"}]}}}"#,
            "roles.client.c: there is no client `c`",
        ),
        (
            r#"{"realm": "a", "clients": [{"clientId": "c"}, {"clientId": "c"}]}"#,
            "clients[1].clientId: there are two clients `c`",
        ),
        (
            r#"{"realm": "a", "clients": [{"clientId": "c", "defaultClientScopes": ["s"]}]}"#,
            "clients[0].defaultClientScopes[0]: there is no client scope `s`",
        ),
        (
            r#"{"realm": "a", "scopeMappings": [{"client": "c", "roles": ["r"]}]}"#,
            "scopeMappings[0].roles[0]: there is no realm role `r`",
        ),
        (
            r#"{"realm": "a", "clients": [{"clientId": "c", "protocolMappers": [
                {"name": "m", "protocolMapper": "oidc-audience-mapper"}]}]}"#,
            "clients[0].protocolMappers[0].config[\"included.client.audience\"]: an audience mapper needs this, or \
             `included.custom.audience`",
        ),
        (
            r#"{"realm": "a", "clientScopes": [{"name": "s", "protocolMappers": [
                {"name": "m", "protocolMapper": "oidc-group-membership-mapper", "config": {}}]}]}"#,
            "clientScopes[0].protocolMappers[0].config[\"claim.name\"]: the mapper `oidc-group-membership-mapper` needs this",
        ),
        (
            r#"{"realm": "a", "clients": [{"clientId": "c", "protocolMappers": [{"name": "m",
                "protocolMapper": "oidc-hardcoded-claim-mapper",
                "config": {"claim.name": "n", "claim.value": "x", "jsonType.label": "long"}}]}]}"#,
            "clients[0].protocolMappers[0].config[\"claim.value\"]: `x` does not have the type of `jsonType.label`",
        ),
        (
            r#"{"realm": "a", "clients": [{"clientId": "c", "protocolMappers": [{"name": "m",
                "protocolMapper": "oidc-hardcoded-role-mapper", "config": {"role": "c.r"}}]}]}"#,
            "clients[0].protocolMappers[0].config.role: there is no role `c.r`",
        ),
        (
            r#"{"realm": "a", "clients": [{"clientId": "c", "protocolMappers": [{"name": "m"}]}]}"#,
            "clients[0].protocolMappers[0].protocolMapper: a mapper needs its kind",
        ),
        (
            r#"{"realm": "a", "users": [{"username": "u", "credentials": [{"type": "password"}]}]}"#,
            "users[0].credentials[0]: a password needs a `value`, or `secretData` and `credentialData`",
        ),
        (
            r#"{"realm": "a", "users": [{"username": "u", "serviceAccountClientId": "c"}]}"#,
            "users[0].serviceAccountClientId: there is no client `c`",
        ),
    ] {
        assert_eq!(error(json), expected, "{json}");
    }
}

#[test]
fn names_what_it_cannot_do() {
    for (json, expected) in [
        (
            r#"{"realm": "a", "clients": [{"clientId": "c"}]}"#,
            "clients[0].secret: the secret is not in the file: this client cannot authenticate",
        ),
        (
            r#"{"realm": "a", "clients": [{"clientId": "c", "publicClient": true, "protocolMappers": [
                {"name": "m", "protocolMapper": "oidc-sha256-pairwise-sub-mapper"}]}]}"#,
            "clients[0].protocolMappers[0].protocolMapper: `oidc-sha256-pairwise-sub-mapper` is not supported: its claims \
             are missing",
        ),
        (
            r#"{"realm": "a", "clients": [{"clientId": "c", "publicClient": true, "consentRequired": true}]}"#,
            "clients[0].consentRequired: the user is not asked for consent",
        ),
        (
            r#"{"realm": "a", "identityProviders": [{"alias": "github"}]}"#,
            "identityProviders: logins by other providers are not offered",
        ),
        (
            r#"{"realm": "a", "users": [{"username": "u", "email": "x@y", "firstName": "X"}]}"#,
            "users[0]: Keycloak lets nobody in without `lastName`: the user cannot log in",
        ),
        (
            r#"{"realm": "a", "components": {"org.keycloak.keys.KeyProvider": [
                {"providerId": "eddsa-generated", "config": {"eddsaEllipticCurveKey": ["Ed448"]}}]}}"#,
            "components[\"org.keycloak.keys.KeyProvider\"][0]: `eddsa-generated` is not supported: this key is missing",
        ),
    ] {
        assert_eq!(warnings(json), [expected], "{json}");
    }
}

#[test]
fn warns_of_client_scopes_without_the_built_in_ones() {
    let warnings = warnings(r#"{"realm": "a", "clientScopes": [{"name": "s"}]}"#);
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(
        warnings[0].contains("without `basic` tokens come without `sub`"),
        "{warnings:?}"
    );
    assert!(warnings[1].contains("without `roles`"), "{warnings:?}");
}

#[test]
fn does_all_that_the_realm_of_the_tests_asks_for() {
    let realm = DevRealm::from_json(ACME).unwrap();
    assert_eq!(realm.name(), "acme");
    assert_eq!(realm.warnings(), []);
    let users: Vec<_> = realm.users().map(|user| (user.username(), user.password())).collect();
    let people = ["alice", "bob", "carol", "dave"];
    assert_eq!(users, people.map(|name| (name, Some(name))));
}

#[test]
fn expands_composites_and_takes_the_roles_of_groups_above() {
    let realm = DevRealm::from_json(VARIETY).unwrap();
    let model = &realm.model;
    let user = model.user(model.user_of_login("ERIN@variety.TEST").unwrap());
    let roles: Vec<_> = user.roles.iter().map(|role| model.role(*role)).collect();
    for expected in [
        (None, "chief"),
        (None, "writer"),
        (None, "reader"),
        (Some("my.api"), "use"),
        (Some("my.api"), "manage"),
        (Some("account"), "manage-account-links"),
    ] {
        assert!(roles.contains(&expected), "{expected:?} in {roles:?}");
    }
    assert!(!roles.contains(&(None, "extra")));
}

#[test]
fn a_subject_without_id_is_the_same_in_every_start() {
    let subject = || {
        let realm = DevRealm::from_json(r#"{"realm": "a", "users": [{"username": "u"}]}"#).unwrap();
        realm.model.users[0].id.clone()
    };
    assert_eq!(subject(), subject());
    assert_eq!(subject().len(), 36);
}

#[test]
fn names_the_file_that_cannot_be_read() {
    let error = DevRealm::from_file("no-such-realm.json").unwrap_err();
    assert_eq!(error.to_string(), "cannot read the realm file `no-such-realm.json`");
}

#[tokio::test]
async fn listens_on_loopback_only() {
    let realm = DevRealm::from_json(ACME).unwrap();
    for address in [
        SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
        SocketAddr::from(([192, 0, 2, 1], 0)),
    ] {
        let error = realm.clone().start_at(address).await.expect_err("refused");
        let expected = format!("a development realm listens on loopback only, not on `{address}`");
        assert_eq!(error.to_string(), expected);
    }
}
