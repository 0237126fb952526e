//! Every production of the policy language, as the guide lists them.

use std::time::Duration;

use Access::{Allow, Deny, Depends};
use keycloak_auth::{Policy, SecureRouter, access_matrix::Access, keycloak, policy, secure_routes};
use serde_json::json;

use super::production::{Order, Production, productions};

const OPS: Policy = policy!(any(group_tree("/g"), role("r")));

productions! {
    public "/public": (public) {
        admits: |t| t.expired(), refuses: None,
        expression: "public", data: { "public": true },
        sentence: "Open to everybody, without an access token.",
        access: [Allow, Allow], scopes: [],
    }
    authenticated "/authenticated": (authenticated) {
        admits: |t| t, refuses: Some((|t| t.expired(), 401)),
        expression: "authenticated", data: { "authenticated": true },
        sentence: "Requires a valid access token.",
        access: [Allow, Allow], scopes: [[]],
    }
    roles "/roles": (roles = "r") {
        admits: |t| t.realm_role("r"), refuses: Some((|t| t.client_role("other", "r"), 403)),
        expression: r#"role("r")"#, data: { "role": "r" },
        sentence: "Requires role `r`.",
        access: [Allow, Deny], scopes: [[]],
    }
    role "/role": (role("r")) {
        admits: |t| t.client_role("orders-api", "r"), refuses: Some((|t| t.client_role("other", "r"), 403)),
        expression: r#"role("r")"#, data: { "role": "r" },
        sentence: "Requires role `r`.",
        access: [Allow, Deny], scopes: [[]],
    }
    realm_roles "/realm-roles": (realm_roles = "r") {
        admits: |t| t.realm_role("r"), refuses: Some((|t| t.client_role("orders-api", "r"), 403)),
        expression: r#"realm_role("r")"#, data: { "realm_role": "r" },
        sentence: "Requires realm role `r`.",
        access: [Allow, Deny], scopes: [[]],
    }
    realm_role "/realm-role": (realm_role("r")) {
        admits: |t| t.realm_role("r"), refuses: Some((|t| t.realm_role("R"), 403)),
        expression: r#"realm_role("r")"#, data: { "realm_role": "r" },
        sentence: "Requires realm role `r`.",
        access: [Allow, Deny], scopes: [[]],
    }
    client_roles "/client-roles": (client_roles("c" = ["a", "b"])) {
        admits: |t| t.client_role("c", "a").client_role("c", "b"), refuses: Some((|t| t.client_role("c", "a").realm_role("b"), 403)),
        expression: r#"all(client_role("c", "a"), client_role("c", "b"))"#, data: { "all": [{ "client_role": { "client": "c", "role": "a" } }, { "client_role": { "client": "c", "role": "b" } }] },
        sentence: "Requires role `a` of client `c` and role `b` of client `c`.",
        access: [Deny, Deny], scopes: [[]],
    }
    client_role "/client-role": (client_role("c", "r")) {
        admits: |t| t.client_role("c", "r"), refuses: Some((|t| t.client_role("d", "r").realm_role("r"), 403)),
        expression: r#"client_role("c", "r")"#, data: { "client_role": { "client": "c", "role": "r" } },
        sentence: "Requires role `r` of client `c`.",
        access: [Deny, Deny], scopes: [[]],
    }
    groups "/groups": (groups = "g") {
        admits: |t| t.group("/g"), refuses: Some((|t| t.group("/g/h"), 403)),
        expression: r#"group("/g")"#, data: { "group": "/g" },
        sentence: "Requires group `/g`.",
        access: [Deny, Allow], scopes: [[]],
    }
    group "/group": (group("/g")) {
        admits: |t| t.group("/g"), refuses: Some((|t| t.group("/gx"), 403)),
        expression: r#"group("/g")"#, data: { "group": "/g" },
        sentence: "Requires group `/g`.",
        access: [Deny, Allow], scopes: [[]],
    }
    group_tree "/group-tree": (group_tree("/g")) {
        admits: |t| t.group("/g/h"), refuses: Some((|t| t.group("/gx"), 403)),
        expression: r#"group_tree("/g")"#, data: { "group_tree": "/g" },
        sentence: "Requires group `/g` (or one below it).",
        access: [Deny, Allow], scopes: [[]],
    }
    scopes "/scopes": (scopes = ["a", "b"], any) {
        admits: |t| t.scope("b"), refuses: Some((|t| t.scope("ab"), 403)),
        expression: r#"any(scope("a"), scope("b"))"#, data: { "any": [{ "scope": "a" }, { "scope": "b" }] },
        sentence: "Requires scope `a` or scope `b`.",
        access: [Depends, Depends], scopes: [["a"], ["b"]],
    }
    scope "/scope": (scope("s")) {
        admits: |t| t.scope("s"), refuses: Some((|t| t, 403)),
        expression: r#"scope("s")"#, data: { "scope": "s" },
        sentence: "Requires scope `s`.",
        access: [Depends, Depends], scopes: [["s"]],
    }
    claim_text "/claim-text": (claim("a.b" = "x")) {
        admits: |t| t.claim("a", json!({ "b": "x" })), refuses: Some((|t| t.claim("a.b", "x"), 403)),
        expression: r#"claim("a.b" = "x")"#, data: { "claim": { "path": "a.b", "value": "x" } },
        sentence: "Requires claim `a.b` = `\"x\"`.",
        access: [Depends, Depends], scopes: [[]],
    }
    claim_in_array "/claim-in-array": (claim("a" = "x")) {
        admits: |t| t.claim("a", vec!["w", "x"]), refuses: Some((|t| t.claim("a", vec!["xy"]), 403)),
        expression: r#"claim("a" = "x")"#, data: { "claim": { "path": "a", "value": "x" } },
        sentence: "Requires claim `a` = `\"x\"`.",
        access: [Depends, Depends], scopes: [[]],
    }
    claim_number "/claim-number": (claim("n" = -3)) {
        admits: |t| t.claim("n", -3), refuses: Some((|t| t.claim("n", "-3"), 403)),
        expression: r#"claim("n" = -3)"#, data: { "claim": { "path": "n", "value": -3 } },
        sentence: "Requires claim `n` = `-3`.",
        access: [Depends, Depends], scopes: [[]],
    }
    claim_boolean "/claim-boolean": (claim("b" = true)) {
        admits: |t| t.claim("b", true), refuses: Some((|t| t.claim("b", "true"), 403)),
        expression: r#"claim("b" = true)"#, data: { "claim": { "path": "b", "value": true } },
        sentence: "Requires claim `b` = `true`.",
        access: [Depends, Depends], scopes: [[]],
    }
    acr "/acr": (acr("2")) {
        admits: |t| t.acr("2"), refuses: Some((|t| t.acr("1"), 401)),
        expression: r#"acr("2")"#, data: { "acr": "2" },
        sentence: "Requires a login of authentication context class `2`.",
        access: [Depends, Depends], scopes: [[]],
    }
    max_age "/max-age": (max_age(60)) {
        admits: |t| t.authenticated_ago(Duration::from_secs(60)), refuses: Some((|t| t.authenticated_ago(Duration::from_secs(61)), 401)),
        expression: "max_age(60)", data: { "max_age": 60 },
        sentence: "Requires a login not older than 60 s.",
        access: [Depends, Depends], scopes: [[]],
    }
    owner "/owner/{id}" ["id" = String, Path]: (owner("id")) {
        admits: |t| t.claim("sub", "u-1"), refuses: Some((|t| t.claim("sub", "u-2"), 403)),
        expression: r#"owner("id")"#, data: { "owner": { "parameter": "id", "claim": "sub" } },
        sentence: "Requires path parameter `id` to be the caller's `sub`.",
        access: [Depends, Depends], scopes: [[]],
    }
    owner_claim "/owner-claim/{id}" ["id" = String, Path]: (owner("id" = "team")) {
        admits: |t| t.claim("team", "u-1"), refuses: Some((|t| t.claim("sub", "u-1"), 403)),
        expression: r#"owner("id" = "team")"#, data: { "owner": { "parameter": "id", "claim": "team" } },
        sentence: "Requires path parameter `id` to be the caller's `team`.",
        access: [Depends, Depends], scopes: [[]],
    }
    all "/all": (all(realm_role("r"), scope("s"))) {
        admits: |t| t.realm_role("r").scope("s"), refuses: Some((|t| t.realm_role("r"), 403)),
        expression: r#"all(realm_role("r"), scope("s"))"#, data: { "all": [{ "realm_role": "r" }, { "scope": "s" }] },
        sentence: "Requires realm role `r` and scope `s`.",
        access: [Depends, Deny], scopes: [["s"]],
    }
    any "/any": (any(realm_role("r"), scope("s"))) {
        admits: |t| t.scope("s"), refuses: Some((|t| t.scope("r"), 403)),
        expression: r#"any(realm_role("r"), scope("s"))"#, data: { "any": [{ "realm_role": "r" }, { "scope": "s" }] },
        sentence: "Requires realm role `r` or scope `s`.",
        access: [Allow, Depends], scopes: [[], ["s"]],
    }
    not "/not": (not(realm_role("r"))) {
        admits: |t| t, refuses: Some((|t| t.realm_role("r"), 403)),
        expression: r#"not(realm_role("r"))"#, data: { "not": { "realm_role": "r" } },
        sentence: "Requires that the caller does not have realm role `r`.",
        access: [Deny, Allow], scopes: [[]],
    }
    nested "/nested": (all(any(role("r"), role("a")), not(role("b")))) {
        admits: |t| t.realm_role("r"), refuses: Some((|t| t.realm_role("r").realm_role("b"), 403)),
        expression: r#"all(any(role("r"), role("a")), not(role("b")))"#, data: { "all": [{ "any": [{ "role": "r" }, { "role": "a" }] }, { "not": { "role": "b" } }] },
        sentence: "Requires (role `r` or role `a`), and that the caller does not have role `b`.",
        access: [Allow, Deny], scopes: [[]],
    }
    inner_any "/inner-any": (all(any(role("r"), role("a")), group("/g"))) {
        admits: |t| t.realm_role("a").group("/g"), refuses: Some((|t| t.realm_role("r").realm_role("a"), 403)),
        expression: r#"all(any(role("r"), role("a")), group("/g"))"#, data: { "all": [{ "any": [{ "role": "r" }, { "role": "a" }] }, { "group": "/g" }] },
        sentence: "Requires (role `r` or role `a`), and group `/g`.",
        access: [Deny, Deny], scopes: [[]],
    }
    scope_alternatives "/scope-alternatives": (all(scope("o"), any(scope("a"), scope("b"), role("r")))) {
        admits: |t| t.scope("o").scope("b"), refuses: Some((|t| t.scope("a").scope("b").realm_role("r"), 403)),
        expression: r#"all(scope("o"), any(scope("a"), scope("b"), role("r")))"#, data: { "all": [{ "scope": "o" }, { "any": [{ "scope": "a" }, { "scope": "b" }, { "role": "r" }] }] },
        sentence: "Requires scope `o`, and (scope `a`, scope `b` or role `r`).",
        access: [Depends, Depends], scopes: [["o", "a"], ["o", "b"], ["o"]],
    }
    lists_all "/lists-all": (roles = ["r", "a"], groups = "/g") {
        admits: |t| t.realm_role("r").realm_role("a").group("/g"), refuses: Some((|t| t.realm_role("r").group("/g"), 403)),
        expression: r#"all(role("r"), role("a"), group("/g"))"#, data: { "all": [{ "role": "r" }, { "role": "a" }, { "group": "/g" }] },
        sentence: "Requires role `r`, role `a` and group `/g`.",
        access: [Deny, Deny], scopes: [[]],
    }
    lists_said_all "/lists-said-all": (roles = ["a", "b"], all) {
        admits: |t| t.realm_role("b").realm_role("a"), refuses: Some((|t| t.realm_role("b"), 403)),
        expression: r#"all(role("a"), role("b"))"#, data: { "all": [{ "role": "a" }, { "role": "b" }] },
        sentence: "Requires role `a` and role `b`.",
        access: [Deny, Deny], scopes: [[]],
    }
    lists_any "/lists-any": (realm_roles = ["r", "a"], groups = "/g", any) {
        admits: |t| t.group("/g"), refuses: Some((|t| t.group("/r"), 403)),
        expression: r#"any(realm_role("r"), realm_role("a"), group("/g"))"#, data: { "any": [{ "realm_role": "r" }, { "realm_role": "a" }, { "group": "/g" }] },
        sentence: "Requires realm role `r`, realm role `a` or group `/g`.",
        access: [Allow, Allow], scopes: [[]],
    }
    roles_any "/roles-any": (roles = ["a", "b"], any) {
        admits: |t| t.realm_role("b"), refuses: Some((|t| t.client_role("other", "a").group("/b"), 403)),
        expression: r#"any(role("a"), role("b"))"#, data: { "any": [{ "role": "a" }, { "role": "b" }] },
        sentence: "Requires role `a` or role `b`.",
        access: [Deny, Deny], scopes: [[]],
    }
    realm_roles_all "/realm-roles-all": (realm_roles = ["r", "a"]) {
        admits: |t| t.realm_role("r").realm_role("a"), refuses: Some((|t| t.realm_role("r").client_role("orders-api", "a"), 403)),
        expression: r#"all(realm_role("r"), realm_role("a"))"#, data: { "all": [{ "realm_role": "r" }, { "realm_role": "a" }] },
        sentence: "Requires realm role `r` and realm role `a`.",
        access: [Deny, Deny], scopes: [[]],
    }
    client_roles_any "/client-roles-any": (client_roles("c" = ["a", "b"]), client_roles("d" = "a"), any) {
        admits: |t| t.client_role("d", "a"), refuses: Some((|t| t.client_role("d", "b").realm_role("a"), 403)),
        expression: r#"any(client_role("c", "a"), client_role("c", "b"), client_role("d", "a"))"#, data: { "any": [{ "client_role": { "client": "c", "role": "a" } }, { "client_role": { "client": "c", "role": "b" } }, { "client_role": { "client": "d", "role": "a" } }] },
        sentence: "Requires role `a` of client `c`, role `b` of client `c` or role `a` of client `d`.",
        access: [Deny, Deny], scopes: [[]],
    }
    groups_all "/groups-all": (groups = ["/g", "h"]) {
        admits: |t| t.group("/h").group("/g"), refuses: Some((|t| t.group("/g").group("/g/h"), 403)),
        expression: r#"all(group("/g"), group("/h"))"#, data: { "all": [{ "group": "/g" }, { "group": "/h" }] },
        sentence: "Requires group `/g` and group `/h`.",
        access: [Deny, Deny], scopes: [[]],
    }
    groups_any "/groups-any": (groups = ["/g", "h"], any) {
        admits: |t| t.group("/h"), refuses: Some((|t| t.group("/g/h"), 403)),
        expression: r#"any(group("/g"), group("/h"))"#, data: { "any": [{ "group": "/g" }, { "group": "/h" }] },
        sentence: "Requires group `/g` or group `/h`.",
        access: [Deny, Allow], scopes: [[]],
    }
    scopes_all "/scopes-all": (scopes = ["a", "b"]) {
        admits: |t| t.scope("b").scope("a"), refuses: Some((|t| t.scope("a"), 403)),
        expression: r#"all(scope("a"), scope("b"))"#, data: { "all": [{ "scope": "a" }, { "scope": "b" }] },
        sentence: "Requires scope `a` and scope `b`.",
        access: [Depends, Depends], scopes: [["a", "b"]],
    }
    constant "/constant": (OPS) {
        admits: |t| t.group("/g/h"), refuses: Some((|t| t.realm_role("g"), 403)),
        expression: r#"any(group_tree("/g"), role("r"))"#, data: { "any": [{ "group_tree": "/g" }, { "role": "r" }] },
        sentence: "Requires group `/g` (or one below it) or role `r`.",
        access: [Allow, Allow], scopes: [[]],
    }
    constant_inside "/constant-inside": (all(OPS, not(role("trainee")))) {
        admits: |t| t.realm_role("r"), refuses: Some((|t| t.realm_role("r").realm_role("trainee"), 403)),
        expression: r#"all(any(group_tree("/g"), role("r")), not(role("trainee")))"#, data: { "all": [{ "any": [{ "group_tree": "/g" }, { "role": "r" }] }, { "not": { "role": "trainee" } }] },
        sentence: "Requires (group `/g` (or one below it) or role `r`), and that the caller does not have role `trainee`.",
        access: [Allow, Allow], scopes: [[]],
    }
}
