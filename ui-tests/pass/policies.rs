//! What each form means, as data.
#![deny(warnings)]

use keycloak_auth::{Policy, keycloak, policy};

mod policies {
    use keycloak_auth::{Policy, policy};

    pub(crate) const OPS: Policy = policy!(any(group_tree("/ops"), role("admin")));
}

const OWN: Policy = policy!(owner("id"));

macro_rules! policies {
    ($($name:ident: $policy:tt => $value:expr;)*) => {
        $({
            #[keycloak $policy]
            async fn $name() {}
            let _: axum::Router = axum::Router::new().route("/", axum::routing::get($name));
            assert_eq!(policy! $policy, $value, stringify!($name));
        })*
    };
}

fn main() {
    use Policy::*;

    policies! {
        everyone: (public) => Public;
        caller: (authenticated) => Authenticated;
        trailing_comma: (authenticated,) => Authenticated;
        single: (roles = "admin") => Role("admin");
        one_element: (roles = ["admin"]) => Role("admin");
        single_any: (roles = "admin", any) => Role("admin");
        list: (roles = ["a", "b"]) => All(&[Role("a"), Role("b")]);
        list_trailing: (roles = ["a", "b",],) => All(&[Role("a"), Role("b")]);
        list_all: (roles = ["a", "b"], all) => All(&[Role("a"), Role("b")]);
        list_any: (roles = ["a", "b"], any,) => Any(&[Role("a"), Role("b")]);
        raw_string: (roles = r#"a"b"#) => Role("a\"b");
        realm_roles: (realm_roles = "a") => RealmRole("a");
        groups: (groups = ["/ops", "dev", "/a/b"]) => All(&[Group("/ops"), Group("/dev"), Group("/a/b")]);
        scopes: (scopes = "orders:read") => Scope("orders:read");
        clients: (client_roles("c" = ["x", "y"]), client_roles("d" = "x",), any) => Any(&[
            ClientRole { client: "c", role: "x" },
            ClientRole { client: "c", role: "y" },
            ClientRole { client: "d", role: "x" },
        ]);
        written_order: (groups = "/g", roles = ["r", "s"], scopes = "t", any) =>
            Any(&[Group("/g"), Role("r"), Role("s"), Scope("t")]);
        same_name_of_two_kinds: (roles = "x", groups = "x") => All(&[Role("x"), Group("/x")]);
        with_crate: (crate = keycloak_auth, roles = "a") => Role("a");
        with_crate_last: (roles = ["a", "b"], any, crate = ::keycloak_auth) => Any(&[Role("a"), Role("b")]);

        role: (role("a")) => Role("a");
        nested: (all(any(role("a"), group("b")), not(scope("c")))) =>
            All(&[Any(&[Role("a"), Group("/b")]), Not(&Scope("c"))]);
        realm_role: (realm_role("a")) => RealmRole("a");
        all: (all(role("a"), scope("s"),)) => All(&[Role("a"), Scope("s")]);
        any: (any(role("a"), group("/g"))) => Any(&[Role("a"), Group("/g")]);
        not: (not(scope("s"))) => Not(&Scope("s"));
        group: (group("/ops/oncall")) => Group("/ops/oncall");
        scope: (scope("orders:read")) => Scope("orders:read");
        client_role: (client_role("c", "r")) => ClientRole { client: "c", role: "r" };
        group_tree: (group_tree("ops")) => GroupTree("/ops");
        claim_string: (claim("address.country" = "DE")) => Claim {
            path: "address.country",
            value: keycloak_auth::policy::ClaimValue::String("DE"),
        };
        claim_integer: (claim("level" = -3)) => Claim {
            path: "level",
            value: keycloak_auth::policy::ClaimValue::Integer(-3),
        };
        claim_boolean: (claim("email_verified" = true)) => Claim {
            path: "email_verified",
            value: keycloak_auth::policy::ClaimValue::Boolean(true),
        };
        claim_with_dots: (claim("https://acme\\.test/no\\..x" = 1)) => Claim {
            path: "https://acme\\.test/no\\..x",
            value: keycloak_auth::policy::ClaimValue::Integer(1),
        };
        acr: (acr("gold")) => Acr("gold");
        max_age: (max_age(300)) => MaxAge(300);
        owner: (owner("id")) => Owner { parameter: "id", claim: "sub" };
        owner_of: (owner("name" = "preferred_username")) => Owner {
            parameter: "name",
            claim: "preferred_username",
        };
        owner_of_a_path: (owner("tenant" = "tenant.id")) => Owner {
            parameter: "tenant",
            claim: "tenant.id",
        };
        constant: (OWN) => OWN;
        constant_of_a_module: (any(policies::OPS, OWN, crate::OWN_TOO)) =>
            Any(&[Any(&[GroupTree("/ops"), Role("admin")]), OWN, Scope("s")]);
    }
}

const OWN_TOO: Policy = policy!(scopes = "s");
