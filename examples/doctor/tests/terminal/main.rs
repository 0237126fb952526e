//! The program as somebody calls it who looks for what is wrong.

mod exit_code;
mod proxies;

use std::process::{Command, Output};

use keycloak_auth::dev::{DevRealm, RunningDevRealm};

const CLIENT_SECRET: &str = "orders-api-secret";

async fn realm() -> RunningDevRealm {
    let realm = DevRealm::from_json(include_str!("../../../orders/realm.json")).expect("a realm file");
    realm.start().await.expect("loopback has a free port")
}

/// The program, for which only the test's variables count.
fn doctor(server_url: &str) -> Command {
    let mut doctor = Command::new(env!("CARGO_BIN_EXE_doctor"));
    for variable in [
        "ALL_PROXY",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "NO_PROXY",
        "all_proxy",
        "http_proxy",
        "https_proxy",
        "no_proxy",
        "ACCESS_TOKEN",
        "KEYCLOAK_AUDIENCE",
        "KEYCLOAK_CLIENT_SECRET",
        "KEYCLOAK_ISSUER",
    ] {
        doctor.env_remove(variable);
    }
    doctor.env("KEYCLOAK_SERVER_URL", server_url);
    doctor
        .env("KEYCLOAK_REALM", "acme")
        .env("KEYCLOAK_CLIENT_ID", "orders-api");
    doctor
}

/// Its exit code, and what it prints.
async fn run(mut doctor: Command) -> (Option<i32>, String) {
    let output = tokio::task::spawn_blocking(move || doctor.output());
    let Output { status, stdout, stderr } = output.await.expect("it ends").expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (status.code(), text(stdout) + &text(stderr))
}
