use serde_json::{Value, json};

use super::*;
use crate::dev::model::Path;

/// A credential as an export has it.
fn hashed(algorithm: &str, iterations: u32, hash: &str, salt: &str, parameters: &Value) -> CredentialFile {
    let data = json!({
        "hashIterations": iterations,
        "algorithm": algorithm,
        "additionalParameters": parameters,
    });
    let secret = json!({ "value": hash, "salt": salt, "additionalParameters": {} });
    CredentialFile {
        kind: Some("password".to_owned()),
        value: None,
        secret_data: Some(secret.to_string()),
        credential_data: Some(data.to_string()),
    }
}

fn read(file: &CredentialFile) -> Result<Password, String> {
    Password::read(file, &Path::new("credentials[0]")).map_err(|error| error.to_string())
}

#[test]
fn verifies_what_keycloak_hashed() {
    // Of an export of Keycloak 26.7.3.
    let parameters = json!({
        "hashLength": ["32"], "memory": ["7168"], "type": ["id"], "version": ["1.3"], "parallelism": ["1"]
    });
    let hash = "FKUODDNth2vI8dSna4WhVEsrIxDUqQjZi2zmjfr9kXI=";
    let password = read(&hashed("argon2", 5, hash, "EJKRSiuLYv3N5QB6PqzTgA==", &parameters)).unwrap();
    assert!(password.is_hashed());
    assert!(password.matches("alice"));
    assert!(!password.matches("Alice"));
    assert!(!password.matches(""));
}

#[test]
fn verifies_pbkdf2_of_every_digest() {
    // By the implementation of Python's `hashlib`.
    for (algorithm, iterations, hash) in [
        ("pbkdf2", 2, "wBr/HWko+GPn1RqGcl6PTXcJy9g="),
        ("pbkdf2-sha256", 3, "BFuv4AZaLUs0VmEqR1SKjtfuvHBN+jzvu/oMxynubII="),
        (
            "pbkdf2-sha512",
            2,
            "x75m2se5r2jVJREFJ88qFTNa4s8IqxQF6HLzzj1i+gcCPI9Ppbvo9tJuYHOiREp5IngssMSpenAFXfQxhnb7WQ==",
        ),
        // Keycloak made hashes shorter than the digest, too.
        ("pbkdf2-sha512", 2, "x75m2se5r2jVJREFJ88qFTNa4s8IqxQF6HLzzj1i"),
    ] {
        let password = read(&hashed(
            algorithm,
            iterations,
            hash,
            "c2FsdHNhbHRzYWx0c2FsdA==",
            &json!({}),
        ))
        .unwrap();
        assert!(password.matches("secret"), "{algorithm}");
        assert!(!password.matches("Secret"), "{algorithm}");
    }
}

#[test]
fn says_what_is_wrong_with_a_hash() {
    let hash = "FKUODDNth2vI8dSna4WhVEsrIxDUqQjZi2zmjfr9kXI=";
    let salt = "EJKRSiuLYv3N5QB6PqzTgA==";
    for (file, expected) in [
        (
            hashed("scrypt", 1, hash, salt, &json!({})),
            "credentials[0].credentialData: the hash algorithm `scrypt` is not supported",
        ),
        (
            hashed("pbkdf2-sha256", 0, hash, salt, &json!({})),
            "credentials[0].credentialData: `hashIterations` is 0",
        ),
        (
            hashed("argon2", 5, hash, salt, &json!({ "type": ["x"] })),
            "credentials[0].credentialData: argon2 has no type `x`",
        ),
        (
            hashed("argon2", 5, hash, salt, &json!({ "memory": ["much"] })),
            "credentials[0].credentialData: the parameter `memory` is no number",
        ),
        (
            hashed("pbkdf2-sha256", 1, "#", salt, &json!({})),
            "credentials[0].secretData: `value` and `salt` are base64",
        ),
    ] {
        assert_eq!(read(&file).unwrap_err(), expected);
    }
}

#[test]
fn does_not_show_itself() {
    let password = Password::Plain("secret".to_owned());
    assert_eq!(format!("{password:?}"), "Password(redacted)");
}
