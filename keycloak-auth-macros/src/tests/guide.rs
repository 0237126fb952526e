//! The tables of the guide say what the macro and the runtime do.

use keycloak_auth::{Policy, policy::EvaluationContext, testing::TestRealm};
use proc_macro2::TokenStream;

use super::{properties::compiled, tokens};
use crate::{
    check::{self, Place},
    errors::Errors,
    expand, parse,
    realm::RealmCheck,
};

const SEMANTICS: &str = include_str!("../../../keycloak-auth/src/docs/semantics.md");
const ATTRIBUTE: &str = include_str!("../docs/keycloak.md");

/// The cells of the lines below a table's header.
fn table<'t>(page: &'t str, header: &str) -> Vec<Vec<&'t str>> {
    let lines = page.lines().skip_while(|line| *line != header).skip(2);
    let rows: Vec<Vec<_>> = lines
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    assert!(!rows.is_empty(), "no table `{header}`");
    rows
}

/// What stands between backticks.
fn code(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// The policy that the macro reads.
fn policy(text: &str) -> Policy {
    let mut errors = Errors::default();
    let arguments = parse::arguments(tokens(text), &mut errors);
    let requirement = check::policy(arguments, Place::Macro, None, &mut errors);
    let is_read = errors.is_empty();
    match requirement {
        Some(requirement) if is_read => compiled(requirement),
        _ => panic!("`{text}`: {}", errors.into_tokens()),
    }
}

/// "error", "warning" or nothing.
fn answer(text: &str) -> &'static str {
    let said: TokenStream = expand::policy(tokens(text), RealmCheck::default());
    let said = said.to_string();
    match (said.contains("compile_error"), said.contains("deprecated")) {
        (true, _) => "error",
        (false, true) => "warning",
        (false, false) => "",
    }
}

#[test]
fn the_simple_form_is_the_expression_beside_it() {
    let rows = table(SEMANTICS, "| The simple form | is the expression |");
    assert_eq!(rows.len(), 9);
    for row in rows {
        let [simple, expression] = [row[0], row[1]].map(|cell| policy(code(cell)[0]));
        assert_eq!(simple, expression, "{row:?}");
        assert_eq!(expression.to_string(), code(row[1])[0], "{row:?}");
    }
}

#[test]
fn the_truth_table_is_true() {
    let header = "| The caller has | `roles = [\"a\", \"b\"]` | … `, any` | `roles = [\"a\", \"b\"], groups = \"/g\"` | … `, any` |";
    let [one, both] = [code(header)[0], code(header)[2]];
    let policies = [
        one.to_owned(),
        format!("{one}, any"),
        both.to_owned(),
        format!("{both}, any"),
    ]
    .map(|text| policy(&text));
    let realm = TestRealm::new("acme", "own");
    let keycloak = realm.keycloak();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let rows = table(SEMANTICS, header);
    assert_eq!(rows.len(), 8, "each combination of three names");
    for row in rows {
        let mut token = realm.user("alice");
        for name in code(row[0]) {
            token = match name.starts_with('/') {
                true => token.group(name),
                false => token.realm_role(name),
            };
        }
        let token = token.token();
        let user = runtime.block_on(keycloak.authenticate(&token)).expect("a good token");
        let context = EvaluationContext::new("own", realm.clock().now());
        let admitted = policies.map(|policy| policy.evaluate(&user, &context).is_allowed());
        let said: Vec<_> = row[1..].iter().map(|mark| *mark == "✓").collect();
        assert_eq!(admitted[..], said[..], "{row:?}");
        assert!(row[1..].iter().all(|mark| ["✓", "–"].contains(mark)), "{row:?}");
    }
}

#[test]
fn one_string_is_one_name_or_an_error_as_the_guide_says() {
    for row in table(SEMANTICS, "| Written | Means |") {
        for written in code(row[0]) {
            let expected = if row[1].contains("error") { "error" } else { "" };
            assert_eq!(answer(written), expected, "{row:?}");
        }
    }
}

#[test]
fn the_compiler_says_what_the_guide_says_it_does() {
    let mut examples = 0;
    for row in table(SEMANTICS, "| The policy | Answer |") {
        for written in code(row[0]) {
            assert_eq!(
                answer(written),
                row[1].split([' ', ';', ',']).next().unwrap_or_default(),
                "{row:?}"
            );
            examples += 1;
        }
    }
    assert!(examples >= 9, "{examples}");
}

#[test]
fn every_word_that_the_guide_lists_is_one() {
    let mut examples = 0;
    for header in ["| Words | Admits |", "| Words | Holds when |"] {
        let rows = table(ATTRIBUTE, header);
        for written in rows
            .iter()
            .flat_map(|row| code(row[0]))
            .filter(|code| !code.contains('…'))
        {
            assert_eq!(answer(written), "", "{written}");
            examples += 1;
        }
    }
    assert!(examples >= 20, "{examples}");
    let words: Vec<_> = [SEMANTICS, ATTRIBUTE]
        .map(|page| page.split('`').skip(1).step_by(2).collect::<Vec<_>>())
        .concat();
    for word in Policy::WORDS {
        let is_shown = |code: &&str| {
            code.strip_prefix(word)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('('))
        };
        assert!(words.iter().any(is_shown), "{word}");
    }
}
