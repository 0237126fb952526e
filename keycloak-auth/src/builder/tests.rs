use super::*;
use crate::Keycloak;

fn valid() -> KeycloakBuilder {
    Keycloak::builder()
        .server_url("https://id.example.com")
        .realm("acme")
        .client_id("orders-api")
        .audience("orders-api")
}

fn settings(builder: KeycloakBuilder) -> Vec<&'static str> {
    builder
        .build()
        .err()
        .map(|error| error.problems().iter().map(|problem| problem.setting).collect())
        .unwrap_or_default()
}

#[test]
fn the_four_settings_are_enough() {
    let keycloak = valid().build().expect("a valid configuration");
    assert_eq!(keycloak.issuer(), "https://id.example.com/realms/acme");
    assert!(
        Keycloak::builder()
            .server_url("https://id.example.com/auth/realms/acme")
            .client_id("c")
            .audience("a")
            .build()
            .is_ok()
    );
}

#[test]
fn reports_every_problem_at_once() {
    assert_eq!(
        settings(Keycloak::builder()),
        ["server_url", "realm", "client_id", "audience"]
    );
    let broken = Keycloak::builder()
        .server_url("id.example.com")
        .realm("acme")
        .client_id(" ")
        .audience("")
        .algorithms([])
        .leeway(Duration::from_secs(3600))
        .key_set_lifetime(Duration::ZERO)
        .jwks_uri("nonsense")
        .root_certificates("not PEM")
        .proxy("::")
        .openapi_scheme_name("my scheme");
    let error = broken.clone().build().expect_err("broken");
    let shown = error.to_string();
    for setting in [
        "server_url",
        "client_id",
        "audience",
        "algorithms",
        "leeway",
        "key_set_lifetime",
        "jwks_uri",
        "root_certificates",
        "proxy",
        "openapi_scheme_name",
    ] {
        assert!(
            settings(broken.clone()).contains(&setting),
            "{setting} is missing in: {shown}"
        );
        assert!(
            shown.contains(&format!("`{setting}`")),
            "{setting} is missing in: {shown}"
        );
    }
}

#[test]
fn one_problem_reads_as_one_line() {
    let error = valid().client_id("").build().expect_err("no client");
    assert_eq!(
        error.to_string(),
        "Keycloak is not configured correctly: `client_id` is missing: set it, as in `.client_id(\"orders-api\")`"
    );
}

#[test]
fn an_audience_is_mandatory_or_opted_out_of() {
    let builder = || {
        Keycloak::builder()
            .server_url("https://id.example.com")
            .realm("acme")
            .client_id("orders-api")
    };
    assert_eq!(settings(builder()), ["audience"]);
    assert!(builder().without_audience_check().build().is_ok());
    assert_eq!(
        settings(valid().without_audience_check()),
        ["audience"],
        "one contradicts the other"
    );
}

#[test]
fn endpoints_must_not_be_less_safe_than_the_server() {
    assert_eq!(settings(valid().jwks_uri("http://id.example.com/certs")), ["jwks_uri"]);
    assert_eq!(
        settings(valid().token_endpoint("ftp://id.example.com/token")),
        ["token_endpoint"]
    );
    assert_eq!(
        settings(valid().introspection_endpoint("https://a:b@id.example.com")),
        ["introspection_endpoint"]
    );
    assert!(valid().jwks_uri("https://keys.example.com/certs").build().is_ok());
}

