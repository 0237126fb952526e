//! Compiles the programs below `pass/` and `fail/`. The errors of the latter are in the `.stderr` beside them; `TRYBUILD=overwrite`
//! writes them anew.

mod library;
mod realm_check;

use std::{fs, path::PathBuf};

use keycloak_auth::Policy;

#[test]
fn handlers_compile_and_mistakes_are_reported() {
    let tests = trybuild::TestCases::new();
    tests.pass("pass/*.rs");
    tests.compile_fail("fail/*/*.rs");
}

/// `pass/policies.rs` has a handler for each, and what it means as data.
#[test]
fn every_word_is_in_a_program_that_compiles() {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/pass/policies.rs");
    let program = fs::read_to_string(program).expect("the program is readable");
    let policies = program.lines().filter_map(|line| line.trim_start().split_once(": ("));
    let used: Vec<_> = policies
        .filter_map(|(_, policy)| policy.split(['(', ')', ',', ' ']).next())
        .collect();
    for word in Policy::WORDS
        .iter()
        .chain(&["roles", "realm_roles", "client_roles", "groups", "scopes"])
    {
        assert!(used.contains(word), "{word}");
    }
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

/// The words are ours, what rustc writes around them changes from version to version: so this looks for the words, and where they
/// point.
#[test]
fn a_handler_without_a_policy_is_told_to_have_one_and_nothing_else() {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/unguarded/handlers.rs");
    let errors = library::compile(program);
    let written = fs::read_to_string(program).expect("the program is readable");
    let start = written.find("fn main").expect("it is there");
    let handlers = ["without_arguments", "with_user", "with_body", "||"];
    let expected: Vec<_> = handlers
        .iter()
        .flat_map(|handler| written[start..].match_indices(handler))
        .map(|(at, _)| place(program, &written, start + at))
        .collect();
    assert_eq!(expected.len(), 10);
    let mut places = places(&errors, "error[E0277]: this handler has no `#[keycloak(...)]` policy");
    places.sort_by_key(|place| expected.iter().position(|expected| expected == place));
    assert_eq!(places, expected, "{errors}");
    assert_eq!(errors.matches("error[").count(), expected.len(), "{errors}");
    assert!(errors.contains(
        "write `#[keycloak(roles = \"…\")]`, `#[keycloak(authenticated)]` or `#[keycloak(public)]` on the handler"
    ));
    for handler in ["{without_arguments}", "{with_user}", "{with_body}"] {
        assert!(errors.contains(handler), "{handler}: {errors}");
    }
}

/// Where the compiler points with a message.
fn places<'e>(errors: &'e str, message: &str) -> Vec<&'e str> {
    let mut lines = errors.lines();
    let mut places = Vec::new();
    while lines.any(|line| line == message) {
        places.extend(lines.next().and_then(|line| line.trim_start().strip_prefix("--> ")));
    }
    places
}

/// What the compiler calls this place in a program.
fn place(program: &str, written: &str, at: usize) -> String {
    let before: Vec<_> = written[..at].split('\n').collect();
    format!("{program}:{}:{}", before.len(), before[before.len() - 1].len() + 1)
}

#[test]
fn a_documented_handler_without_a_policy_is_pointed_at() {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/unguarded/documented.rs");
    let errors = library::compile_with_axum(program);
    let written = fs::read_to_string(program).expect("the program is readable");
    let expected = ["without))", "orders::without_either))"]
        .map(|handler| place(program, &written, written.find(handler).expect("it is there")));
    let places = places(&errors, "error[E0277]: this handler has no `#[keycloak(...)]` policy");
    assert_eq!(places, expected, "{errors}");
    assert_eq!(errors.matches("error[").count(), 2, "{errors}");
}

/// A type of a service's own around a handler might leave out asking the policy.
#[test]
fn wrappers_of_a_services_own_are_not_taken_and_told_what_is() {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/unguarded/wrappers.rs");
    let errors = library::compile_with_axum(program);
    let told = errors
        .matches("error[E0277]: this handler has no `#[keycloak(...)]` policy")
        .count();
    assert_eq!((told, errors.matches("error[").count()), (4, 4), "{errors}");
    assert!(
        errors.contains("a type of your own around a handler is not taken: use `handler.layer(…)`"),
        "{errors}"
    );
}

#[test]
fn a_state_that_is_not_the_routers_is_named() {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/unguarded/other_state.rs");
    let errors = library::compile_with_axum(program);
    assert_eq!(errors.matches("error[").count(), 1, "{errors}");
    for told in ["error[E0271]: type mismatch", "AppState", "String"] {
        assert!(errors.contains(told), "{told}: {errors}");
    }
}

#[test]
fn method_routers_of_others_are_told_from_ours_and_nothing_else() {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/unguarded/other_method_router.rs");
    let errors = library::compile(program);
    let told = errors
        .matches("error[E0277]: a `SecureRouter` takes handlers from `keycloak_auth::routing` only")
        .count();
    assert_eq!((told, errors.matches("error[").count()), (3, 3), "{errors}");
    assert!(errors.contains("write `keycloak_auth::routing::get(…)` in place of `axum::routing::get(…)`"));
}

/// What the compiler says of a constant that is no policy, it says at that constant.
#[test]
fn a_constant_that_is_no_policy_is_pointed_at() {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/constants/no_policies.rs");
    let errors = library::compile(program);
    let written = fs::read_to_string(program).expect("the program is readable");
    let start = written.find("const OPS").expect("it is there");
    let constants = written[start..]
        .match_indices("NUMBER")
        .chain(written[start..].match_indices("policies::TEXT"));
    let mut expected: Vec<_> = constants.map(|(at, _)| start + at).collect();
    expected.sort_unstable();
    let expected: Vec<_> = expected.into_iter().map(|at| place(program, &written, at)).collect();
    assert_eq!(places(&errors, "error[E0308]: mismatched types"), expected, "{errors}");
    assert_eq!(expected.len(), 7);
    assert_eq!(errors.matches("error[").count(), expected.len(), "{errors}");
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
