//! Claims that the protocol mappers of `realm/variety.json` make, and the roles that a client may see.

use keycloak_auth_tests::claims_of;
use reqwest::Method;
use serde_json::json;

use super::{Client, Reply, client::steady};

#[tokio::test]
async fn every_kind_of_mapper_makes_its_claims() {
    let client = Client::variety().await;
    let claims = steady(client.claims("mapped", "erin", "").await);
    for (name, expected) in [
        ("tag", json!("x")),
        ("nested", json!({ "tags": ["x", "y", "a", "b"], "region": "eu" })),
        ("level", json!(7)),
        ("numbers", json!([1, 2])),
        ("flag", json!(true)),
        ("object", json!({ "deep": { "er": [1] } })),
        ("https://acme.test/tenant", json!("acme")),
        ("hard", json!({ "number": 42, "object": { "a": [1, true] } })),
        ("api_roles", json!(["api-manage"])),
        ("group_names", json!(["north"])),
        ("group_paths", json!(["north"])),
        ("login", json!("erin")),
        ("sub", json!("E-1")),
        ("scope", json!("profile email")),
        (
            "aud",
            json!(["account", "my.api", "narrow", "tools", "https://api.example.com"]),
        ),
    ] {
        assert_eq!(claims[name], expected, "{name}");
    }
    // A role that every token of the client has, one with another name, and one that went into a client.
    let roles = &claims["realm_access"]["roles"];
    let expected = json!([
        "chief",
        "default-roles-variety",
        "extra",
        "offline_access",
        "reader",
        "uma_authorization",
        "user"
    ]);
    assert_eq!(roles, &expected);
    assert_eq!(claims["resource_access"]["tools"], json!({ "roles": ["author"] }));
    assert_eq!(claims["prefixed"][0], "ROLE_chief");
}

#[tokio::test]
async fn values_without_the_type_of_the_mapper_make_no_claim() {
    let client = Client::variety().await;
    let claims = client.claims("mapped", "frank", "").await;
    assert_eq!(claims.get("level"), None);
    assert_eq!(claims["flag"], false);
    // The user's own value goes before that of a group.
    assert_eq!(claims["nested"]["region"], "own");
    assert_eq!(claims["group_names"], json!(["eu", "us"]));
}

#[tokio::test]
async fn mappers_serve_what_their_switches_say() {
    let client = Client::variety().await;
    let answer = client.password("mapped", "erin", "openid").await;
    let id_token = claims_of(answer["id_token"].as_str().unwrap());
    assert_eq!((&id_token["tag"], id_token.get("level")), (&json!("x"), None));
    let request = client.request(Method::GET, &client.endpoint("userinfo"));
    let userinfo = Reply::of(request.bearer_auth(answer["access_token"].as_str().unwrap()))
        .await
        .ok();
    assert_eq!(
        (userinfo.get("tag"), &userinfo["group_names"]),
        (None, &json!(["north"]))
    );
    assert_eq!((userinfo.get("acr"), userinfo.get("aud")), (None, None));
    let claims = client
        .introspect("my.api", "my.api-secret", &answer["access_token"])
        .await;
    assert_eq!(claims["hard"], json!({ "number": 42 }));
}

#[tokio::test]
async fn a_client_without_full_scope_sees_its_share_of_the_roles() {
    let client = Client::variety().await;
    let claims = client.claims("narrow", "erin", "").await;
    // Its own roles, and those of its scope with what they are composed of.
    assert_eq!(claims["realm_access"], json!({ "roles": ["reader"] }));
    assert_eq!(
        claims["resource_access"],
        json!({ "my.api": { "roles": ["manage", "use"] }, "narrow": { "roles": ["own"] } })
    );
}

#[tokio::test]
async fn a_client_has_the_scopes_that_it_names() {
    let client = Client::variety().await;
    let claims = client.claims("chosen", "frank", "email").await;
    assert_eq!(
        (&claims["scope"], &claims["email"]),
        (&json!("email"), &json!("frank@variety.test"))
    );
    assert_eq!((claims.get("name"), claims.get("acr")), (None, None));
}

#[tokio::test]
async fn a_file_with_client_scopes_has_only_those() {
    let json = json!({
        "realm": "trap",
        "clientScopes": [{ "name": "own", "protocol": "openid-connect" }],
        "clients": [{ "clientId": "web", "publicClient": true, "directAccessGrantsEnabled": true }],
        "roles": { "realm": [{ "name": "admin" }] },
        "users": [{
            "username": "ann",
            "enabled": true,
            "email": "ann@trap.test",
            "firstName": "Ann",
            "lastName": "Trapped",
            "credentials": [{ "type": "password", "value": "ann" }],
            "realmRoles": ["admin"],
        }],
    });
    let client = Client::serve(&json.to_string()).await;
    let claims = steady(client.claims("web", "ann", "").await);
    assert_eq!(claims, json!({ "typ": "Bearer", "azp": "web", "scope": "" }));
}
