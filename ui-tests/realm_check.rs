//! The check against the realm file: what it says, and when cargo asks it again.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::library;

const VARIABLE: &str = "KEYCLOAK_REALM_FILE";

const REALM: &str = r#"{"realm": "acme", "roles": {"realm": [{"name": "clerk"}]}, "groups": [{"name": "ops"}]}"#;

const HANDLERS: &str = r#"
    use keycloak_auth::{Policy, keycloak, policy};
    pub const OPS: Policy = policy!(groups = "/ops");
    #[keycloak(realm_roles = "clerk")]
    pub async fn first() {}
    #[keycloak(any(OPS, realm_role("clerk")))]
    pub async fn second() {}
    #[keycloak(public)]
    pub async fn third() {}
"#;

/// Below `realm/`, names are checked against a realm file. The variable that says so is that of a process, which is therefore
/// one of its own.
#[test]
fn names_are_those_of_the_realm() {
    if env::var_os(VARIABLE).is_some() {
        let tests = trybuild::TestCases::new();
        tests.pass("realm/pass/*.rs");
        tests.compile_fail("realm/fail/*.rs");
        return;
    }
    let tested = Command::new(env::current_exe().expect("a test has a path"))
        .args(["--exact", "--nocapture", "realm_check::names_are_those_of_the_realm"])
        .env(
            VARIABLE,
            concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/orders/realm.json"),
        )
        .status()
        .expect("a test can be run again");
    assert!(tested.success(), "{tested}");
}

#[test]
fn an_edited_realm_file_is_reason_enough_to_compile_again() {
    let package = Package::new("edited-realm");
    assert_eq!(package.check(), Vec::<String>::new());
    assert!(package.is_fresh(), "nothing has changed");
    package.write("realm.json", &REALM.replace("clerk", "seller"));
    let missing = "error: the realm `acme` has no realm role `clerk`";
    assert_eq!(package.check(), [missing, missing]);
    package.write("realm.json", REALM);
    assert_eq!(package.check(), Vec::<String>::new());
}

#[test]
fn so_is_an_edited_manifest_or_variable() {
    let package = Package::new("edited-manifest");
    package.write("realm.json", &REALM.replace("ops", "sales"));
    package.configure("");
    assert_eq!(package.check(), Vec::<String>::new());
    package.configure("realm = \"realm.json\"");
    let missing = "error: the realm `acme` has no group `/ops`";
    assert_eq!(package.check(), [missing]);
    package.write("other.json", REALM);
    assert_eq!(package.check_with(Some("other.json")), Vec::<String>::new());
    assert_eq!(package.check(), [missing]);
    assert_eq!(package.check_with(Some("")), Vec::<String>::new());
}

#[test]
fn an_unusable_realm_file_is_one_error() {
    let package = Package::new("unusable-realm");
    package.write("realm.json", "{\"realm\": acme}");
    assert_eq!(
        package.check(),
        ["error: `realm.json` is not a realm file: expected value at line 1 column 11"]
    );
    package.configure("realm = \"missing.json\"");
    let errors = package.check();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(
        errors[0].starts_with("error: cannot read the realm file `missing.json`: "),
        "{errors:?}"
    );
    package.configure("relam = \"realm.json\"");
    assert_eq!(
        package.check(),
        ["error: unknown key `relam` in the table `metadata.keycloak` of Cargo.toml"]
    );
    package.write("realm.json", REALM);
    package.configure("realm = \"realm.json\"");
    assert_eq!(package.check(), Vec::<String>::new());
}

/// A package with three handlers and a realm file.
struct Package {
    folder: PathBuf,
    flags: String,
}

impl Package {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        // What an earlier run left.
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(folder.join("src")).expect("the folder of the tests can be written");
        let package = Self {
            folder,
            flags: library::flags().join("\u{1f}"),
        };
        package.write("src/lib.rs", HANDLERS);
        package.write("realm.json", REALM);
        package.configure("realm = \"realm.json\"");
        package
    }

    fn write(&self, path: &str, text: &str) {
        fs::write(self.folder.join(path), text).expect("the folder of the package can be written");
    }

    fn configure(&self, keys: &str) {
        let manifest = format!(
            "[package]\nname = \"checked\"\nedition = \"2024\"\n\n[package.metadata.keycloak]\n{keys}\n\n[workspace]\n"
        );
        self.write("Cargo.toml", &manifest);
    }

    /// The errors of `cargo check`, without where they are.
    fn check(&self) -> Vec<String> {
        self.check_with(None)
    }

    fn check_with(&self, variable: Option<&str>) -> Vec<String> {
        let output = self.cargo_check(variable);
        let errors = output.lines().filter(|line| line.starts_with("error"));
        errors
            .filter(|line| !line.starts_with("error: could not compile"))
            .map(str::to_owned)
            .collect()
    }

    fn is_fresh(&self) -> bool {
        self.cargo_check(None).contains("Fresh checked")
    }

    fn cargo_check(&self, variable: Option<&str>) -> String {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo
            .args(["check", "--offline", "--verbose", "--color", "never"])
            .current_dir(&self.folder)
            .env("CARGO_ENCODED_RUSTFLAGS", &self.flags)
            .env("CARGO_TARGET_DIR", self.folder.join("target"))
            .env_remove(VARIABLE);
        if let Some(file) = variable {
            cargo.env(VARIABLE, file);
        }
        let output = cargo.output().expect("cargo runs");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }
}
