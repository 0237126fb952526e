//! What is in the tokens, and what is not.

use std::{collections::BTreeSet, sync::Arc};

use anyhow::{Context as _, Result};
use keycloak_auth_tests::{Browser, Keycloak, SigningKey, claims_of, header_of, now, suite};
use serde_json::{Value, json};

use super::{alice, names, strings, words};

pub(super) fn tests() -> Vec<suite::Test> {
    vec![
        suite::test("facts::access_tokens_name_their_key_and_are_typed", access_tokens),
        suite::test("facts::what_is_absent_is_not_empty", absent_not_empty),
        suite::test("facts::composite_roles_are_expanded", composite_roles),
        suite::test(
            "facts::a_slash_in_the_name_of_a_group_looks_like_a_group_below",
            a_slash_in_a_group,
        ),
        suite::test("facts::an_audience_is_one_string_or_an_array", audiences),
        suite::test(
            "facts::only_the_login_page_tells_the_time_of_the_login",
            the_time_of_the_login,
        ),
        suite::test("facts::a_service_account_has_no_session", a_service_account),
        suite::test(
            "facts::a_lightweight_token_has_neither_subject_nor_roles",
            a_lightweight_token,
        ),
        suite::test(
            "facts::the_id_of_a_token_says_whether_it_is_lightweight",
            the_kind_in_the_id,
        ),
        suite::test(
            "facts::a_lightweight_token_may_have_any_claim_and_says_what_it_is",
            lightweight_claims,
        ),
        suite::test(
            "facts::a_lightweight_token_may_leave_its_audience_to_introspection",
            a_lightweight_audience,
        ),
        suite::test(
            "facts::a_refresh_token_is_signed_by_a_key_that_is_not_published",
            a_refresh_token,
        ),
        suite::test("facts::an_id_token_differs_in_type_and_audience_alone", an_id_token),
        suite::test(
            "facts::a_bound_token_is_typed_and_carries_the_thumbprint",
            a_bound_token,
        ),
        suite::test("facts::an_exchanged_token_has_no_audience", an_exchanged_token),
    ]
}

async fn access_tokens(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let token = alice(realm).await?.access;
    let header = header_of(&token);
    assert_eq!(names(&header), BTreeSet::from(["alg", "kid", "typ"]));
    assert_eq!((&header["alg"], &header["typ"]), (&json!("RS256"), &json!("JWT")));
    let set = realm.key_set().await?;
    let keys = set["keys"].as_array().context("a key set has keys")?;
    assert!(
        keys.iter()
            .any(|key| key["kid"] == header["kid"] && key["use"] == "sig")
    );
    let claims = claims_of(&token);
    assert_eq!(claims["iss"], json!(realm.issuer()));
    assert_eq!(
        (&claims["typ"], &claims["azp"]),
        (&json!("Bearer"), &json!("orders-web"))
    );
    assert_eq!(words(&claims["scope"]), BTreeSet::from(["email", "openid", "profile"]));
    assert_eq!(claims["acr"], "1");
    let time = |name: &str| claims[name].as_u64().unwrap_or_default();
    assert_eq!(time("exp") - time("iat"), 300);
    assert!(time("iat").abs_diff(now()) < 60);
    Ok(())
}

async fn absent_not_empty(keycloak: Arc<Keycloak>) -> Result<()> {
    let claims = claims_of(&keycloak.realm().login("orders-web", "dave").await?.access);
    let absent = ["realm_access", "resource_access", "groups", "cnf", "nbf"];
    assert!(absent.iter().all(|name| !names(&claims).contains(name)), "{claims}");
    Ok(())
}

async fn composite_roles(keycloak: Arc<Keycloak>) -> Result<()> {
    let claims = claims_of(&keycloak.realm().login("orders-web", "bob").await?.access);
    assert_eq!(
        strings(&claims["realm_access"]["roles"]),
        BTreeSet::from(["clerk", "staff"])
    );
    assert_eq!(
        claims["resource_access"],
        json!({ "orders-api": { "roles": ["orders:read"] } })
    );
    assert_eq!(claims["groups"], json!(["/ops/oncall"]));
    Ok(())
}

async fn a_slash_in_a_group(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm_of_its_own("slashes").await?;
    let path = format!("realms/{}/groups", realm.name());
    for name in ["ops/x", "ops~/y"] {
        let group = realm.admin().create(&path, &json!({ "name": name })).await?;
        realm.admin().join_group(realm.name(), "dave", &group).await?;
    }
    let claims = claims_of(&realm.login("orders-web", "dave").await?.access);
    assert_eq!(strings(&claims["groups"]), BTreeSet::from(["/ops/x", "/ops~/y"]));
    Ok(())
}

