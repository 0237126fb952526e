//! What `#[keycloak(...)]` adds to an operation.

use serde_json::json;
use utoipa::openapi::{
    Content, Header, RefOr, Response,
    extensions::Extensions,
    path::Operation,
    response::ResponseBuilder,
    schema::{Ref, Schema},
    security::SecurityRequirement,
};

use super::{BEARER, ERROR_SCHEMA, OPENID, POLICY_EXTENSION, SCHEME, schemes_of};
use crate::{AuthError, InvalidToken, challenge::Answer, policy::Policy};

/// Adds to an operation what its policy means for a client, beside what the user declared.
#[must_use]
pub fn decorate_operation(mut operation: Operation, policy: &Policy) -> Operation {
    let mut data = serde_json::to_value(policy).unwrap_or_default();
    data["expression"] = json!(policy.to_string());
    let extension = Extensions::builder().add(POLICY_EXTENSION, data).build();
    match &mut operation.extensions {
        Some(extensions) => extensions.merge(extension),
        None => operation.extensions = Some(extension),
    }
    operation.description = Some(match operation.description.take() {
        Some(own) if !own.trim().is_empty() => format!("{}\n\n{}", own.trim_end(), policy.requirement()),
        _ => policy.requirement(),
    });
    if policy.is_public() {
        // Overrides a security requirement of the whole document (OpenAPI 3.1 §4.8.10).
        operation.security.get_or_insert_default();
        return operation;
    }
    let declared = operation.security.take().filter(|declared| !declared.is_empty());
    operation.security = Some(requirements(
        declared.unwrap_or_else(|| vec![SecurityRequirement::default()]),
        policy,
    ));
    let responses = &mut operation.responses.responses;
    responses.entry("401".to_owned()).or_insert_with(|| {
        let expired = Answer::to(&AuthError::InvalidToken(InvalidToken::Expired));
        error_response("No acceptable access token".to_owned(), &expired).into()
    });
    if *policy != Policy::Authenticated {
        responses.entry("403".to_owned()).or_insert_with(|| {
            let description = format!("The caller does not meet the policy. {}", policy.requirement());
            error_response(description, &Answer::denied(first_requirement(policy))).into()
        });
    }
    operation
}

/// Each declared requirement, with each of our schemes in addition: the caller needs what the user declared *and* a token.
/// Where the policy can be met by one scope or another, a scheme that has scopes stands there once for each.
fn requirements(declared: Vec<SecurityRequirement>, policy: &Policy) -> Vec<SecurityRequirement> {
    let alternatives = policy.scope_alternatives();
    let mut combined = Vec::new();
    for requirement in declared {
        if schemes_of(&requirement).contains_key(SCHEME) {
            combined.push(requirement);
            continue;
        }
        let with = |suffix: &str, scopes: &[&str]| {
            let scheme = format!("{SCHEME}{suffix}");
            requirement.clone().add(scheme, scopes.iter().copied())
        };
        combined.extend(alternatives.iter().map(|scopes| with("", scopes)));
        combined.push(with(BEARER, &[]));
        combined.extend(alternatives.iter().map(|scopes| with(OPENID, scopes)));
    }
    combined
}

/// What a caller lacks who meets nothing of the policy, or all but the first of several requirements.
fn first_requirement(policy: &Policy) -> &Policy {
    match policy {
        Policy::All([first, ..]) => first_requirement(first),
        policy => policy,
    }
}

/// The body in the example is an envelope until the configuration is known.
fn error_response(description: String, answer: &Answer) -> Response {
    let mut content = Content::new(Some(RefOr::<Schema>::Ref(Ref::from_schema_name(ERROR_SCHEMA))));
    content.example = serde_json::from_str(&answer.envelope()).ok();
    let mut challenge = Header::default();
    challenge.description = Some("The challenge (RFC 6750 §3)".to_owned());
    ResponseBuilder::new()
        .description(description)
        .header("WWW-Authenticate", challenge)
        .content("application/json", content)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_a_denial_has_its_code() {
        for (policy, expected) in [
            (Policy::Role("admin"), "missing_roles"),
            (
                Policy::All(&[Policy::Group("/ops"), Policy::Role("admin")]),
                "missing_groups",
            ),
            (Policy::Any(&[Policy::Scope("a"), Policy::Scope("b")]), "missing_scopes"),
            (Policy::Any(&[Policy::Scope("a"), Policy::Role("b")]), "forbidden"),
        ] {
            let operation = serde_json::to_value(decorate_operation(Operation::new(), &policy)).expect("JSON");
            let denied = &operation["responses"]["403"]["content"]["application/json"]["example"];
            assert_eq!(denied["error"]["code"], expected, "{policy}");
        }
    }
}
