//! The program as a newcomer starts it.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, ChildStdout, Command, Stdio},
};

/// The program, with what it has printed until it serves. It ends with the test, however that ends.
struct Program {
    child: Child,
    output: BufReader<ChildStdout>,
    printed: String,
}

impl Program {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_orders"))
            .args(["--listen", "127.0.0.1:0"])
            .args(arguments)
            // The flags' variables must not reach into the test.
            .env_remove("LISTEN")
            .env_remove("KEYCLOAK_SERVER_URL")
            .env_remove("REALM_FILE")
            .env("RUST_LOG", "off")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut output = BufReader::new(child.stdout.take().expect("piped"));
        let mut printed = String::new();
        while !printed.ends_with("Ctrl-C ends it.\n") && output.read_line(&mut printed).expect("text") > 0 {}
        Self { child, output, printed }
    }

    /// What the program prints as `name` and an address.
    fn address(&self, name: &str) -> &str {
        let line = self.printed.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|rest| rest.split_whitespace().next()).expect(name)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn shell(command: &str) -> String {
    let output = Command::new("sh").args(["-c", command]).output().expect("a shell");
    assert!(output.status.success(), "{command}: {output:?}");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn the_printed_line_gets_a_token_and_the_orders_and_ctrl_c_ends_it_cleanly() {
    let mut program = Program::start(&[]);
    let line = program.printed.split_once("In a terminal\n").expect("a line to try").1;
    let line = line.split_once("\n\n").expect("an end").0.to_owned();
    assert!(shell(&line).contains("Espresso beans"), "{line}");
    let refused = shell(&line.replace("alice", "carol"));
    assert!(refused.contains("missing_roles"), "{refused}");
    for user in ["alice", "bob", "carol", "dave"] {
        assert!(
            program.printed.contains(&format!("  {user:<8} {user}\n")),
            "{}",
            program.printed
        );
    }
    let landing = shell(&format!("curl -s {}", program.address("Orders")));
    assert!(landing.contains("Who may call what"), "{landing}");
    assert!(shell(&format!("curl -s {}", program.address("Swagger UI"))).contains("swagger-ui"));

    shell(&format!("kill -INT {}", program.child.id()));
    assert!(program.child.wait().expect("it ends").success());
    let mut rest = String::new();
    program.output.read_to_string(&mut rest).expect("text");
    assert_eq!(rest, "bye\n");
}

#[test]
fn mistakes_are_told_with_what_to_do() {
    for (arguments, expected) in [
        (["--realm-file", "nowhere.json"], "nowhere.json"),
        (["--realm-file", "Cargo.toml"], "Cargo.toml"),
        (["--keycloak-url", "ftp://id.example.com"], "server_url"),
        (["--listen", "localhost"], "--listen"),
    ] {
        let mut program = Program::start(&arguments);
        let status = program.child.wait().expect("it ends");
        let mut errors = String::new();
        program
            .child
            .stderr
            .take()
            .expect("piped")
            .read_to_string(&mut errors)
            .expect("text");
        assert!(
            !status.success() && errors.contains(expected),
            "{arguments:?}: {errors}"
        );
        assert!(!errors.contains("panicked"), "{errors}");
    }
}

#[test]
fn a_keycloak_that_is_not_there_is_told_at_the_start() {
    let mut program = Program::start(&["--keycloak-url", "http://127.0.0.1:9"]);
    assert!(
        program.printed.contains("Swagger UI"),
        "it serves as soon as Keycloak is there"
    );
    for secret in ["password", "In a terminal"] {
        assert!(!program.printed.contains(secret), "{}", program.printed);
    }
    program.child.kill().expect("it runs");
    let mut errors = String::new();
    program
        .child
        .stderr
        .take()
        .expect("piped")
        .read_to_string(&mut errors)
        .expect("text");
    assert!(
        errors.starts_with("FAILED: tcp: nothing accepts connections at `127.0.0.1:9`"),
        "{errors}"
    );
}