async fn audiences(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let alice = claims_of(&realm.login("orders-web", "alice").await?.access);
    assert_eq!(alice["aud"], "orders-api");
    // A role of a client, which comes from a group or directly, puts the client into the audience.
    let carol = claims_of(&realm.login("orders-web", "carol").await?.access);
    assert_eq!(strings(&carol["aud"]), BTreeSet::from(["billing-api", "orders-api"]));
    assert_eq!(strings(&carol["realm_access"]["roles"]), BTreeSet::from(["auditor"]));
    assert_eq!(
        carol["resource_access"],
        json!({ "billing-api": { "roles": ["admin"] } })
    );
    Ok(())
}

async fn the_time_of_the_login(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let mut browser = Browser::default();
    let fresh = claims_of(&browser.login(realm, "orders-web", "alice").await?.access);
    let login = fresh["auth_time"].as_u64().context("no `auth_time`")?;
    assert!(login.abs_diff(now()) < 60, "{fresh}");
    let remembered = claims_of(&browser.login(realm, "orders-web", "alice").await?.access);
    assert_eq!(remembered["auth_time"], fresh["auth_time"]);
    assert_eq!((&fresh["acr"], &remembered["acr"]), (&json!("1"), &json!("0")));
    let password = claims_of(&realm.login("orders-web", "alice").await?.access);
    assert!(!names(&password).contains("auth_time"), "{password}");
    Ok(())
}

async fn a_service_account(keycloak: Arc<Keycloak>) -> Result<()> {
    let tokens = keycloak
        .realm()
        .grant("orders-worker")
        .client_credentials()
        .send()
        .await?;
    let claims = claims_of(&tokens.access);
    assert_eq!(claims["preferred_username"], "service-account-orders-worker");
    assert_eq!(
        (&claims["typ"], &claims["azp"]),
        (&json!("Bearer"), &json!("orders-worker"))
    );
    assert!(claims["sub"].is_string());
    assert!(
        ["sid", "email", "groups"]
            .iter()
            .all(|name| !names(&claims).contains(name)),
        "{claims}"
    );
    assert_eq!(tokens.refresh, None);
    Ok(())
}

async fn a_lightweight_token(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let token = realm.login("orders-light", "alice").await?.access;
    let expected = ["aud", "azp", "exp", "iat", "iss", "jti", "scope", "sid", "typ"];
    assert_eq!(names(&claims_of(&token)), BTreeSet::from(expected));
    let answer = realm.introspect("orders-api", &token).await?;
    assert_eq!(answer["preferred_username"], "alice");
    assert_eq!(strings(&answer["realm_access"]["roles"]), BTreeSet::from(["admin"]));
    Ok(())
}

async fn the_kind_in_the_id(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let kind = |token: &str| {
        let id = claims_of(token)["jti"].to_string();
        let context = id.trim_matches('"').split(':').next().unwrap_or_default().to_owned();
        assert_eq!(context.len(), 6, "{id}");
        context[2..4].to_owned()
    };
    let light = realm.login("orders-light", "alice").await?;
    let full = realm.login("orders-web", "alice").await?;
    for (client, tokens, expected) in [("orders-light", light, "lt"), ("orders-web", full.clone(), "rt")] {
        assert_eq!(kind(&tokens.access), expected);
        let refresh = tokens.refresh.context("no refresh token")?;
        let refreshed = realm.grant(client).refresh(&refresh).send().await?;
        assert_eq!(kind(&refreshed.access), expected);
    }
    let own = realm.grant("orders-worker").client_credentials().send().await?;
    let exchanged = realm.grant("orders-api").exchange(&full.access).send().await?;
    // Dave has no role at all.
    let dave = realm.login("orders-web", "dave").await?;
    for tokens in [own, exchanged, dave] {
        assert_eq!(kind(&tokens.access), "rt");
    }
    Ok(())
}

async fn a_lightweight_audience(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm_of_its_own("light-audience").await?;
    realm
        .admin()
        .create(&format!("realms/{}/clients", realm.name()), &light_client("lighter"))
        .await?;
    let token = realm.login("lighter", "alice").await?.access;
    assert!(!names(&claims_of(&token)).contains("aud"));
    let answer = realm.introspect("orders-api", &token).await?;
    assert_eq!(
        (&answer["active"], &answer["aud"]),
        (&json!(true), &json!("orders-api"))
    );
    let own = claims_of(&token);
    for claim in ["iss", "azp", "jti", "exp"] {
        assert_eq!(answer[claim], own[claim], "{claim}");
    }
    Ok(())
}

