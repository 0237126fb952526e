//! The OpenAPI document of annotated handlers.

use keycloak_auth::{ErrorFormat, Keycloak, OpenApiScheme, SecureRouter, keycloak, secure_routes};
use keycloak_auth_tests::{Issuer, Service};
use serde_json::{Value, json};
use utoipa::OpenApi;

/// List orders
#[keycloak(realm_roles = "admin", groups = "/ops", any)]
#[utoipa::path(get, path = "/orders", responses((status = 200, description = "All orders")))]
async fn list() -> &'static str {
    "orders"
}

#[utoipa::path(post, path = "/orders", security(("api_key" = [])), responses((status = 201, description = "Created"), (status = 403, description = "Ours")))]
#[keycloak(roles = "admin", scopes = "email")]
async fn create() {}

#[keycloak(authenticated)]
#[utoipa::path(get, path = "/me", responses((status = 200, description = "The caller")))]
async fn me() {}

#[keycloak(public)]
#[utoipa::path(get, path = "/health", responses((status = 200, description = "Up")))]
async fn health() {}

/// Export orders
///
/// As one file.
#[keycloak(any(
    realm_role("admin"),
    all(scope("orders:read"), any(scope("export"), scope("backup")))
))]
#[utoipa::path(get, path = "/export", responses((status = 200, description = "A file")))]
async fn export() {}

#[derive(OpenApi)]
#[openapi(paths(list, create, me, health, export))]
struct Api;

fn keycloak() -> Keycloak {
    configured(|builder| builder)
}

fn configured(configure: impl FnOnce(keycloak_auth::KeycloakBuilder) -> keycloak_auth::KeycloakBuilder) -> Keycloak {
    let builder = Keycloak::builder()
        .server_url("http://keycloak:8080")
        .realm("acme")
        .issuer("https://id.example.com/realms/acme")
        .client_id("orders-api")
        .audience("orders-api");
    configure(builder).build().expect("valid")
}

fn document(keycloak: &Keycloak) -> Value {
    serde_json::to_value(keycloak.secure_openapi(Api::openapi())).expect("a document")
}

