//! OpenAPI: what `#[keycloak(...)]` adds to an operation, and the security schemes that it refers to.
//!
//! The annotation knows the policy, the [`Keycloak`](crate::Keycloak) knows addresses, names and the form of error bodies. So operations
//! refer to schemes by their default names, and [`Keycloak::secure_openapi`](crate::Keycloak::secure_openapi) adds the schemes and puts in the configured
//! names.

mod document;
mod operation;

use std::collections::BTreeMap;

use utoipa::openapi::security::SecurityRequirement;

use crate::OpenApiScheme;

pub use operation::decorate_operation;

/// The name of the OAuth 2.0 scheme, unless the builder sets another one.
const SCHEME: &str = "keycloak";

/// The suffixes of the schemes beside the OAuth 2.0 one.
const BEARER: &str = OpenApiScheme::Bearer.suffix();
const OPENID: &str = OpenApiScheme::OpenIdConnect.suffix();

/// The name of the schema of error bodies.
const ERROR_SCHEMA: &str = "KeycloakError";

/// The member of an operation that has its policy as data.
const POLICY_EXTENSION: &str = "x-keycloak-policy";

/// What the builder sets about the schemes.
#[derive(Clone, Debug)]
pub(crate) struct SchemeSettings {
    pub(crate) name: String,
    pub(crate) scopes: Vec<(String, String)>,
    pub(crate) schemes: Vec<OpenApiScheme>,
}

/// The schemes that a requirement names, each with its scopes. `SecurityRequirement` shows them to a serializer only.
fn schemes_of(requirement: &SecurityRequirement) -> BTreeMap<String, Vec<String>> {
    let schemes = serde_json::to_value(requirement).and_then(serde_json::from_value);
    schemes.expect("a requirement is a map from names to lists of scopes")
}
