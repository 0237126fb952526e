//! The program as somebody who knew the Python one starts it.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Command, Stdio},
};

use serde_json::Value;

/// The program, with what it has printed until it serves. It ends with the test, however that ends.
struct Program {
    child: Child,
    printed: String,
}

impl Program {
    fn start(variables: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_port-from-fastapi"))
            // Only the test's variables count.
            .env_remove("KEYCLOAK_SERVER_URL")
            .env_remove("KEYCLOAK_REALM")
            .env_remove("KEYCLOAK_CLIENT_ID")
            .env_remove("KEYCLOAK_CLIENT_SECRET")
            .env_remove("KEYCLOAK_AUDIENCE")
            .env_remove("KEYCLOAK_ISSUER")
            .env("LISTEN", "127.0.0.1:0")
            .env("RUST_LOG", "off")
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut output = BufReader::new(child.stdout.take().expect("piped"));
        let mut printed = String::new();
        while !printed.ends_with("Ctrl-C ends it.\n") && output.read_line(&mut printed).expect("text") > 0 {}
        Self { child, printed }
    }

    /// What the program prints as `name` and an address.
    fn address(&self, name: &str) -> &str {
        let line = self.printed.lines().find_map(|line| line.strip_prefix(name));
        line.expect(name).trim().trim_end_matches('/')
    }

    /// Status, challenge and body of the answer to a request to a path of the service.
    fn ask(&self, path: &str, arguments: &str) -> (String, String, Value) {
        let url = format!("{}{path}", self.address("Service"));
        let answer = shell(&format!(
            "curl -s -w '\\n%{{http_code}} %header{{www-authenticate}}' {url} {arguments}"
        ));
        let (body, end) = answer.rsplit_once('\n').expect("a line of its own");
        let (status, challenge) = end.split_once(' ').expect("two words");
        let body = serde_json::from_str(body).unwrap_or(Value::String(body.to_owned()));
        (status.to_owned(), challenge.to_owned(), body)
    }

    fn tokens(&self, user: &str) -> Value {
        let url = format!("{}/protocol/openid-connect/token", self.address("Keycloak"));
        let form = format!("-d grant_type=password -d client_id=demo-app -d username={user} -d password={user}");
        serde_json::from_str(&shell(&format!("curl -s {url} {form}"))).expect("JSON")
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

fn bearer(token: &Value) -> String {
    format!("-H 'Authorization: Bearer {}'", token.as_str().expect("a token"))
}

#[test]
fn the_routes_answer_as_they_did_there() {
    let mut program = Program::start(&[]);
    assert!(program.printed.contains("  alice    alice\n"), "{}", program.printed);
    let (status, _, body) = program.ask("/", "");
    assert_eq!((&*status, &body["message"]), ("200", &Value::from("Public endpoint")));

    let (status, challenge, body) = program.ask("/users/me", "");
    assert_eq!((&*status, &*challenge), ("401", "Bearer realm=\"demo\""));
    assert_eq!(body["error"]["code"], "missing_header");

    let (alice, bob) = (program.tokens("alice"), program.tokens("bob"));
    let (status, _, body) = program.ask("/users/me", &bearer(&bob["access_token"]));
    assert_eq!((&*status, &body["email"]), ("200", &Value::from("bob@demo.test")));
    assert!(body["sub"].is_string() && body["preferred_username"] == "bob", "{body}");
    assert_eq!(body["roles"], Value::Array(Vec::new()));

    let (status, _, body) = program.ask("/admin", &bearer(&alice["access_token"]));
    assert_eq!(
        (&*status, &body["message"]),
        ("200", &Value::from("Hello Admin alice!"))
    );
    let (status, challenge, body) = program.ask("/admin", &bearer(&bob["access_token"]));
    assert!(
        status == "403" && challenge.contains("insufficient_scope"),
        "{challenge}"
    );
    assert_eq!(body["error"]["code"], "missing_roles");

    let refresh = |token: &Value| {
        let body = serde_json::json!({ "refresh_token": token });
        program.ask(
            "/token/refresh",
            &format!("-H 'Content-Type: application/json' -d '{body}'"),
        )
    };
    let (status, _, renewed) = refresh(&bob["refresh_token"]);
    assert_eq!((&*status, &renewed["token_type"]), ("200", &Value::from("Bearer")));
    assert_eq!(program.ask("/users/me", &bearer(&renewed["access_token"])).0, "200");
    let (status, _, body) = refresh(&Value::from("garbage"));
    assert_eq!(
        (&*status, &body["error"]["code"]),
        ("400", &Value::from("token_refresh_failed"))
    );

    let (status, _, body) = program.ask("/health/keycloak", "");
    assert!(status == "200" && body["status"] != "failed", "{body}");
    let (_, _, document) = program.ask("/openapi.json", "");
    let scheme = &document["components"]["securitySchemes"]["keycloak"]["flows"];
    assert!(scheme["authorizationCode"]["scopes"]["email"].is_string(), "{scheme}");
    assert_eq!(scheme["implicit"], Value::Null);
    let policy = &document["paths"]["/admin"]["get"]["x-keycloak-policy"];
    assert_eq!(policy["role"], "admin", "{policy}");
    assert!(shell(&format!("curl -s {}/docs/", program.address("Service"))).contains("swagger-ui"));

    shell(&format!("kill -INT {}", program.child.id()));
    assert!(program.child.wait().expect("it ends").success());
}

#[test]
fn another_keycloak_is_named_by_the_environment_and_mistakes_are_told() {
    let variables = [
        ("KEYCLOAK_SERVER_URL", "https://id.example.com"),
        ("KEYCLOAK_REALM", "acme"),
    ];
    let program = Program::start(&variables);
    assert_eq!(program.address("Keycloak"), "https://id.example.com/realms/acme");
    for (variables, expected) in [
        ([("KEYCLOAK_SERVER_URL", "ftp://id.example.com")], "server_url"),
        ([("KEYCLOAK_SERVER_URL", "")], "KEYCLOAK_SERVER_URL"),
        ([("LISTEN", "nowhere")], "LISTEN"),
    ] {
        let mut program = Program::start(&variables);
        assert!(!program.child.wait().expect("it ends").success());
        let mut errors = String::new();
        let mut output = program.child.stderr.take().expect("piped");
        output.read_to_string(&mut errors).expect("text");
        assert!(errors.contains(expected) && !errors.contains("panicked"), "{errors}");
    }
}
