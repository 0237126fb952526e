//! Every word of the policy language in every form: as an expression, as data, as a sentence, in the access matrix and in
//! OpenAPI.

use keycloak_auth::{
    SecureRouter,
    access_matrix::{Access, Subject},
    keycloak, secure_routes,
};
use serde_json::{Value, json};

/// One handler for each production, and the router that has them all.
macro_rules! productions {
    ($($name:ident $path:literal: $policy:meta;)*) => {
        $(
            #[$policy]
            #[utoipa::path(get, path = $path, responses((status = 200, description = "OK")))]
            async fn $name() {}
        )*

        fn router() -> SecureRouter {
            SecureRouter::new()$(.routes(secure_routes!($name)))*
        }
    };
}

productions! {
    public "/public": keycloak(public);
    authenticated "/authenticated": keycloak(authenticated);
    role "/role": keycloak(role("r"));
    realm_role "/realm-role": keycloak(realm_role("r"));
    client_role "/client-role": keycloak(client_role("c", "r"));
    group "/group": keycloak(group("/g"));
    group_tree "/group-tree": keycloak(group_tree("/g"));
    scope "/scope": keycloak(scope("s"));
    claim_text "/claim-text": keycloak(claim("a.b" = "x"));
    claim_number "/claim-number": keycloak(claim("n" = 7));
    claim_boolean "/claim-boolean": keycloak(claim("b" = true));
    acr "/acr": keycloak(acr("2"));
    max_age "/max-age": keycloak(max_age(60));
    owner "/owner/{id}": keycloak(owner("id"));
    owner_claim "/owner-claim/{id}": keycloak(owner("id" = "email"));
    all "/all": keycloak(all(realm_role("r"), scope("s")));
    any "/any": keycloak(any(realm_role("r"), scope("s")));
    not "/not": keycloak(not(realm_role("r")));
    simple_all "/simple-all": keycloak(roles = ["a", "b"], groups = "g");
    simple_any "/simple-any": keycloak(realm_roles = "r", groups = "/g", any);
}

struct Form {
    expression: &'static str,
    data: Value,
    sentence: &'static str,
    /// What the realm role `r` and the group `/g` alone may do.
    access: [Access; 2],
    /// The scopes that the OAuth 2.0 scheme is required with, in each alternative.
    scopes: Value,
}

fn form(expression: &'static str, data: Value, sentence: &'static str, access: [Access; 2]) -> Form {
    Form {
        expression,
        data,
        sentence,
        access,
        scopes: json!([[]]),
    }
}

