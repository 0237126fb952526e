//! Every word of the policy language in every form: over HTTP, as an expression, as data, as a sentence, in the access
//! matrix and in OpenAPI. `table.rs` has a row for each; there is a test that no word is without one.

mod production;
mod table;

use std::collections::BTreeSet;

use keycloak_auth::{
    Policy,
    access_matrix::{Access, Subject},
    testing::TestRealm,
};
use keycloak_auth_tests::Service;
use serde_json::{Value, json};

pub use production::Order;
use production::Production;
pub use table::ORDERS;
use table::productions;

#[test]
fn no_word_is_without_a_row() {
    fn collect(policy: &Policy, words: &mut BTreeSet<&'static str>) {
        words.insert(policy.word());
        match policy {
            Policy::All(operands) | Policy::Any(operands) => operands.iter().for_each(|inner| collect(inner, words)),
            Policy::Not(operand) => collect(operand, words),
            _ => {}
        }
    }
    let mut words = BTreeSet::new();
    for row in (ORDERS[0].router)().access_matrix().rows() {
        collect(row.policy(), &mut words);
    }
    assert_eq!(words, Policy::WORDS.iter().copied().collect());
}

#[tokio::test]
async fn each_production_admits_and_refuses() {
    let realm = TestRealm::new("acme", "orders-api");
    for Order { name, router } in ORDERS {
        let service = Service::start(router().secure_with(realm.keycloak())).await;
        for production in productions() {
            let (path, policy) = (production.request_path(), production.policy);
            let admitted = (production.admits)(realm.user("alice")).token();
            let answer = service.get_as(&path, &admitted).await;
            assert_eq!(answer.status, 200, "{policy}, {name}: {answer:?}");
            let anonymous = service.get(&path).send().await;
            let Some((refuses, status)) = production.refuses else {
                assert_eq!(anonymous.status, 200, "{policy}, {name}: {anonymous:?}");
                continue;
            };
            let answer = service.get_as(&path, &refuses(realm.user("alice")).token()).await;
            assert_eq!(answer.status, status, "{policy}, {name}: {answer:?}");
            assert_eq!(anonymous.status, 401, "{policy}, {name}: {anonymous:?}");
        }
    }
}

#[test]
fn each_production_has_its_expression_data_and_sentence() {
    for Order { name, router } in ORDERS {
        let matrix = router().access_matrix();
        let productions = productions();
        assert_eq!(matrix.rows().len(), productions.len());
        for Production {
            path,
            policy: written,
            expression,
            data,
            sentence,
            ..
        } in productions
        {
            let row = matrix.rows().iter().find(|row| row.path() == path).expect("a row");
            let policy = row.policy();
            assert_eq!(policy.to_string(), expression, "{written}, {name}");
            assert_eq!(policy.requirement(), sentence, "{written}, {name}");
            assert_eq!(serde_json::to_value(policy).expect("data"), data, "{written}, {name}");
        }
    }
}

#[test]
fn each_production_has_its_operation() {
    for Order { name, router } in ORDERS {
        let document = serde_json::to_value(router().openapi()).expect("a document");
        for production in productions() {
            let operation = &document["paths"][production.path]["get"];
            let context = format!("{}, {name}", production.policy);
            assert_eq!(operation["description"], production.sentence, "{context}");
            let mut extension = production.data;
            extension["expression"] = json!(production.expression);
            assert_eq!(operation["x-keycloak-policy"], extension, "{context}");
            assert_eq!(operation["security"], security(&production.scopes), "{context}");
        }
    }
}

/// Each of the schemes, and one that has scopes once for each set of them.
fn security(scopes: &Value) -> Value {
    let alternatives = scopes.as_array().expect("a list");
    let with = |scheme: &'static str| alternatives.iter().map(move |scopes| json!({ scheme: scopes }));
    let bearer = (!alternatives.is_empty()).then(|| json!({ "keycloakBearer": [] }));
    with("keycloak").chain(bearer).chain(with("keycloakOpenId")).collect()
}

#[test]
fn each_production_has_its_row_in_every_form_of_the_matrix() {
    let matrix = (ORDERS[0].router)()
        .access_matrix()
        .for_subjects([Subject::realm_role("r"), Subject::group("/g")]);
    let (text, html, markdown, csv) = (
        matrix.to_string(),
        matrix.to_html(),
        matrix.to_markdown(),
        matrix.to_csv(),
    );
    let snapshot = matrix.to_snapshot();
    let json: Value = serde_json::from_str(&matrix.to_json()).expect("JSON");
    for Production {
        path,
        policy,
        expression,
        data,
        sentence,
        access,
        ..
    } in productions()
    {
        let row = matrix.rows().iter().find(|row| row.path() == path).expect("a row");
        let handler = row.handler().expect("a handler");

        let line = text.lines().find(|line| line.split_whitespace().nth(1) == Some(path));
        let cells = line.expect("a line").split("  ").map(str::trim);
        let cells: Vec<_> = cells.filter(|cell| !cell.is_empty()).collect();
        let [one, other] = access.map(Access::word);
        let expected = ["GET", path, one, other, expression, handler];
        assert_eq!(cells, expected, "{policy}");

        let line = format!("| {} |", expected.map(|cell| format!("`{cell}`")).join(" | "));
        assert!(markdown.lines().any(|row| row == line), "{line} in {markdown}");
        let line = expected.map(field).join(",");
        assert!(csv.split("\r\n").any(|row| row == line), "{line} in {csv}");
        let line = format!("GET {path} {expression}");
        assert!(snapshot.lines().any(|row| row == line), "{line} in {snapshot}");

        let routes = json["routes"].as_array().expect("a list");
        let route = routes.iter().find(|route| route["path"] == path).expect("a route");
        assert_eq!(
            *route,
            json!({
                "method": "GET", "path": path, "kind": "handler", "handler": handler, "expression": expression,
                "policy": data, "report_only": false, "access": [one, other],
            }),
            "{policy}"
        );

        let begin = format!("<tr><td>GET</td><th>{path}</th>");
        let line = html.lines().map(bare).find(|line| line.starts_with(&begin));
        let [one, other] = access.map(|access| match access {
            Access::Allow => "✓",
            Access::Depends => "◐",
            Access::Deny => "denied",
            other => panic!("{other:?} for {policy}"),
        });
        let sentence = sentence.replace('`', "");
        assert_eq!(
            line.expect("a row of the page"),
            format!("{begin}<td>{one}</td><td>{other}</td><td>{sentence}<br>{expression}</td><td>{handler}</td></tr>"),
            "{policy}"
        );
    }
}

/// A field of RFC 4180.
fn field(text: &str) -> String {
    match text.contains(['"', ',']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

/// A row of the page: its cells without attributes, and what a reader sees in them.
fn bare(html: &str) -> String {
    let mut text = String::new();
    for (index, part) in html.split('<').enumerate() {
        let (tag, rest) = match index {
            0 => ("", part),
            _ => part.split_once('>').expect("a tag ends"),
        };
        let name = tag.split(' ').next().unwrap_or_default();
        if ["tr", "th", "td", "br", "/tr", "/th", "/td"].contains(&name) {
            text.push_str(&format!("<{name}>"));
        }
        text.push_str(rest);
    }
    [
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ]
    .into_iter()
    .fold(text, |text, (escaped, character)| text.replace(escaped, character))
}
