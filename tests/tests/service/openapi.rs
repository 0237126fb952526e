//! The OpenAPI document of annotated handlers.

use keycloak_auth::{ErrorFormat, Keycloak, SecureRouter, keycloak};
use keycloak_auth_tests::{Issuer, Service};
use serde_json::{Value, json};
use utoipa::OpenApi;
use utoipa_axum::routes;

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

#[utoipa::path(get, path = "/forgotten", responses((status = 200, description = "Nobody thought of it")))]
async fn forgotten() {}

#[derive(OpenApi)]
#[openapi(paths(list, create, me, health))]
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
    assert_eq!(
        list["responses"]["403"]["description"],
        "The caller lacks any of: realm role `admin`, group `/ops`"
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
    assert!(list["responses"]["401"]["content"]["application/problem+json"].is_object());
    assert_eq!(
        document["components"]["securitySchemes"]["login"]["flows"]["authorizationCode"]["scopes"],
        json!({ "orders": "Orders" })
    );
    assert!(document["components"]["schemas"]["KeycloakError"]["properties"]["detail"].is_object());
}

#[tokio::test]
async fn routes_of_utoipa_axum_are_served_guarded_and_documented() {
    let issuer = Issuer::start().await;
    let keycloak = crate::setup::builder(&issuer).build().expect("valid");
    let router = SecureRouter::new()
        .routes(routes!(list, create))
        .nest("/api", SecureRouter::new().routes(routes!(me)).routes(routes!(health)));
    let paths: Vec<_> = router.openapi().paths.paths.keys().cloned().collect();
    assert_eq!(paths, ["/api/health", "/api/me", "/orders"]);
    let operation = serde_json::to_value(&router.openapi().paths.paths["/orders"]).expect("an item");
    assert!(operation["get"]["x-keycloak-policy"].is_object() && operation["post"]["x-keycloak-policy"].is_object());

    let service = Service::start(router.secure_with(keycloak)).await;
    assert_eq!(service.get("/orders").send().await.status, 401);
    assert_eq!(service.get_as("/orders", &issuer.valid_token()).await.text(), "orders");
    assert_eq!(service.get("/api/me").send().await.status, 401);
    assert_eq!(service.get("/api/health").send().await.status, 200);
}

#[test]
#[should_panic(expected = "`GET /forgotten` (handler `forgotten`) has no `#[keycloak(...)]` policy")]
fn a_route_of_utoipa_axum_without_policy_does_not_start() {
    let _ = SecureRouter::<()>::new().routes(routes!(forgotten));
}
