//! The policies with their outcomes: each cell is written by hand from the realm file.

use keycloak_auth::{SecureRouter, keycloak, routing::get};

/// A policy, the outcome for each caller in the order of [`COLUMNS`], and what a refusal says.
///
/// `+`: admitted; `-`: denied, 403; `^`: another login is asked for, 401.
pub struct Row {
    pub path: &'static str,
    outcomes: &'static str,
    pub refusal: Refusal,
}

#[derive(Clone, Copy)]
pub struct Refusal {
    pub code: &'static str,
    pub scope: Option<&'static str>,
    pub acr: Option<&'static str>,
    pub max_age: Option<u64>,
}

const FORBIDDEN: Refusal = Refusal {
    code: "forbidden",
    scope: None,
    acr: None,
    max_age: None,
};
const ROLES: Refusal = Refusal {
    code: "missing_roles",
    ..FORBIDDEN
};
const GROUPS: Refusal = Refusal {
    code: "missing_groups",
    ..FORBIDDEN
};

impl Refusal {
    const fn scope(scope: &'static str) -> Self {
        Self {
            code: "missing_scopes",
            scope: Some(scope),
            ..FORBIDDEN
        }
    }

    const fn or_acr(self, acr: &'static str) -> Self {
        Self { acr: Some(acr), ..self }
    }

    const fn or_max_age(self, seconds: u64) -> Self {
        Self {
            max_age: Some(seconds),
            ..self
        }
    }
}

impl Row {
    /// What the caller of this column is to see.
    pub fn outcome(&self, column: char) -> char {
        assert_eq!(self.outcomes.len(), COLUMNS.len(), "{}", self.path);
        let place = COLUMNS.find(column).expect("a caller has a column");
        char::from(self.outcomes.as_bytes()[place])
    }
}

macro_rules! table {
    ($($name:ident $policy:tt => $outcomes:literal $refusal:expr;)*) => {
        $(
            #[keycloak $policy]
            async fn $name() -> &'static str {
                stringify!($name)
            }
        )*

        pub const ROWS: &[Row] = &[
            $(Row { path: concat!("/", stringify!($name)), outcomes: $outcomes, refusal: $refusal }),*
        ];

        pub fn routes() -> SecureRouter {
            SecureRouter::new()$(.route(concat!("/", stringify!($name)), get($name)))*
        }
    };
}

/// The callers:
///
/// - `A`, `B`, `C`, `D`: Alice, Bob, Carol and Dave by `orders-web`;
/// - `P`: Alice with the scope `phone`;
/// - `K`: Alice, who has logged in on the login page;
/// - `W`: the service account of `orders-worker`;
/// - `X`: Bob's token as `orders-api` has exchanged it, at a service that does not check the audience;
/// - `L`: Alice by `orders-light`, whose tokens are lightweight;
/// - `I`: the same, introspected; `orders-light` has no mapper for groups.
const COLUMNS: &str = "A P K B C D W X L I";

table! {
    authenticated (authenticated)                                 => "+ + + + + + + + + +" FORBIDDEN;

    admin (roles = "admin")                                       => "+ + + - - - - - - +" ROLES;
    clerk (roles = "clerk")                                       => "- - - + - - - + - -" ROLES;
    staff (roles = "staff")                                       => "- - - + - - - + - -" ROLES;
    auditor (roles = "auditor")                                   => "- - - - + - - - - -" ROLES;
    read (roles = "orders:read")                                  => "- - - + - - + + - -" ROLES;
    write (roles = "orders:write")                                => "- - - - - - + - - -" ROLES;
    clerk_who_reads (roles = ["clerk", "orders:read"])            => "- - - + - - - + - -" ROLES;
    clerk_or_reader (roles = ["clerk", "orders:read"], any)       => "- - - + - - + + - -" ROLES;

    realm_admin (realm_roles = "admin")                           => "+ + + - - - - - - +" ROLES;
    realm_read (realm_roles = "orders:read")                      => "- - - - - - - - - -" ROLES;

    orders_read (client_roles("orders-api" = "orders:read"))      => "- - - + - - + + - -" ROLES;
    orders_both (client_roles("orders-api" = ["orders:read", "orders:write"]))
                                                                  => "- - - - - - + - - -" ROLES;
    orders_admin (client_roles("orders-api" = "admin"))           => "- - - - - - - - - -" ROLES;
    orders_clerk (client_roles("orders-api" = "clerk"))           => "- - - - - - - - - -" ROLES;
    billing_admin (client_roles("billing-api" = "admin"))         => "- - - - + - - - - -" ROLES;

    ops (groups = "/ops")                                         => "+ + + - - - - - - -" GROUPS;
    oncall (groups = "/ops/oncall")                               => "- - - + - - - - - -" GROUPS;
    finance (groups = "finance")                                  => "- - - - + - - - - -" GROUPS;
    ops_and_below (group_tree("/ops"))                            => "+ + + + - - - - - -" GROUPS;
    oncall_and_below (group_tree("/ops/oncall"))                  => "- - - + - - - - - -" GROUPS;
    op_and_below (group_tree("/op"))                              => "- - - - - - - - - -" GROUPS;

    email (scopes = "email")                                      => "+ + + + + + + + + +" Refusal::scope("email");
    email_and_profile (scopes = ["email", "profile"])             => "+ + + + + + + + + +" FORBIDDEN;
    phone (scopes = "phone")                                      => "- + - - - - - - - -" Refusal::scope("phone");

    admin_or_finance (roles = "admin", groups = "/finance", any)  => "+ + + - + - - - - +" FORBIDDEN;
    oncall_clerk (groups = "/ops/oncall", roles = "clerk")        => "- - - + - - - - - -" GROUPS;
    not_admin (not(role("admin")))                                => "- - - + + + + + + -" FORBIDDEN;
    ops_but_no_clerk (all(any(role("admin"), group_tree("/ops")), not(role("clerk"))))
                                                                  => "+ + + - - - - - - +" FORBIDDEN;
    clerk_of_ops_or_auditor (any(all(role("clerk"), group("/ops")), role("auditor")))
                                                                  => "- - - - + - - - - -" FORBIDDEN;

    by_email (claim("email" = "alice@acme.test"))                 => "+ + + - - - - - - +" FORBIDDEN;
    verified (claim("email_verified" = true))                     => "+ + + + + + - + - +" FORBIDDEN;
    by_worker (claim("azp" = "orders-worker"))                    => "- - - - - - + - - -" FORBIDDEN;

    level_one (acr("1"))                                          => "+ + + + + + + + ^ +" FORBIDDEN.or_acr("1");
    gold (acr("gold"))                                            => "^ ^ ^ ^ ^ ^ ^ ^ ^ ^" FORBIDDEN.or_acr("gold");
    gold_admin (all(role("admin"), acr("gold")))                  => "^ ^ ^ - - - - - - ^" ROLES.or_acr("gold");
    gold_or_admin (any(role("admin"), acr("gold")))               => "+ + + ^ ^ ^ ^ ^ ^ +" FORBIDDEN.or_acr("gold");
    recent (max_age(300))                                         => "^ ^ + ^ ^ ^ ^ ^ ^ ^" FORBIDDEN.or_max_age(300);
}
