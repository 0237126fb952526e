//! Facts about Keycloak that the runtime relies on, each asked of the server itself.

use std::{collections::BTreeSet, sync::Arc};

use anyhow::{Context as _, Result};
use keycloak_auth_tests::{
    Browser, KeyProvider, Keycloak, Realm, SigningKey, Tokens, claims_of, header_of, http_client, now, suite,
};
use serde_json::{Value, json};

pub fn tests() -> Vec<suite::Test> {
    vec![
        suite::test("facts::discovery_names_the_issuer_and_endpoints_below_it", discovery),
        suite::test(
            "facts::the_key_set_has_an_encryption_key_beside_the_signing_key",
            the_key_set,
        ),
        suite::test(
            "facts::a_new_key_signs_at_once_and_the_old_one_stays_published",
            a_new_key,
        ),
        suite::test("facts::access_tokens_name_their_key_and_are_typed", access_tokens),
        suite::test("facts::what_is_absent_is_not_empty", absent_not_empty),
        suite::test("facts::composite_roles_are_expanded", composite_roles),
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
            "facts::a_refresh_token_is_signed_by_a_key_that_is_not_published",
            a_refresh_token,
        ),
        suite::test("facts::an_id_token_differs_in_type_and_audience_alone", an_id_token),
        suite::test(
            "facts::a_bound_token_is_typed_and_carries_the_thumbprint",
            a_bound_token,
        ),
        suite::test("facts::an_exchanged_token_has_no_audience", an_exchanged_token),
        suite::test(
            "facts::introspection_adds_to_the_claims_and_changes_none",
            introspection,
        ),
        suite::test(
            "facts::introspection_answers_garbage_and_a_wrong_secret",
            introspection_of_garbage,
        ),
        suite::test(
            "facts::introspection_calls_id_and_refresh_tokens_inactive",
            introspection_of_other_tokens,
        ),
        suite::test(
            "facts::introspection_is_for_clients_in_the_audience_alone",
            introspection_by_a_stranger,
        ),
        suite::test("facts::two_realms_share_no_key", two_realms),
    ]
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

async fn discovery(keycloak: Arc<Keycloak>) -> Result<()> {
    let issuer = keycloak.realm().issuer();
    let url = format!("{issuer}/.well-known/openid-configuration");
    let document: Value = http_client().get(url).send().await?.json().await?;
    assert_eq!(document["issuer"], json!(issuer));
    for (member, path) in [
        ("jwks_uri", "certs"),
        ("introspection_endpoint", "token/introspect"),
        ("token_endpoint", "token"),
        ("authorization_endpoint", "auth"),
    ] {
        let expected = format!("{issuer}/protocol/openid-connect/{path}");
        assert_eq!(document[member], json!(expected), "{member}");
    }
    assert!(strings(&document["code_challenge_methods_supported"]).contains("S256"));
    Ok(())
}

async fn the_key_set(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let set = realm.key_set().await?;
    let keys = set["keys"].as_array().context("a key set has keys")?;
    let uses: BTreeSet<_> = keys
        .iter()
        .map(|key| (key["alg"].as_str(), key["use"].as_str()))
        .collect();
    assert_eq!(
        uses,
        BTreeSet::from([(Some("RS256"), Some("sig")), (Some("RSA-OAEP"), Some("enc"))])
    );
    let kids: BTreeSet<_> = keys.iter().map(|key| key["kid"].as_str()).collect();
    assert!(kids.len() == 2 && !kids.contains(&None), "{kids:?}");
    Ok(())
}