#[test]
fn operations_show_their_policy_in_both_orders_of_the_attributes() {
    let document = document(&keycloak());
    let list = &document["paths"]["/orders"]["get"];
    assert_eq!(
        list["x-keycloak-policy"],
        json!({ "any": [{ "realm_role": "admin" }, { "group": "/ops" }], "expression": r#"any(realm_role("admin"), group("/ops"))"# })
    );
    assert_eq!(
        list["security"],
        json!([{ "keycloak": [] }, { "keycloakBearer": [] }, { "keycloakOpenId": [] }])
    );
    assert_eq!(list["responses"]["200"]["description"], "All orders");
    for status in ["401", "403"] {
        let response = &list["responses"][status];
        assert_eq!(
            response["content"]["application/json"]["schema"]["$ref"],
            "#/components/schemas/KeycloakError"
        );
        assert!(response["headers"]["WWW-Authenticate"].is_object(), "{response}");
    }
    let example = |path: &str, method: &str, status: &str| {
        document["paths"][path][method]["responses"][status]["content"]["application/json"]["example"].clone()
    };
    assert_eq!(
        example("/orders", "get", "403"),
        json!({ "error": { "code": "forbidden", "message": "the caller may not do this", "details": {} } })
    );
    assert_eq!(example("/orders", "get", "401")["error"]["code"], "token_expired");
    assert_eq!(
        list["responses"]["403"]["description"],
        "The caller does not meet the policy. Requires realm role `admin` or group `/ops`."
    );
    assert!(document["components"]["schemas"]["KeycloakError"]["properties"]["error"].is_object());
}

#[test]
fn what_the_user_declared_is_kept_and_added_to() {
    let create = &document(&keycloak())["paths"]["/orders"]["post"];
    assert_eq!(
        create["security"],
        json!([
            { "api_key": [], "keycloak": ["email"] },
            { "api_key": [], "keycloakBearer": [] },
            { "api_key": [], "keycloakOpenId": ["email"] },
        ])
    );
    assert_eq!(create["responses"]["403"], json!({ "description": "Ours" }));
    assert!(create["responses"]["401"]["content"].is_object());
    assert_eq!(
        create["x-keycloak-policy"]["all"],
        json!([{ "role": "admin" }, { "scope": "email" }])
    );
}

#[test]
fn public_and_authenticated_operations_say_so() {
    let document = document(&keycloak());
    let health = &document["paths"]["/health"]["get"];
    assert_eq!(
        (&health["security"], &health["x-keycloak-policy"]["public"]),
        (&json!([]), &json!(true))
    );
    assert!(health["responses"]["401"].is_null());
    let me = &document["paths"]["/me"]["get"];
    assert_eq!(me["x-keycloak-policy"]["authenticated"], json!(true));
    assert!(me["responses"]["401"].is_object() && me["responses"]["403"].is_null());
}

#[test]
fn a_description_says_what_the_policy_requires_below_what_the_user_wrote() {
    let document = document(&keycloak());
    for (path, method, expected) in [
        ("/orders", "get", "Requires realm role `admin` or group `/ops`."),
        ("/orders", "post", "Requires role `admin` and scope `email`."),
        ("/me", "get", "Requires a valid access token."),
        ("/health", "get", "Open to everybody, without an access token."),
        (
            "/export",
            "get",
            "As one file.\n\nRequires realm role `admin`, or (scope `orders:read`, and (scope `export` or scope `backup`)).",
        ),
    ] {
        assert_eq!(
            document["paths"][path][method]["description"], expected,
            "{method} {path}"
        );
    }
}

#[test]
fn alternatives_between_scopes_are_alternative_requirements() {
    let document = document(&keycloak());
    let (some, other) = (json!(["orders:read", "export"]), json!(["orders:read", "backup"]));
    assert_eq!(
        document["paths"]["/export"]["get"]["security"],
        json!([
            { "keycloak": [] }, { "keycloak": some }, { "keycloak": other },
            { "keycloakBearer": [] },
            { "keycloakOpenId": [] }, { "keycloakOpenId": some }, { "keycloakOpenId": other },
        ])
    );
    let scopes = &document["components"]["securitySchemes"]["keycloak"]["flows"]["authorizationCode"]["scopes"];
    for scope in ["openid", "orders:read", "export", "backup", "email"] {
        assert!(scopes[scope].is_string(), "{scope} can be asked for");
    }
}

/// OpenAPI 3.1 §4.8.30: what a requirement names is a scheme of the document, and its scopes are scopes of that scheme.
#[test]
fn every_requirement_refers_to_a_scheme_and_scopes_of_the_document() {
    let document = document(&configured(|builder| {
        builder.openapi_scheme_name("login").openapi_scope("orders", "Orders")
    }));
    let schemes = document["components"]["securitySchemes"].as_object().expect("schemes");
    let mut checked = 0;
    for operation in document["paths"]
        .as_object()
        .expect("paths")
        .values()
        .flat_map(|item| item.as_object().expect("an item").values())
    {
        for requirement in operation["security"].as_array().expect("a list") {
            for (scheme, scopes) in requirement.as_object().expect("an object") {
                if scheme == "api_key" {
                    continue; // The user's own.
                }
                let flows = &schemes[scheme]["flows"]["authorizationCode"]["scopes"];
                for scope in scopes.as_array().expect("a list") {
                    let scope = scope.as_str().expect("a name");
                    assert!(scheme != "login" || flows[scope].is_string(), "{scope} of {scheme}");
                    checked += 1;
                }
            }
        }
    }
    assert!(checked > 8, "{checked}");
}

#[test]
fn the_schemes_lead_to_the_realm_under_its_public_address() {
    let schemes = &document(&keycloak())["components"]["securitySchemes"];
    let flow = &schemes["keycloak"]["flows"]["authorizationCode"];
    assert_eq!(
        flow["authorizationUrl"],
        "https://id.example.com/realms/acme/protocol/openid-connect/auth"
    );
    assert_eq!(
        flow["tokenUrl"],
        "https://id.example.com/realms/acme/protocol/openid-connect/token"
    );
    assert!(flow["scopes"]["openid"].is_string());
    assert_eq!(schemes["keycloakBearer"]["scheme"], "bearer");
    assert_eq!(
        schemes["keycloakOpenId"]["openIdConnectUrl"],
        "https://id.example.com/realms/acme/.well-known/openid-configuration"
    );
}

#[test]
fn schemes_that_are_not_wanted_are_nowhere() {
    let document = document(&configured(|builder| {
        builder
            .openapi_schemes([OpenApiScheme::OAuth2, OpenApiScheme::Bearer])
            .openapi_scheme_name("login")
    }));
    let schemes = document["components"]["securitySchemes"].as_object().expect("schemes");
    assert_eq!(schemes.keys().collect::<Vec<_>>(), ["login", "loginBearer"]);
    assert!(!document.to_string().contains("OpenId"), "{document}");
    assert_eq!(
        document["paths"]["/me"]["get"]["security"],
        json!([{ "login": [] }, { "loginBearer": [] }])
    );
}

#[test]
fn name_scopes_and_error_format_are_those_of_the_configuration() {
    let keycloak = configured(|builder| {
        builder
            .openapi_scheme_name("login")
            .openapi_scope("orders", "Orders")
            .error_format(ErrorFormat::ProblemDetails)
    });
    let document = document(&keycloak);
    let list = &document["paths"]["/orders"]["get"];
    assert_eq!(
        list["security"],
        json!([{ "login": [] }, { "loginBearer": [] }, { "loginOpenId": [] }])
    );
    assert_eq!(
        list["responses"]["401"]["content"]["application/problem+json"]["example"],
        json!({
            "type": "about:blank",
            "title": "Unauthorized",
            "status": 401,
            "detail": "the access token has expired",
            "code": "token_expired",
        })
    );
    let scopes = &document["components"]["securitySchemes"]["login"]["flows"]["authorizationCode"]["scopes"];
    assert_eq!((&scopes["orders"], &scopes["openid"]), (&json!("Orders"), &Value::Null));
    assert!(document["components"]["schemas"]["KeycloakError"]["properties"]["detail"].is_object());
}

#[tokio::test]
async fn routes_of_utoipa_axum_are_served_guarded_and_documented() {
    let issuer = Issuer::start().await;
    let keycloak = crate::setup::builder(&issuer).build().expect("valid");
    let router = SecureRouter::new()
        .routes(secure_routes!(list, create))
        .routes(secure_routes!(export))
        .nest("/api", SecureRouter::new().routes(secure_routes!(me, health)));
    let paths: Vec<_> = router.openapi().paths.paths.keys().cloned().collect();
    assert_eq!(paths, ["/api/health", "/api/me", "/export", "/orders"]);
    let operation = serde_json::to_value(&router.openapi().paths.paths["/orders"]).expect("an item");
    assert!(operation["get"]["x-keycloak-policy"].is_object() && operation["post"]["x-keycloak-policy"].is_object());

    let service = Service::start(router.secure_with(keycloak)).await;
    assert_eq!(service.get("/orders").send().await.status, 401);
    assert_eq!(service.get_as("/orders", &issuer.valid_token()).await.text(), "orders");
    assert_eq!(service.get("/export").send().await.status, 401);
    assert_eq!(service.get("/api/me").send().await.status, 401);
    assert_eq!(service.get("/api/health").send().await.status, 200);
}

/// `utoipa_axum::routes!` serves what it takes at every path in it.
#[tokio::test]
async fn each_of_several_documented_handlers_is_served_at_its_own_path_only() {
    let issuer = Issuer::start().await;
    let keycloak = crate::setup::builder(&issuer).build().expect("valid");
    let router = SecureRouter::new().routes(secure_routes!(list, create, health, me));
    let matrix = router.access_matrix().to_snapshot();
    let service = Service::start(router.secure_with(keycloak)).await;
    let routes = [
        ("POST", "/orders"),
        ("GET", "/health"),
        ("GET", "/me"),
        ("GET", "/orders"),
    ];
    for (method, path) in [("POST", "/health"), ("POST", "/me")].into_iter().chain(routes) {
        let is_there = matrix.lines().any(|row| row.starts_with(&format!("{method} {path} ")));
        assert_eq!(is_there, routes.contains(&(method, path)), "{method} {path}");
        let status = service
            .request(method.parse().expect("a method"), path)
            .send()
            .await
            .status;
        assert_eq!(status != 405, is_there, "{method} {path}: {status}");
    }
}
