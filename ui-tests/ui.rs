//! Compiles the programs below `pass/` and `fail/`. The errors of the latter are in the `.stderr` beside them; `TRYBUILD=overwrite`
//! writes them anew.

use std::{env, fs, path::PathBuf, process::Command};

#[test]
fn handlers_compile_and_mistakes_are_reported() {
    let tests = trybuild::TestCases::new();
    tests.pass("pass/*.rs");
    tests.compile_fail("fail/*/*.rs");
}

/// Below `realm/`, names are checked against a realm file. The variable that says so is that of a process, which is therefore
/// one of its own.
#[test]
fn names_are_those_of_the_realm() {
    const VARIABLE: &str = "KEYCLOAK_REALM_FILE";
    if env::var_os(VARIABLE).is_some() {
        let tests = trybuild::TestCases::new();
        tests.pass("realm/pass/*.rs");
        tests.compile_fail("realm/fail/*.rs");
        return;
    }
    let tested = Command::new(env::current_exe().expect("a test has a path"))
        .args(["--exact", "--nocapture", "names_are_those_of_the_realm"])
        .env(VARIABLE, concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/realm/acme.json"))
        .status()
        .expect("a test can be run again");
    assert!(tested.success(), "{tested}");
}

/// The compiler has nothing to add to what the macro says.
#[test]
fn no_mistake_has_consequences() {
    for (program, errors) in failures() {
        assert!(
            !errors.contains("error[") && !errors.contains("warning"),
            "{}",
            program.display()
        );
    }
}

/// In these folders every policy has exactly one mistake.
#[test]
fn one_mistake_is_one_error() {
    const CATEGORIES: &[&str] = &["combinations", "expressions", "names", "separators", "values", "words"];
    let mut mistakes = 0;
    for (program, errors) in failures() {
        let category = program.parent().and_then(|folder| folder.file_name());
        if !CATEGORIES.iter().any(|name| category == Some(name.as_ref())) {
            continue;
        }
        let source = fs::read_to_string(&program).expect("the program is readable");
        let expected = source.matches("#[keycloak(").count();
        let reported = errors.lines().filter(|line| line.starts_with("error")).count();
        assert_eq!(reported, expected, "{}", program.display());
        mistakes += reported;
    }
    assert!(mistakes > 150, "{mistakes}");
}

/// The words are ours, what rustc writes around them changes from version to version: so this looks for the words.
#[test]
fn a_handler_without_a_policy_is_told_to_have_one_and_nothing_else() {
    let dependencies = env::current_exe().expect("a test has a path").with_file_name("");
    let mut libraries: Vec<PathBuf> = fs::read_dir(&dependencies)
        .expect("the folder of the test is readable")
        .map(|file| file.expect("its files are readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rlib"))
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("libkeycloak_auth-"))
        })
        .collect();
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/unguarded/handlers.rs");
    let compile = |library: PathBuf| {
        let compiled = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
            .args([
                "--edition",
                "2024",
                "--emit",
                "metadata",
                "--out-dir",
                env!("CARGO_TARGET_TMPDIR"),
                program,
                "-L",
            ])
            .arg(format!("dependency={}", dependencies.display()))
            .arg("--extern")
            .arg(format!("keycloak_auth={}", library.display()))
            .output()
            .expect("rustc runs");
        assert!(!compiled.status.success(), "it must not compile");
        String::from_utf8_lossy(&compiled.stderr).into_owned()
    };
    // The folder may hold libraries of earlier builds, without the macros or without what they depend on: newest first.
    libraries.sort_by_key(|library| fs::metadata(library).and_then(|metadata| metadata.modified()).ok());
    let is_of_this_build =
        |errors: &String| !errors.contains("can't find crate") && !errors.contains("unresolved import");
    let errors = libraries
        .into_iter()
        .rev()
        .map(compile)
        .find(is_of_this_build)
        .expect("the library was built with the tests");
    let written = fs::read_to_string(program).expect("the program is readable");
    let routes = written
        .lines()
        .filter(|line| line.trim_start().starts_with('.'))
        .count();
    let told = errors
        .matches("error[E0277]: this handler has no `#[keycloak(...)]` policy")
        .count();
    assert_eq!((told, errors.matches("error[").count()), (routes, routes), "{errors}");
    assert!(errors.contains(
        "write `#[keycloak(roles = \"…\")]`, `#[keycloak(authenticated)]` or `#[keycloak(public)]` on the handler"
    ));
}

/// The programs that must not compile, each with its errors.
fn failures() -> Vec<(PathBuf, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fail");
    fs::read_dir(folder)
        .expect("the folder of the failures is readable")
        .map(|category| category.expect("its categories are readable").path())
        .flat_map(|category| fs::read_dir(category).expect("a category is a folder"))
        .map(|file| file.expect("its files are readable").path())
        .filter(|file| file.extension().is_some_and(|extension| extension == "rs"))
        .map(|program| {
            let errors =
                fs::read_to_string(program.with_extension("stderr")).expect("every failure has its errors beside it");
            (program, errors)
        })
        .collect()
}
