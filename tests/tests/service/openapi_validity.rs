//! OpenAPI 3.1: the documents are valid ones, says a validator that knows nothing of this crate.

use keycloak_auth::{ErrorFormat, Keycloak, KeycloakBuilder, OpenApiScheme, testing::TestRealm};
use keycloak_auth_tests::Service;
use roas::{
    v3_1::spec::Spec,
    validation::{Options, Validate},
};
use serde_json::{Value, json};

use crate::grammar::{ORDERS, Order};

/// What is wrong with a document, by everything that the validator looks at.
fn faults(document: &Value) -> Vec<String> {
    let spec: Spec = match serde_json::from_value(document.clone()) {
        Ok(spec) => spec,
        Err(error) => return vec![error.to_string()],
    };
    // A client may ask for `openid` although no operation needs it; that is the only thing not looked at.
    let options = Options::only(&Options::IgnoreUnusedSecuritySchemes);
    let mut faults: Vec<_> = match spec.validate(options, None) {
        Ok(()) => Vec::new(),
        Err(error) => error.errors.iter().map(ToString::to_string).collect(),
    };
    // What it reads over is gone here.
    if serde_json::to_value(&spec).expect("a document") != *document {
        faults.push("a member that OpenAPI does not know".to_owned());
    }
    faults
}

fn keycloak(configure: impl FnOnce(KeycloakBuilder) -> KeycloakBuilder) -> Keycloak {
    let builder = TestRealm::new("acme", "orders-api").builder();
    configure(builder).build().expect("valid")
}

/// The document of every production of the policy language.
fn document(keycloak: &Keycloak, order: &Order) -> Value {
    let mut document = keycloak.secure_openapi((order.router)().openapi().clone());
    // What the author of a service says of it.
    document.info.title = "Every production".to_owned();
    document.info.version = "1.0.0".to_owned();
    serde_json::to_value(document).expect("a document")
}

#[test]
fn every_production_gives_a_valid_document() {
    type Configure = fn(KeycloakBuilder) -> KeycloakBuilder;
    let configurations: [(&str, Configure); 4] = [
        ("as it comes", |builder| builder),
        ("renamed", |builder| {
            builder.openapi_scheme_name("login").openapi_scope("orders", "Orders")
        }),
        ("without discovery", |builder| {
            builder.openapi_schemes([OpenApiScheme::OAuth2, OpenApiScheme::Bearer])
        }),
        ("with problem details", |builder| {
            builder.error_format(ErrorFormat::ProblemDetails)
        }),
    ];
    for order in &ORDERS {
        for (name, configure) in configurations {
            let document = document(&keycloak(configure), order);
            assert_eq!(document["openapi"], "3.1.0");
            assert_eq!(faults(&document), [""; 0], "{name}, {}", order.name);
        }
    }
}

#[tokio::test]
async fn the_document_of_the_example_is_valid() {
    let service = Service::start(orders::app(keycloak(|builder| builder))).await;
    let document: Value = service.get("/openapi.json").send().await.json();
    assert!(document["paths"]["/orders"]["post"]["x-keycloak-policy"].is_object());
    assert_eq!(faults(&document), [""; 0]);
}

/// What the tests above would say of a mistake in what we add.
#[test]
fn the_validator_finds_what_is_wrong() {
    let whole = document(&keycloak(|builder| builder), &ORDERS[0]);
    assert_eq!(faults(&whole), [""; 0]);
    type Spoil = fn(&mut Value);
    let mistakes: [(&str, Spoil); 12] = [
        ("another version", |document| document["openapi"] = json!("4.0.0")),
        ("no title", |document| document["info"] = json!({ "version": "1" })),
        ("a path without a slash", |document| {
            let operation = document["paths"]["/role"].take();
            document["paths"] = json!({ "role": operation });
        }),
        ("a path parameter that is not described", |document| {
            document["paths"]["/owner/{id}"]["get"]["parameters"] = json!([]);
        }),
        ("a requirement that is no list", |document| {
            document["paths"]["/role"]["get"]["security"] = json!([{ "keycloak": "openid" }]);
        }),
        ("a scheme that is nowhere", |document| {
            document["paths"]["/role"]["get"]["security"] = json!([{ "oauth": [] }]);
        }),
        ("a scope that the scheme does not have", |document| {
            document["paths"]["/scope"]["get"]["security"][0]["keycloak"] = json!(["other"]);
        }),
        ("a schema that is nowhere", |document| {
            document["components"]["schemas"] = json!({});
        }),
        ("a response without a description", |document| {
            document["paths"]["/role"]["get"]["responses"]["403"] = json!({});
        }),
        ("an extension that does not say so", |document| {
            document["paths"]["/role"]["get"]["keycloak-policy"] = json!({});
        }),
        ("a flow without its token endpoint", |document| {
            let flows = &mut document["components"]["securitySchemes"]["keycloak"]["flows"];
            flows["authorizationCode"] = json!({ "authorizationUrl": "https://id.example.com/auth", "scopes": {} });
        }),
        ("an operation id twice", |document| {
            document["paths"]["/role"]["get"]["operationId"] = json!("group");
        }),
    ];
    for (mistake, spoil) in mistakes {
        let mut document = whole.clone();
        spoil(&mut document);
        assert!(!faults(&document).is_empty(), "not found: {mistake}");
    }
}
