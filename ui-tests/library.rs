//! The library that was built with these tests, for programs that are compiled without a build of their own.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// What rustc says about a program that must not compile.
pub(crate) fn compile(program: &str) -> String {
    flags_by_library()
        .map(|flags| errors_of(program, &flags))
        .find(|errors| !is_of_another_build(errors))
        .expect("the library was built with the tests")
}

/// The same of a program that also uses axum: the one of several builds that the library was built with.
pub(crate) fn compile_with_axum(program: &str) -> String {
    let flags = flags_by_library()
        .find(|flags| !is_of_another_build(&errors_of(program, flags)))
        .expect("the library was built with the tests");
    libraries_named("libaxum-")
        .iter()
        .map(|axum| ["--extern".to_owned(), format!("axum={}", axum.display())])
        .map(|axum| errors_of(program, &[&flags[..], &axum].concat()))
        .min_by_key(|errors| errors.matches("error").count())
        .expect("axum was built with the tests")
}

/// The flags by which rustc finds the library.
pub(crate) fn flags() -> Vec<String> {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("uses_the_library.rs");
    fs::write(
        &program,
        "pub use keycloak_auth::{Policy, keycloak, policy}; fn missing_type() -> Missing {} fn main() {}",
    )
    .expect("the folder of the tests can be written");
    flags_by_library()
        .find(|flags| !is_of_another_build(&errors_of(&program.to_string_lossy(), flags)))
        .expect("the library was built with the tests")
}

fn flags_by_library() -> impl Iterator<Item = Vec<String>> {
    let dependencies = dependencies();
    libraries_named("libkeycloak_auth-").into_iter().map(move |library| {
        vec![
            "-L".to_owned(),
            format!("dependency={}", dependencies.display()),
            "--extern".to_owned(),
            format!("keycloak_auth={}", library.display()),
        ]
    })
}

fn dependencies() -> PathBuf {
    env::current_exe().expect("a test has a path").with_file_name("")
}

/// The folder may hold libraries of earlier builds, without the macros or without what they depend on: newest first.
fn libraries_named(begin: &str) -> Vec<PathBuf> {
    let mut libraries: Vec<PathBuf> = fs::read_dir(dependencies())
        .expect("the folder of the test is readable")
        .map(|file| file.expect("its files are readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rlib"))
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with(begin))
        })
        .collect();
    libraries.sort_by_key(|library| fs::metadata(library).and_then(|metadata| metadata.modified()).ok());
    libraries.reverse();
    libraries
}

fn is_of_another_build(errors: &str) -> bool {
    errors.contains("can't find crate") || errors.contains("unresolved import")
}

fn errors_of(program: &str, flags: &[String]) -> String {
    let compiled = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .args([
            "--edition",
            "2024",
            "--emit",
            "metadata",
            "--out-dir",
            env!("CARGO_TARGET_TMPDIR"),
            program,
        ])
        .args(flags)
        .output()
        .expect("rustc runs");
    assert!(!compiled.status.success(), "it must not compile");
    String::from_utf8_lossy(&compiled.stderr).into_owned()
}
