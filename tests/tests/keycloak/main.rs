//! What we assume of a real Keycloak, and what a service does with its tokens.

use std::process::ExitCode;

use keycloak_auth_tests::{claims_of, suite};

fn main() -> ExitCode {
    suite::run(vec![
        suite::test("access_tokens_name_their_issuer", async |keycloak| {
            let tokens = keycloak.realm().login("orders-web", "alice").await?;
            assert_eq!(claims_of(&tokens.access)["iss"], keycloak.realm().issuer());
            Ok(())
        }),
        suite::restarting_test("sessions_survive_a_restart", async |keycloak| {
            let realm = keycloak.realm();
            let tokens = realm.login("orders-web", "bob").await?;
            keycloak.stop().await?;
            assert!(realm.login("orders-web", "bob").await.is_err());
            keycloak.start_again().await?;
            let refresh = tokens.refresh.expect("a refresh token");
            realm.grant("orders-web").refresh(&refresh).send().await?;
            Ok(())
        }),
    ])
}
