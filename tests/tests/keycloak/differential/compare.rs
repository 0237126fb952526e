//! What both sides say, compared.

use std::{collections::BTreeSet, fmt};

use keycloak_auth_tests::Realm;
use serde_json::{Map, Value, json};

/// The members whose values are new with every token. They must be there on both sides, and have the same form.
///
/// Nothing else may differ but this: the address of the server, the ids of users that the realm file gives none, the
/// order of arrays and of the words of a `scope`, and two seconds of a time span.
const VOLATILE: [&str; 10] = [
    "at_hash",
    "auth_time",
    "exp",
    "iat",
    "jti",
    "kid",
    "logged_in",
    "reuse_id",
    "session_state",
    "sid",
];

/// Members that are a number of seconds, one of them counted from the clock.
const SPANS: [&str; 3] = ["expires_in", "lifespan", "refresh_expires_in"];
const SPAN_TOLERANCE: u64 = 2;

/// Something that one side says otherwise than the other.
#[derive(Debug)]
pub struct Difference {
    /// Where, such as `access token.realm_access.roles`.
    path: String,
    real: Option<Value>,
    embedded: Option<Value>,
}

/// Everything in which two documents differ, after [`canonical`] has made them comparable.
pub fn differences(real: &Value, embedded: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", Some(real), Some(embedded), &mut found);
    found
}

fn compare(path: &str, real: Option<&Value>, embedded: Option<&Value>, found: &mut Vec<Difference>) {
    match (real, embedded) {
        (Some(Value::Object(real)), Some(Value::Object(embedded))) => {
            // Where one grants and the other refuses, everything else differs, too.
            for decision in ["status", "active"] {
                let (said, expected) = (embedded.get(decision), real.get(decision));
                if said != expected {
                    let path = below(path, decision);
                    found.push(Difference {
                        path,
                        real: expected.cloned(),
                        embedded: said.cloned(),
                    });
                    return;
                }
            }
            let names: BTreeSet<&String> = real.keys().chain(embedded.keys()).collect();
            for name in names {
                compare(&below(path, name), real.get(name), embedded.get(name), found);
            }
        }
        (Some(real), Some(embedded)) if real == embedded || is_same_span(path, real, embedded) => {}
        _ => found.push(Difference {
            path: path.to_owned(),
            real: real.cloned(),
            embedded: embedded.cloned(),
        }),
    }
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

fn is_same_span(path: &str, real: &Value, embedded: &Value) -> bool {
    let name = path.rsplit('.').next().unwrap_or_default();
    match (real.as_u64(), embedded.as_u64()) {
        (Some(real), Some(embedded)) if SPANS.contains(&name) => real.abs_diff(embedded) <= SPAN_TOLERANCE,
        _ => false,
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(Value::Array(real)), Some(Value::Array(embedded))) = (&self.real, &self.embedded) {
            let beyond = |one: &[Value], other: &[Value]| -> Value {
                one.iter().filter(|element| !other.contains(element)).cloned().collect()
            };
            return write!(
                f,
                "{}: only Keycloak has {}, only the embedded realm {}",
                self.path,
                beyond(real, embedded),
                beyond(embedded, real)
            );
        }
        let shown = |value: &Option<Value>| value.as_ref().map_or("nothing".to_owned(), Value::to_string);
        write!(
            f,
            "{}: Keycloak has {}, the embedded realm {}",
            self.path,
            shown(&self.real),
            shown(&self.embedded)
        )
    }
}

/// A document without what may differ: see [`VOLATILE`].
pub fn canonical(value: Value, realm: &Realm) -> Value {
    match value {
        Value::Object(members) => Value::Object(canonical_members(members, realm)),
        Value::Array(elements) => {
            let mut elements: Vec<_> = elements.into_iter().map(|element| canonical(element, realm)).collect();
            elements.sort_by_key(Value::to_string);
            Value::Array(elements)
        }
        Value::String(text) => {
            // In the query of an address it is encoded.
            let encoded = realm.server_url().replace(':', "%3A").replace('/', "%2F");
            json!(
                text.replace(realm.server_url(), "{server}")
                    .replace(&encoded, "{server}")
            )
        }
        other => other,
    }
}

fn canonical_members(mut members: Map<String, Value>, realm: &Realm) -> Map<String, Value> {
    if let (Some(issued), Some(expires)) = (members.get("iat"), members.get("exp"))
        && let (Some(issued), Some(expires)) = (issued.as_u64(), expires.as_u64())
    {
        members.insert("lifespan".to_owned(), json!(expires.saturating_sub(issued)));
    }
    members
        .into_iter()
        .map(|(name, value)| {
            let value = match value {
                value if VOLATILE.contains(&name.as_str()) => form(&value),
                Value::String(scope) if name == "scope" => {
                    let mut words: Vec<_> = scope.split(' ').collect();
                    words.sort_unstable();
                    json!(words)
                }
                Value::String(challenge) if name == "challenge" || name == "www-authenticate" => {
                    json!(sorted_algorithms(&challenge))
                }
                Value::String(id) if (name == "sub" || name == "id") && !is_in_file(&id, realm.file()) => {
                    json!("not in the file")
                }
                value => canonical(value, realm),
            };
            (name, value)
        })
        .collect()
}

/// The algorithms of a DPoP challenge (RFC 9449 section 7.1) are a set, too.
fn sorted_algorithms(challenge: &str) -> String {
    let Some((before, rest)) = challenge.split_once("algs=\"") else {
        return challenge.to_owned();
    };
    let (algorithms, after) = rest.split_once('"').unwrap_or((rest, ""));
    let mut algorithms: Vec<_> = algorithms.split(' ').collect();
    algorithms.sort_unstable();
    format!("{before}algs=\"{}\"{after}", algorithms.join(" "))
}

/// What stays of a value that is always new: its type, and the letters before the `:` of a `jti`.
fn form(value: &Value) -> Value {
    match value {
        Value::String(text) => match text.split_once(':') {
            Some((letters, _)) => json!(format!("{letters}:…")),
            None => json!("…"),
        },
        Value::Number(_) => json!("a number"),
        other => other.clone(),
    }
}

fn is_in_file(id: &str, file: &Value) -> bool {
    let users = file["users"].as_array();
    users.into_iter().flatten().any(|user| user["id"] == id)
}
