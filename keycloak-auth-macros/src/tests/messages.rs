//! Every message of the macros has a case that shows it: a program below `ui-tests`, or, where it is about the realm file, a row of
//! its tests.

use std::{fs, path::Path};

use proc_macro2::{TokenStream, TokenTree};
use syn::LitStr;

use super::tokens;

const CRATE: &str = env!("CARGO_MANIFEST_DIR");

/// Shorter texts are words of a message, not messages.
const SHORTEST: usize = 10;

#[test]
fn every_message_has_a_case() {
    let mut messages = Vec::new();
    let mut cases = Vec::new();
    for file in files(&Path::new(CRATE).join("src"), "rs") {
        let into = if file.ends_with("realm/tests.rs") {
            &mut cases
        } else if file.components().any(|part| part.as_os_str() == "tests") || file.ends_with("tests.rs") {
            continue;
        } else {
            &mut messages
        };
        collect_texts(tokens(&read(&file)), into);
    }
    for folder in ["../ui-tests/fail", "../ui-tests/realm/fail"] {
        cases.extend(
            files(&Path::new(CRATE).join(folder), "stderr")
                .iter()
                .map(|file| read(file)),
        );
    }
    messages.retain(|text| text.trim().contains(' ') && parts(text).iter().any(|part| part.len() >= SHORTEST));
    assert!(messages.len() > 200, "{}", messages.len());
    let without: Vec<_> = messages
        .iter()
        .filter(|message| !cases.iter().any(|case| shows(case, message)))
        .collect();
    assert!(without.is_empty(), "{without:#?}");
}

/// The files of a folder and those below it.
fn files(folder: &Path, extension: &str) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries
        .map(|entry| entry.expect("a readable entry").path())
        .flat_map(|path| match path.is_dir() {
            true => files(&path, extension),
            false => vec![path],
        })
        .filter(|path| path.extension().is_some_and(|own| own == extension))
        .collect()
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The string literals of a source file but for its documentation.
fn collect_texts(tokens: TokenStream, texts: &mut Vec<String>) {
    let mut is_attribute = false;
    for tree in tokens {
        match tree {
            TokenTree::Group(_) if is_attribute => {}
            TokenTree::Group(group) => collect_texts(group.stream(), texts),
            TokenTree::Literal(literal) => {
                texts.extend(syn::parse_str::<LitStr>(&literal.to_string()).map(|text| text.value()));
            }
            TokenTree::Punct(punct) if matches!(punct.as_char(), '#' | '!') => {
                is_attribute |= punct.as_char() == '#';
                continue;
            }
            TokenTree::Punct(_) | TokenTree::Ident(_) => {}
        }
        is_attribute = false;
    }
}

/// What stands between the placeholders of a format string.
fn parts(message: &str) -> Vec<String> {
    let message = message.replace("{{", "\u{1}").replace("}}", "\u{2}");
    let parts = message.split('{').enumerate().map(|(index, part)| match index {
        0 => part,
        _ => part.split_once('}').map_or("", |(_, rest)| rest),
    });
    parts
        .map(|part| part.replace('\u{1}', "{").replace('\u{2}', "}"))
        .collect()
}

/// Whether the parts of the message stand in a line of the text, one behind the other.
fn shows(text: &str, message: &str) -> bool {
    let parts = parts(message);
    text.lines().any(|line| {
        let mut rest = Some(line);
        for part in &parts {
            rest = rest.and_then(|rest| Some(rest.split_once(part.as_str())?.1));
        }
        rest.is_some()
    })
}
