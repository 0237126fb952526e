//! What the [`Keycloak`] adds to a document: the schemes, and what the operations could not know.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use utoipa::openapi::{
    OpenApi, RefOr,
    path::{Operation, PathItem},
    schema::{ObjectBuilder, Ref, Schema, Type},
    security::{
        AuthorizationCode, Flow, HttpAuthScheme, HttpBuilder, OAuth2, OpenIdConnect, Scopes, SecurityRequirement,
        SecurityScheme,
    },
};

use super::{BEARER, ERROR_SCHEMA, OPENID, SCHEME, schemes_of};
use crate::{
    Keycloak, OpenApiScheme,
    challenge::{ErrorFormat, problem_details},
};

impl Keycloak {
    /// Adds to an OpenAPI document the security schemes that annotated operations refer to, and the schema of error
    /// bodies: OAuth 2.0 with the authorization code flow (use it with PKCE), OpenID Connect discovery, and a bearer token.
    ///
    /// Login pages are opened by a browser, so their addresses are those of the issuer.
    ///
    /// ```
    /// use keycloak_auth::{Keycloak, keycloak};
    /// use utoipa::OpenApi;
    ///
    /// /// List orders
    /// #[keycloak(roles = "admin")]
    /// #[utoipa::path(get, path = "/orders", responses((status = 200, description = "All orders")))]
    /// async fn orders() {}
    ///
    /// #[derive(OpenApi)]
    /// #[openapi(paths(orders))]
    /// struct Api;
    ///
    /// # let keycloak = Keycloak::builder().server_url("https://id.example.com").realm("acme")
    /// #     .client_id("orders-api").audience("orders-api").build()?;
    /// let document = keycloak.secure_openapi(Api::openapi());
    /// assert!(document.to_json()?.contains("x-keycloak-policy"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn secure_openapi(&self, mut document: OpenApi) -> OpenApi {
        let settings = self.openapi_settings();
        let required: BTreeSet<_> = document
            .paths
            .paths
            .values_mut()
            .flat_map(operations)
            .flat_map(|operation| required_scopes(operation))
            .collect();
        let components = document.components.get_or_insert_default();
        for kind in &settings.schemes {
            let scheme = match kind {
                OpenApiScheme::OAuth2 => self.oauth2_scheme(&required),
                OpenApiScheme::Bearer => bearer_scheme(self.accepts_opaque_tokens()),
                OpenApiScheme::OpenIdConnect => self.openid_scheme(),
            };
            let name = format!("{}{}", settings.name, kind.suffix());
            components.security_schemes.insert(name, scheme.into());
        }
        components
            .schemas
            .entry(ERROR_SCHEMA.to_owned())
            .or_insert_with(|| error_schema(self.openapi_error_format()).into());
        for operation in document.paths.paths.values_mut().flat_map(operations) {
            leave_out_schemes(operation, &settings.schemes);
            if settings.name != SCHEME {
                rename_schemes(operation, &settings.name);
            }
            set_error_format(operation, self.openapi_error_format());
        }
        document
    }

    /// The scheme has the configured scopes, and those that operations require: a client can ask for no other.
    fn oauth2_scheme(&self, required: &BTreeSet<String>) -> SecurityScheme {
        let settings = self.openapi_settings();
        let mut scopes: BTreeMap<_, _> = required
            .iter()
            .map(|scope| (scope.clone(), "Required by some operations".to_owned()))
            .collect();
        if settings.scopes.is_empty() {
            scopes.extend(
                [
                    ("openid", "Log in with OpenID Connect"),
                    ("profile", "Name and user name"),
                    ("email", "E-mail address"),
                ]
                .map(|(name, description)| (name.to_owned(), description.to_owned())),
            );
        } else {
            scopes.extend(settings.scopes.clone());
        }
        let scopes = Scopes::from_iter(scopes);
        let endpoint = |name: &str| format!("{}/protocol/openid-connect/{name}", self.issuer());
        let flow = Flow::AuthorizationCode(AuthorizationCode::with_refresh_url(
            endpoint("auth"),
            endpoint("token"),
            scopes,
            endpoint("token"),
        ));
        SecurityScheme::OAuth2(OAuth2::with_description(
            [flow],
            format!(
                "Log in at the realm `{}` of Keycloak: authorization code with PKCE (S256).",
                self.realm()
            ),
        ))
    }

    fn openid_scheme(&self) -> SecurityScheme {
        SecurityScheme::OpenIdConnect(OpenIdConnect::new(format!(
            "{}/.well-known/openid-configuration",
            self.issuer()
        )))
    }
}