async fn lightweight_claims(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm_of_its_own("light-claims").await?;
    let mapper = |name: &str, kind: &str, config: Value| {
        let mut mapper =
            json!({ "name": name, "protocol": "openid-connect", "protocolMapper": kind, "config": config });
        mapper["config"]["access.token.claim"] = json!("true");
        mapper["config"]["lightweight.claim"] = json!("true");
        mapper
    };
    let mut client = light_client("less-light");
    client["protocolMappers"] = json!([
        mapper("subject", "oidc-sub-mapper", json!({})),
        mapper(
            "roles of one client",
            "oidc-usermodel-client-role-mapper",
            json!({
                "usermodel.clientRoleMapping.clientId": "billing-api",
                "claim.name": "resource_access.${client_id}.roles",
                "jsonType.label": "String",
                "multivalued": "true",
            }),
        ),
    ]);
    let path = format!("realms/{}/clients", realm.name());
    realm.admin().create(&path, &client).await?;
    let claims = claims_of(&realm.login("less-light", "carol").await?.access);
    assert!(
        names(&claims).is_superset(&BTreeSet::from(["resource_access", "sub"])),
        "{claims}"
    );
    assert!(!names(&claims).contains("realm_access"), "{claims}");
    let id = claims["jti"].as_str().context("it has an id")?;
    assert!(id.starts_with("onltro:"), "{id}");
    Ok(())
}

/// A client of lightweight tokens whose audience mapper is not for those.
fn light_client(id: &str) -> Value {
    json!({
        "clientId": id,
        "publicClient": true,
        "directAccessGrantsEnabled": true,
        "attributes": { "client.use.lightweight.access.token.enabled": "true" },
        "protocolMappers": [{
            "name": "orders-api audience",
            "protocol": "openid-connect",
            "protocolMapper": "oidc-audience-mapper",
            "config": {
                "included.client.audience": "orders-api",
                "access.token.claim": "true",
                "introspection.token.claim": "true",
            },
        }],
    })
}

async fn a_refresh_token(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let tokens = alice(realm).await?;
    let refresh = tokens.refresh.context("no refresh token")?;
    let header = header_of(&refresh);
    assert_eq!(header["alg"], "HS512");
    let set = realm.key_set().await?;
    let keys = set["keys"].as_array().context("a key set has keys")?;
    assert!(header["kid"].is_string() && keys.iter().all(|key| key["kid"] != header["kid"]));
    let claims = claims_of(&refresh);
    assert_eq!(
        (&claims["typ"], &claims["aud"]),
        (&json!("Refresh"), &json!(realm.issuer()))
    );
    let renewed = realm.grant("orders-web").refresh(&refresh).send().await?;
    assert_ne!(renewed.refresh.as_deref(), Some(refresh.as_str()));
    Ok(())
}

async fn an_id_token(keycloak: Arc<Keycloak>) -> Result<()> {
    let tokens = alice(keycloak.realm()).await?;
    let id = tokens.id.context("no ID token")?;
    assert_eq!(header_of(&id), header_of(&tokens.access));
    let (id, access) = (claims_of(&id), claims_of(&tokens.access));
    assert_eq!((&id["typ"], &id["aud"]), (&json!("ID"), &json!("orders-web")));
    for same in ["iss", "sub", "azp", "sid", "exp"] {
        assert_eq!(id[same], access[same], "{same}");
    }
    Ok(())
}

async fn a_bound_token(keycloak: Arc<Keycloak>) -> Result<()> {
    let grant = || keycloak.realm().grant("orders-dpop").password("alice");
    let tokens = grant().dpop(&SigningKey::es256("proof")).send().await?;
    let claims = claims_of(&tokens.access);
    assert_eq!(claims["typ"], "DPoP");
    assert_eq!(claims["cnf"]["jkt"].as_str().map(str::len), Some(43), "{claims}");
    assert_eq!(tokens.answer["token_type"], "DPoP");
    let (status, answer) = grant().try_send().await?;
    assert_eq!((status, &answer["error"]), (400, &json!("invalid_request")), "{answer}");
    Ok(())
}

async fn an_exchanged_token(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let subject = realm.login("orders-web", "bob").await?.access;
    let exchanged = claims_of(&realm.grant("orders-api").exchange(&subject).send().await?.access);
    assert_eq!(
        (&exchanged["azp"], &exchanged["typ"]),
        (&json!("orders-api"), &json!("Bearer"))
    );
    assert_eq!(exchanged["sub"], claims_of(&subject)["sub"]);
    // Although Bob has a role there: a client's own tokens do not name that client.
    assert!(!names(&exchanged).contains("aud"), "{exchanged}");
    Ok(())
}
