//! The program as a newcomer starts it.

use std::{net::TcpListener, process::Command};

#[test]
fn an_address_that_is_taken_is_named() {
    // Taken by this test, or by somebody else before it.
    let _listener = TcpListener::bind("127.0.0.1:3000");
    let output = Command::new(env!("CARGO_BIN_EXE_minimal"))
        .env("KEYCLOAK_SERVER_URL", "http://127.0.0.1:1")
        .env("KEYCLOAK_REALM", "acme")
        .env("KEYCLOAK_CLIENT_ID", "orders-api")
        .env("KEYCLOAK_AUDIENCE", "orders-api")
        .output()
        .expect("the program starts");
    let error = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("cannot listen on 127.0.0.1:3000: "), "{error}");
}