/// Opaque tokens have no format to name.
fn bearer_scheme(accepts_opaque: bool) -> SecurityScheme {
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("An access token that was obtained elsewhere"));
    let scheme = if accepts_opaque {
        scheme
    } else {
        scheme.bearer_format("JWT")
    };
    SecurityScheme::Http(scheme.build())
}

/// The schema of the body of 401 and 403.
fn error_schema(format: &ErrorFormat) -> Schema {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let details = || ObjectBuilder::new().description(Some("More about the error, as data"));
    let code = || {
        text()
            .description(Some("The stable code of the error"))
            .examples([json!("token_expired")])
    };
    let schema = match format {
        ErrorFormat::Envelope => ObjectBuilder::new()
            .property(
                "error",
                ObjectBuilder::new()
                    .property("code", code())
                    .property("message", text().description(Some("One sentence for a developer")))
                    .property("details", details())
                    .required("code")
                    .required("message")
                    .required("details"),
            )
            .required("error"),
        ErrorFormat::ProblemDetails => ObjectBuilder::new()
            .description(Some("Problem details (RFC 9457)"))
            .property("type", text())
            .property("title", text())
            .property("status", ObjectBuilder::new().schema_type(Type::Integer))
            .property("detail", text())
            .property("code", code())
            .property("details", details())
            .required("type")
            .required("title")
            .required("status")
            .required("detail")
            .required("code"),
        ErrorFormat::Custom(_) => ObjectBuilder::new().description(Some("An error in this service's own form")),
    };
    schema.build().into()
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [
        &mut item.get,
        &mut item.put,
        &mut item.post,
        &mut item.delete,
        &mut item.options,
        &mut item.head,
        &mut item.patch,
        &mut item.trace,
    ]
    .into_iter()
    .flatten()
}

/// The scopes that an operation requires of our scheme.
fn required_scopes(operation: &Operation) -> Vec<String> {
    let requirements = operation.security.iter().flatten();
    requirements
        .filter_map(|requirement| schemes_of(requirement).remove(SCHEME))
        .flatten()
        .collect()
}

/// Leaves out the alternatives whose scheme the document does not have.
fn leave_out_schemes(operation: &mut Operation, kept: &[OpenApiScheme]) {
    let left_out: Vec<String> = OpenApiScheme::ALL
        .iter()
        .filter(|scheme| !kept.contains(scheme))
        .map(|scheme| format!("{SCHEME}{}", scheme.suffix()))
        .collect();
    if let (false, Some(security)) = (left_out.is_empty(), &mut operation.security) {
        security.retain(|requirement| !schemes_of(requirement).keys().any(|name| left_out.contains(name)));
    }
}

fn rename_schemes(operation: &mut Operation, name: &str) {
    for requirement in operation.security.iter_mut().flatten() {
        let schemes = schemes_of(requirement).into_iter();
        *requirement = schemes.fold(SecurityRequirement::default(), |renamed, (scheme, scopes)| {
            let scheme = match scheme.strip_prefix(SCHEME) {
                Some(suffix @ ("" | BEARER | OPENID)) => format!("{name}{suffix}"),
                _ => scheme,
            };
            renamed.add(scheme, scopes)
        });
    }
}

/// Gives our responses of an operation the media type and the example of the configured format.
fn set_error_format(operation: &mut Operation, format: &ErrorFormat) {
    let ours = RefOr::<Schema>::Ref(Ref::from_schema_name(ERROR_SCHEMA));
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        let Some(RefOr::T(content)) = response.content.get_mut("application/json") else {
            continue;
        };
        if content.schema.as_ref() != Some(&ours) {
            continue;
        }
        match format {
            ErrorFormat::Envelope => {}
            ErrorFormat::ProblemDetails => {
                if let (Some(example), Ok(status)) = (&mut content.example, status.parse()) {
                    let error = example["error"].take();
                    let text = |member: &str| error[member].as_str().unwrap_or_default();
                    *example = problem_details(status, text("code"), text("message"), &error["details"]);
                }
                if let Some(content) = response.content.shift_remove("application/json") {
                    response.content.insert("application/problem+json".to_owned(), content);
                }
            }
            ErrorFormat::Custom(_) => content.example = None,
        }
    }
}