async fn a_new_key(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm_of_its_own("facts-keys").await?;
    let old = header_of(&alice(&realm).await?.access)["kid"].clone();
    realm
        .admin()
        .add_key_provider(realm.name(), KeyProvider::Rsa("RS256"), 200)
        .await?;
    realm
        .admin()
        .add_key_provider(realm.name(), KeyProvider::Eddsa, 200)
        .await?;
    realm
        .admin()
        .add_key_provider(realm.name(), KeyProvider::Ecdsa("ES256"), 200)
        .await?;
    let new = header_of(&alice(&realm).await?.access)["kid"].clone();
    assert_ne!(new, old);
    let set = realm.key_set().await?;
    let keys = set["keys"].as_array().context("a key set has keys")?;
    for kid in [&old, &new] {
        assert!(keys.iter().any(|key| key["kid"] == *kid), "{kid} in {set}");
    }
    let curves: BTreeSet<_> = keys
        .iter()
        .filter_map(|key| Some((key["alg"].as_str()?, key["crv"].as_str()?)))
        .collect();
    assert_eq!(curves, BTreeSet::from([("ES256", "P-256"), ("EdDSA", "Ed25519")]));
    Ok(())
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

async fn introspection(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    for user in ["alice", "bob", "carol", "dave"] {
        let token = realm.login("orders-web", user).await?.access;
        let mut answer = realm.introspect("orders-api", &token).await?;
        let added = answer.as_object_mut().context("a JSON object")?;
        assert_eq!(added.remove("active"), Some(json!(true)));
        assert_eq!(added.remove("client_id"), Some(json!("orders-web")));
        assert_eq!(added.remove("username"), Some(json!(user)));
        assert_eq!(added.remove("token_type"), Some(json!("Bearer")));
        assert_eq!(comparable(answer), comparable(claims_of(&token)));
    }
    Ok(())
}

/// Lists as sets: their order varies from token to token.
fn comparable(mut claims: Value) -> Value {
    let sort = |list: &mut Value| {
        if let Some(list) = list.as_array_mut() {
            list.sort_by_key(Value::to_string);
        }
    };
    for name in ["aud", "groups", "allowed-origins"] {
        sort(&mut claims[name]);
    }
    sort(&mut claims["realm_access"]["roles"]);
    if let Some(scope) = claims["scope"].as_str() {
        claims["scope"] = json!(words(&json!(scope)));
    }
    claims
}

async fn introspection_of_garbage(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let inactive = json!({ "active": false });
    assert_eq!(realm.introspect("orders-api", "garbage").await?, inactive);
    let url = format!("{}/protocol/openid-connect/token/introspect", realm.issuer());
    let token = realm.login("orders-web", "alice").await?.access;
    let form = [
        ("client_id", "orders-api"),
        ("client_secret", "wrong"),
        ("token", &token),
    ];
    let answer = http_client().post(url).form(&form).send().await?;
    assert_eq!(answer.status(), 401);
    let body: Value = answer.json().await?;
    assert_eq!(body["error"], "invalid_client");
    Ok(())
}

/// The runtime hands each token to the introspection endpoint as an access token, whatever it is.
async fn introspection_of_other_tokens(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let inactive = json!({ "active": false });
    let tokens = alice(realm).await?;
    for (kind, token) in [("ID", tokens.id), ("refresh", tokens.refresh)] {
        let token = token.with_context(|| format!("no {kind} token"))?;
        assert_eq!(realm.introspect("orders-api", &token).await?, inactive, "{kind}");
    }
    Ok(())
}

/// So a service that introspects must be in the audience, even where it does not check that itself.
async fn introspection_by_a_stranger(keycloak: Arc<Keycloak>) -> Result<()> {
    let realm = keycloak.realm();
    let inactive = json!({ "active": false });
    let token = realm.login("orders-web", "bob").await?.access;
    assert_eq!(realm.introspect("orders-api", &token).await?["active"], true);
    assert_eq!(realm.introspect("orders-worker", &token).await?, inactive);
    let exchanged = realm.grant("orders-api").exchange(&token).send().await?.access;
    assert_eq!(realm.introspect("orders-api", &exchanged).await?, inactive);
    Ok(())
}

async fn two_realms(keycloak: Arc<Keycloak>) -> Result<()> {
    let other = keycloak.realm_of_its_own("facts-other").await?;
    let kids = |set: Value| -> BTreeSet<String> {
        let keys = set["keys"].as_array().cloned().unwrap_or_default();
        keys.iter().map(|key| key["kid"].to_string()).collect()
    };
    let (own, others) = (kids(keycloak.realm().key_set().await?), kids(other.key_set().await?));
    assert!(own.len() == 2 && own.is_disjoint(&others), "{own:?} {others:?}");
    Ok(())
}