fn forms() -> Vec<(&'static str, Form)> {
    use Access::{Allow, Deny, Depends};
    vec![
        (
            "/public",
            Form {
                scopes: json!([]),
                ..form(
                    "public",
                    json!({ "public": true }),
                    "Open to everybody, without an access token.",
                    [Allow, Allow],
                )
            },
        ),
        (
            "/authenticated",
            form(
                "authenticated",
                json!({ "authenticated": true }),
                "Requires a valid access token.",
                [Allow, Allow],
            ),
        ),
        (
            "/role",
            form(
                r#"role("r")"#,
                json!({ "role": "r" }),
                "Requires role `r`.",
                [Allow, Deny],
            ),
        ),
        (
            "/realm-role",
            form(
                r#"realm_role("r")"#,
                json!({ "realm_role": "r" }),
                "Requires realm role `r`.",
                [Allow, Deny],
            ),
        ),
        (
            "/client-role",
            form(
                r#"client_role("c", "r")"#,
                json!({ "client_role": { "client": "c", "role": "r" } }),
                "Requires role `r` of client `c`.",
                [Deny, Deny],
            ),
        ),
        (
            "/group",
            form(
                r#"group("/g")"#,
                json!({ "group": "/g" }),
                "Requires group `/g`.",
                [Deny, Allow],
            ),
        ),
        (
            "/group-tree",
            form(
                r#"group_tree("/g")"#,
                json!({ "group_tree": "/g" }),
                "Requires group `/g` or one below it.",
                [Deny, Allow],
            ),
        ),
        (
            "/scope",
            Form {
                scopes: json!([["s"]]),
                ..form(
                    r#"scope("s")"#,
                    json!({ "scope": "s" }),
                    "Requires scope `s`.",
                    [Depends, Depends],
                )
            },
        ),
        (
            "/claim-text",
            form(
                r#"claim("a.b" = "x")"#,
                json!({ "claim": { "path": "a.b", "value": "x" } }),
                "Requires claim `a.b` = `\"x\"`.",
                [Depends, Depends],
            ),
        ),
        (
            "/claim-number",
            form(
                r#"claim("n" = 7)"#,
                json!({ "claim": { "path": "n", "value": 7 } }),
                "Requires claim `n` = `7`.",
                [Depends, Depends],
            ),
        ),
        (
            "/claim-boolean",
            form(
                r#"claim("b" = true)"#,
                json!({ "claim": { "path": "b", "value": true } }),
                "Requires claim `b` = `true`.",
                [Depends, Depends],
            ),
        ),
        (
            "/acr",
            form(
                r#"acr("2")"#,
                json!({ "acr": "2" }),
                "Requires a login of authentication context class `2`.",
                [Depends, Depends],
            ),
        ),
        (
            "/max-age",
            form(
                "max_age(60)",
                json!({ "max_age": 60 }),
                "Requires a login not older than 60 s.",
                [Depends, Depends],
            ),
        ),
        (
            "/owner/{id}",
            form(
                r#"owner("id")"#,
                json!({ "owner": { "parameter": "id", "claim": "sub" } }),
                "Requires path parameter `id` to be the caller's `sub`.",
                [Depends, Depends],
            ),
        ),
        (
            "/owner-claim/{id}",
            form(
                r#"owner("id" = "email")"#,
                json!({ "owner": { "parameter": "id", "claim": "email" } }),
                "Requires path parameter `id` to be the caller's `email`.",
                [Depends, Depends],
            ),
        ),
        (
            "/all",
            Form {
                scopes: json!([["s"]]),
                ..form(
                    r#"all(realm_role("r"), scope("s"))"#,
                    json!({ "all": [{ "realm_role": "r" }, { "scope": "s" }] }),
                    "Requires realm role `r` and scope `s`.",
                    [Depends, Deny],
                )
            },
        ),
        (
            "/any",
            Form {
                scopes: json!([[], ["s"]]),
                ..form(
                    r#"any(realm_role("r"), scope("s"))"#,
                    json!({ "any": [{ "realm_role": "r" }, { "scope": "s" }] }),
                    "Requires realm role `r` or scope `s`.",
                    [Allow, Depends],
                )
            },
        ),
        (
            "/not",
            form(
                r#"not(realm_role("r"))"#,
                json!({ "not": { "realm_role": "r" } }),
                "Requires not realm role `r`.",
                [Deny, Allow],
            ),
        ),
        (
            "/simple-all",
            form(
                r#"all(role("a"), role("b"), group("/g"))"#,
                json!({ "all": [{ "role": "a" }, { "role": "b" }, { "group": "/g" }] }),
                "Requires role `a`, role `b` and group `/g`.",
                [Deny, Deny],
            ),
        ),
        (
            "/simple-any",
            form(
                r#"any(realm_role("r"), group("/g"))"#,
                json!({ "any": [{ "realm_role": "r" }, { "group": "/g" }] }),
                "Requires realm role `r` or group `/g`.",
                [Allow, Allow],
            ),
        ),
    ]
}

#[test]
fn every_production_has_its_form_everywhere() {
    let router = router();
    let matrix = router
        .access_matrix()
        .for_subjects([Subject::realm_role("r"), Subject::group("/g")]);
    let document = serde_json::to_value(router.openapi()).expect("a document");
    let forms = forms();
    assert_eq!(matrix.rows().len(), forms.len());
    for (path, form) in forms {
        let row = matrix.rows().iter().find(|row| row.path() == path).expect("a row");
        assert_eq!(row.policy().to_string(), form.expression, "{path}");
        assert_eq!(serde_json::to_value(row.policy()).expect("data"), form.data, "{path}");
        assert_eq!(row.policy().requirement(), form.sentence, "{path}");
        let access = ["r", "/g"].map(|subject| matrix.access(subject, "GET", path));
        assert_eq!(access, form.access.map(Some), "{path}");

        let operation = &document["paths"][path]["get"];
        assert_eq!(operation["description"], form.sentence, "{path}");
        let mut extension = form.data;
        extension["expression"] = json!(form.expression);
        assert_eq!(operation["x-keycloak-policy"], extension, "{path}");
        let security = operation["security"].as_array().expect("a list");
        let scopes: Vec<_> = security
            .iter()
            .filter_map(|requirement| requirement.get("keycloak"))
            .collect();
        assert_eq!(json!(scopes), form.scopes, "{path}");
    }
}
