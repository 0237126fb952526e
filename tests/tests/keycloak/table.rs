//! Every caller against every kind of policy; each cell is written by hand from `realm/acme.json`.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use keycloak_auth::{KeycloakBuilder, SecureRouter, keycloak, routing::get};
use keycloak_auth_tests::{Answer, Browser, Keycloak, Realm, Service, suite};

use crate::{
    answers::{assert_admitted, assert_denied, assert_no_credentials, assert_step_up},
    setup::{builder, introspecting, without_audience},
};

/// A policy, the outcome for each caller in the order of [`COLUMNS`], and what a refusal says.
///
/// `+`: admitted; `-`: denied, 403; `^`: another login is asked for, 401.
struct Row {
    path: &'static str,
    outcomes: &'static str,
    refusal: Refusal,
}

#[derive(Clone, Copy)]
struct Refusal {
    code: &'static str,
    scope: Option<&'static str>,
    acr: Option<&'static str>,
    max_age: Option<u64>,
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

macro_rules! table {
    ($($name:ident $policy:tt => $outcomes:literal $refusal:expr;)*) => {
        $(
            #[keycloak $policy]
            async fn $name() -> &'static str {
                stringify!($name)
            }
        )*

        const ROWS: &[Row] = &[
            $(Row { path: concat!("/", stringify!($name)), outcomes: $outcomes, refusal: $refusal }),*
        ];

        fn routes() -> SecureRouter {
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
    authenticated (authenticated)                                     => "+ + + + + + + + + +" FORBIDDEN;

    admin (roles = "admin")                                           => "+ + + - - - - - - +" ROLES;
    clerk (roles = "clerk")                                           => "- - - + - - - + - -" ROLES;
    staff (roles = "staff")                                           => "- - - + - - - + - -" ROLES;
    auditor (roles = "auditor")                                       => "- - - - + - - - - -" ROLES;
    read (roles = "orders:read")                                      => "- - - + - - + + - -" ROLES;
    write (roles = "orders:write")                                    => "- - - - - - + - - -" ROLES;
    clerk_who_reads (roles = ["clerk", "orders:read"])                => "- - - + - - - + - -" ROLES;
    clerk_or_reader (roles = ["clerk", "orders:read"], any)           => "- - - + - - + + - -" ROLES;

    realm_admin (realm_roles = "admin")                               => "+ + + - - - - - - +" ROLES;
    realm_read (realm_roles = "orders:read")                          => "- - - - - - - - - -" ROLES;

    orders_read (client_roles("orders-api" = "orders:read"))          => "- - - + - - + + - -" ROLES;
    orders_both (client_roles("orders-api" = ["orders:read", "orders:write"]))
                                                                      => "- - - - - - + - - -" ROLES;
    orders_admin (client_roles("orders-api" = "admin"))               => "- - - - - - - - - -" ROLES;
    orders_clerk (client_roles("orders-api" = "clerk"))               => "- - - - - - - - - -" ROLES;
    billing_admin (client_roles("billing-api" = "admin"))             => "- - - - + - - - - -" ROLES;

    ops (groups = "/ops")                                             => "+ + + - - - - - - -" GROUPS;
    oncall (groups = "/ops/oncall")                                   => "- - - + - - - - - -" GROUPS;
    finance (groups = "finance")                                      => "- - - - + - - - - -" GROUPS;
    ops_and_below (group_tree("/ops"))                                => "+ + + + - - - - - -" GROUPS;
    oncall_and_below (group_tree("/ops/oncall"))                      => "- - - + - - - - - -" GROUPS;
    op_and_below (group_tree("/op"))                                  => "- - - - - - - - - -" GROUPS;

    email (scopes = "email")                                          => "+ + + + + + + + + +" Refusal::scope("email");
    email_and_profile (scopes = ["email", "profile"])                 => "+ + + + + + + + + +" FORBIDDEN;
    phone (scopes = "phone")                                          => "- + - - - - - - - -" Refusal::scope("phone");

    admin_or_finance (roles = "admin", groups = "/finance", any)      => "+ + + - + - - - - +" FORBIDDEN;
    oncall_clerk (groups = "/ops/oncall", roles = "clerk")            => "- - - + - - - - - -" GROUPS;
    not_admin (not(role("admin")))                                    => "- - - + + + + + + -" FORBIDDEN;
    ops_but_no_clerk (all(any(role("admin"), group_tree("/ops")), not(role("clerk"))))
                                                                      => "+ + + - - - - - - +" FORBIDDEN;
    clerk_of_ops_or_auditor (any(all(role("clerk"), group("/ops")), role("auditor")))
                                                                      => "- - - - + - - - - -" FORBIDDEN;

    by_email (claim("email" = "alice@acme.test"))                     => "+ + + - - - - - - +" FORBIDDEN;
    verified (claim("email_verified" = true))                         => "+ + + + + + - + - +" FORBIDDEN;
    by_worker (claim("azp" = "orders-worker"))                        => "- - - - - - + - - -" FORBIDDEN;

    level_one (acr("1"))                                              => "+ + + + + + + + ^ +" FORBIDDEN.or_acr("1");
    gold (acr("gold"))                                                => "^ ^ ^ ^ ^ ^ ^ ^ ^ ^" FORBIDDEN.or_acr("gold");
    gold_admin (all(role("admin"), acr("gold")))                      => "^ ^ ^ - - - - - - ^" ROLES.or_acr("gold");
    gold_or_admin (any(role("admin"), acr("gold")))                   => "+ + + ^ ^ ^ ^ ^ ^ +" FORBIDDEN.or_acr("gold");
    recent (max_age(300))                                             => "^ ^ + ^ ^ ^ ^ ^ ^ ^" FORBIDDEN.or_max_age(300);
}

/// How a caller comes by a token.
#[derive(Clone, Copy)]
enum How {
    Password(&'static str),
    PasswordWithScope(&'static str, &'static str),
    Refresh(&'static str),
    LoginPage(&'static str),
    ClientCredentials,
    Exchange(&'static str),
    Lightweight(&'static str),
}

impl How {
    async fn token(self, realm: &Realm) -> Result<String> {
        let tokens = match self {
            Self::Password(user) => realm.login("orders-web", user).await?,
            Self::PasswordWithScope(user, scope) => {
                realm.grant("orders-web").password(user).scope(scope).send().await?
            }
            Self::Refresh(user) => {
                let refresh = realm.login("orders-web", user).await?.refresh;
                let refresh = refresh.context("no refresh token")?;
                realm.grant("orders-web").refresh(&refresh).send().await?
            }
            Self::LoginPage(user) => Browser::default().login(realm, "orders-web", user).await?,
            Self::ClientCredentials => realm.grant("orders-worker").client_credentials().send().await?,
            Self::Exchange(user) => {
                let tokens = realm.login("orders-web", user).await?;
                realm.grant("orders-api").exchange(&tokens.access).send().await?
            }
            Self::Lightweight(user) => realm.login("orders-light", user).await?,
        };
        Ok(tokens.access)
    }
}

pub fn tests() -> Vec<suite::Test> {
    let usual: fn(&Realm) -> KeycloakBuilder = builder;
    let any_audience: fn(&Realm) -> KeycloakBuilder = |realm| without_audience(realm).without_audience_check();
    let callers = [
        ("alice_by_password", 'A', How::Password("alice"), usual),
        ("alice_by_refresh", 'A', How::Refresh("alice"), usual),
        (
            "alice_by_password_introspected",
            'A',
            How::Password("alice"),
            introspecting,
        ),
        (
            "alice_with_another_scope",
            'P',
            How::PasswordWithScope("alice", "phone"),
            usual,
        ),
        ("alice_by_the_login_page", 'K', How::LoginPage("alice"), usual),
        (
            "alice_by_the_login_page_introspected",
            'K',
            How::LoginPage("alice"),
            introspecting,
        ),
        ("bob_by_password", 'B', How::Password("bob"), usual),
        ("bob_by_refresh", 'B', How::Refresh("bob"), usual),
        ("bob_by_password_introspected", 'B', How::Password("bob"), introspecting),
        ("carol_by_password", 'C', How::Password("carol"), usual),
        (
            "carol_by_password_introspected",
            'C',
            How::Password("carol"),
            introspecting,
        ),
        ("dave_by_password", 'D', How::Password("dave"), usual),
        ("worker_by_client_credentials", 'W', How::ClientCredentials, usual),
        (
            "worker_by_client_credentials_introspected",
            'W',
            How::ClientCredentials,
            introspecting,
        ),
        ("bob_by_token_exchange", 'X', How::Exchange("bob"), any_audience),
        ("alice_lightweight", 'L', How::Lightweight("alice"), usual),
        (
            "alice_lightweight_introspected",
            'I',
            How::Lightweight("alice"),
            introspecting,
        ),
    ];
    let mut tests: Vec<suite::Test> = callers
        .into_iter()
        .map(|(name, column, how, builder)| {
            suite::test(format!("table::{name}"), async move |keycloak| {
                let service = start(builder(keycloak.realm())).await;
                let token = how.token(keycloak.realm()).await?;
                check_column(&service, column, &token).await;
                Ok(())
            })
        })
        .collect();
    tests.push(suite::test("table::nobody", nobody));
    tests
}

async fn start(builder: KeycloakBuilder) -> Service {
    let keycloak = builder.build().expect("a valid configuration");
    Service::start(routes().secure_with(keycloak)).await
}

/// Compares the whole column at once, so that a failure shows its pattern, and then each answer in full.
async fn check_column(service: &Service, column: char, token: &str) {
    let mut answers = Vec::new();
    for row in ROWS {
        let answer = service.get_as(row.path, token).await;
        answers.push((row, expected(row, column), answer));
    }
    let wrong: Vec<String> = answers
        .iter()
        .filter(|(_, expected, answer)| *expected != observed(answer))
        .map(|(row, expected, answer)| format!("{}: `{expected}` expected, {answer:?}", row.path))
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    for (row, expected, answer) in &answers {
        let refusal = row.refusal;
        match expected {
            '+' => assert_admitted(answer, &row.path[1..]),
            '-' => assert_denied(answer, refusal.code, refusal.scope),
            _ => assert_step_up(answer, refusal.acr, refusal.max_age),
        }
    }
}

fn expected(row: &Row, column: char) -> char {
    assert_eq!(row.outcomes.len(), COLUMNS.len(), "{}", row.path);
    let place = COLUMNS.find(column).expect("a caller has a column");
    char::from(row.outcomes.as_bytes()[place])
}

fn observed(answer: &Answer) -> char {
    match answer.status {
        200 => '+',
        403 => '-',
        401 if answer.challenge().contains("insufficient_user_authentication") => '^',
        _ => '?',
    }
}

async fn nobody(keycloak: Arc<Keycloak>) -> Result<()> {
    let service = start(builder(keycloak.realm())).await;
    for row in ROWS {
        let answer = service.get(row.path).send().await;
        assert_no_credentials(&answer, keycloak.realm().name());
    }
    Ok(())
}