#[test]
fn given_keys_can_verify_and_nothing_asks_for_others() {
    let keys = |json: &str| KeySet::parse(json).expect("a key set");
    let good =
        keys(r#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#);
    assert!(valid().key_set(good.clone()).build().is_ok());
    assert_eq!(settings(valid().key_set(keys(r#"{"keys": []}"#))), ["key_set"]);
    assert_eq!(
        settings(valid().key_set(good.clone()).jwks_uri("https://id.example.com/certs")),
        ["jwks_uri"]
    );
    assert_eq!(
        settings(valid().key_set(good).use_introspection(true).client_secret("secret")),
        ["introspection"]
    );
}

#[test]
fn a_client_authenticates_by_one_method_that_works() {
    // The example of RFC 8410 §10.3.
    const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----";
    let with = |authentication: ClientAuthentication| valid().client_authentication(authentication);
    let jwt = |key: &str| ClientAuthentication::private_key_jwt(key);
    assert!(
        with(jwt(KEY).into())
            .introspection(Introspection::Always)
            .build()
            .is_ok()
    );
    assert_eq!(
        settings(with(jwt(KEY).into()).client_secret("secret")),
        ["client_authentication"],
        "two methods"
    );
    for unusable in [
        jwt("hunter2").into(),
        jwt("").into(),
        jwt(KEY).algorithm(Algorithm::RS256).into(),
        ClientAuthentication::client_secret_basic(" "),
        ClientAuthentication::client_secret_post(""),
    ] {
        let error = with(unusable).build().expect_err("unusable").to_string();
        assert!(error.contains("`client_authentication` has "), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
    assert_eq!(
        settings(with(ClientAuthentication::tls_client_auth())),
        ["client_certificate"]
    );
    let own_client = with(ClientAuthentication::tls_client_auth()).http_client(reqwest::Client::builder());
    assert!(own_client.clone().build().is_ok());
    assert_eq!(
        settings(own_client.server_url("http://keycloak:8080")),
        ["client_authentication"]
    );
    assert_eq!(
        settings(with(jwt("hunter2").into()).client_id("")),
        ["client_id", "client_authentication"]
    );
}

#[test]
fn introspection_is_for_clients_that_prove_who_they_are() {
    for mode in [
        Introspection::WhenLightweight,
        Introspection::WhenOpaque,
        Introspection::WhenNeeded,
        Introspection::Always,
    ] {
        assert_eq!(settings(valid().introspection(mode)), ["client_secret"]);
        assert_eq!(
            settings(valid().introspection(mode).client_secret(" ")),
            ["client_secret"]
        );
        assert!(valid().introspection(mode).client_secret("secret").build().is_ok());
    }
    assert!(valid().use_introspection(true).use_introspection(false).build().is_ok());
}

#[test]
fn an_own_client_takes_no_settings_for_ours() {
    let builder = || valid().http_client(reqwest::Client::builder());
    assert!(builder().build().is_ok());
    assert_eq!(settings(builder().proxy("http://proxy:3128")), ["proxy"]);
    let unusable = reqwest::Client::builder().user_agent("\n");
    let error = valid().http_client(unusable).build().expect_err("not a header");
    assert_eq!(error.problems()[0].setting, "http_client");
    assert!(std::error::Error::source(&error).is_some());
}

#[test]
fn debug_shows_no_secret() {
    let headers = [(http::header::COOKIE, http::HeaderValue::from_static("hunter2"))];
    let own = reqwest::Client::builder().default_headers(headers.into_iter().collect());
    let builder = valid()
        .client_secret("hunter2")
        .client_certificate("hunter2")
        .proxy("http://user:hunter2@proxy:3128")
        .http_client(own);
    for authentication in [
        ClientAuthentication::client_secret_basic("hunter2"),
        ClientAuthentication::client_secret_post("hunter2"),
        ClientAuthentication::private_key_jwt("hunter2").into(),
    ] {
        let builder = builder.clone().client_authentication(authentication);
        assert!(!format!("{builder:?}").contains("hunter2"));
    }
}

#[test]
fn a_password_in_an_address_shows_nowhere() {
    for url in [
        "https://admin:hunter2@id.example.com/realms/acme",
        "https://admin:hunt%2Fhunter2@id.example.com",
        "https://hunter2@id.example.com",
        // None of these is a URL with the password as its password.
        "ftp://admin:hunter2@id.example.com",
        "https://admin:pa/hunter2@id.example.com",
        "https://admin:pa@hunter2@id.example.com:x",
        "admin:hunter2@id.example.com",
        " https://admin:hunter2@[::x]/id.example.com ",
    ] {
        for builder in [
            valid().server_url(url),
            valid().jwks_uri(url),
            valid().introspection_endpoint(url),
            valid().token_endpoint(url),
            valid().issuer(url),
        ] {
            let shown = format!("{builder:?}");
            assert!(
                !shown.contains("hunter2") && shown.contains("id.example.com"),
                "{shown}"
            );
            let error = builder.build().expect_err(url);
            assert!(
                !format!("{error} {error:?} {:?}", error.problems()).contains("hunter2"),
                "{error}"
            );
        }
    }
}

#[test]
fn the_error_reads_well_however_it_is_printed_and_names_the_variables() {
    let error = Keycloak::builder().build().expect_err("nothing is set");
    assert_eq!(format!("{error:?}"), error.to_string());
    assert!(!error.to_string().contains("KEYCLOAK_"), "{error}");
    let mut builder = Keycloak::builder();
    builder.is_from_environment = true;
    let error = builder.build().expect_err("nothing is set").to_string();
    for variable in [
        "KEYCLOAK_SERVER_URL",
        "KEYCLOAK_REALM",
        "KEYCLOAK_CLIENT_ID",
        "KEYCLOAK_AUDIENCE",
    ] {
        assert!(error.contains(variable), "{error}");
    }
}

#[test]
fn a_mistake_behind_another_one_is_reported_as_well() {
    let broken = valid()
        .issuer("x")
        .client_secret("")
        .client_authentication(ClientAuthentication::private_key_jwt("nokey"));
    assert_eq!(
        settings(broken),
        [
            "issuer",
            "client_secret",
            "client_authentication",
            "client_authentication"
        ]
    );
    assert_eq!(settings(valid().client_secret("")), ["client_secret"]);
    for issuer in ["acme", "id.example.com/realms/acme", "ftp://id.example.com/realms/acme"] {
        assert_eq!(settings(valid().issuer(issuer)), ["issuer"], "{issuer}");
    }
    assert!(valid().issuer("http://localhost:8080/realms/acme").build().is_ok());
}

#[test]
fn only_variables_that_are_read_are_named() {
    let mut builder = Keycloak::builder()
        .introspection(Introspection::Always)
        .client_authentication(ClientAuthentication::tls_client_auth());
    builder.is_from_environment = true;
    let error = builder.clone().build().expect_err("nothing is set").to_string();
    assert!(error.contains("`client_certificate` is missing"), "{error}");
    assert!(!error.contains("KEYCLOAK_CLIENT_CERTIFICATE"), "{error}");
    builder.client_authentication = None;
    let error = builder.build().expect_err("nothing is set").to_string();
    assert!(
        error.contains("in the environment it is `KEYCLOAK_CLIENT_SECRET`"),
        "{error}"
    );
}
