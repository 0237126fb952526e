//! Every caller against every kind of policy.

mod rows;

use std::sync::Arc;

use anyhow::{Context as _, Result};
use keycloak_auth::KeycloakBuilder;
use keycloak_auth_tests::{Answer, Browser, Keycloak, Realm, Service, suite};

use self::rows::{ROWS, routes};
use crate::{
    answers::{assert_admitted, assert_denied, assert_no_credentials, assert_step_up},
    setup::{builder, introspecting, without_audience},
};

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
        answers.push((row, row.outcome(column), answer));
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
