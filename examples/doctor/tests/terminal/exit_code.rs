//! What a script sees.

use super::{CLIENT_SECRET, doctor, realm, run};

#[tokio::test]
async fn nothing_that_fails_is_0() {
    let realm = realm().await;
    let mut sound = doctor(realm.server_url());
    // As a variable is that nobody has filled.
    sound
        .env("KEYCLOAK_CLIENT_SECRET", CLIENT_SECRET)
        .env("ACCESS_TOKEN", "");
    let (code, page) = run(sound).await;
    assert!(code == Some(0) && page.starts_with("ok: "), "{code:?} {page}");
    assert!(!page.contains(CLIENT_SECRET), "{page}");

    let mut as_json = doctor(realm.server_url());
    as_json.arg("--json");
    let (code, page) = run(as_json).await;
    let report: serde_json::Value = serde_json::from_str(&page).expect("JSON and nothing else");
    assert_eq!((code, &report["status"]), (Some(0), &"ok".into()), "{page}");
}

#[tokio::test]
async fn something_that_fails_is_1() {
    let realm = realm().await;
    let mut wrong_realm = doctor(realm.server_url());
    wrong_realm.env("KEYCLOAK_REALM", "Acme");
    let mut wrong_secret = doctor(realm.server_url());
    wrong_secret.env("KEYCLOAK_CLIENT_SECRET", "hunter2-canary");
    let mut bad_token = doctor(realm.server_url());
    bad_token.env("ACCESS_TOKEN", "e30.canary.e30");
    for (command, line) in [
        (wrong_realm, "FAILED: discovery: there is no realm `Acme`"),
        (
            wrong_secret,
            "FAILED: client: Keycloak does not accept the client `orders-api`",
        ),
        (bad_token, "FAILED: token: it is not accepted: malformed"),
    ] {
        let (code, page) = run(command).await;
        assert!(code == Some(1) && page.starts_with(line), "{line}: {code:?} {page}");
        assert!(!page.contains("canary"), "{page}");
    }
}

#[tokio::test]
async fn flags_that_make_no_sense_are_2() {
    let mut none = doctor("");
    none.env_remove("KEYCLOAK_SERVER_URL");
    let mut unknown = doctor("http://127.0.0.1:1");
    unknown.arg("--no-such-flag");
    let mut unreadable = doctor("http://127.0.0.1:1");
    unreadable.args(["--root-certificates", "/no/such/file"]);
    let mut introspecting = doctor("http://127.0.0.1:1");
    introspecting.args(["--introspection", "always"]);
    for (command, part) in [
        (none, "--server-url"),
        (unknown, "--no-such-flag"),
        (unreadable, "cannot read `/no/such/file`"),
        (
            doctor("ftp://id.example.com"),
            "`.server_url(…)`: `--server-url`, `KEYCLOAK_SERVER_URL`",
        ),
        (
            introspecting,
            "`.client_secret(…)`: `--client-secret`, `KEYCLOAK_CLIENT_SECRET`",
        ),
    ] {
        let (code, page) = run(command).await;
        assert!(code == Some(2) && page.contains(part), "{part}: {code:?} {page}");
    }
}
