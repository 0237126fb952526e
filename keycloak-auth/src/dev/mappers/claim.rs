//! Names of claims, which may lead into nested objects.

use serde_json::{Map, Value};

/// The steps to a claim: `address.city` is the member `city` of the object `address`; `\.` is a dot in a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::dev) struct ClaimName(Vec<String>);

impl ClaimName {
    pub(in crate::dev) fn parse(text: &str) -> Self {
        let mut steps = vec![String::new()];
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '\\' if characters.peek() == Some(&'.') => {
                    characters.next();
                    push(&mut steps, '.');
                }
                '.' => steps.push(String::new()),
                other => push(&mut steps, other),
            }
        }
        Self(steps)
    }

    /// The name with `${client_id}` replaced, as one step or a part of it.
    pub(super) fn for_client(&self, client_id: &str) -> Self {
        Self(
            self.0
                .iter()
                .map(|step| step.replace("${client_id}", client_id))
                .collect(),
        )
    }

    pub(super) fn has_client(&self) -> bool {
        self.0.iter().any(|step| step.contains("${client_id}"))
    }

    /// The claim is one that only the server sets: a mapper cannot.
    pub(super) fn is_reserved(&self) -> bool {
        matches!(self.0.as_slice(), [name] if matches!(
            name.as_str(),
            "exp" | "iat" | "iss" | "jti" | "nbf" | "typ" | "at_hash" | "c_hash" | "s_hash" | "nonce" | "scope" | "sid"
        ))
    }

    /// Whether it is this claim at the top level.
    pub(super) fn is(&self, name: &str) -> bool {
        matches!(self.0.as_slice(), [only] if only == name)
    }

    /// Puts a value in. The elements of an array are added to those of an array that is there already.
    pub(super) fn set(&self, claims: &mut Map<String, Value>, value: Value) {
        let Some((last, steps)) = self.0.split_last() else {
            return;
        };
        let mut object = claims;
        for step in steps {
            let member = object.entry(step.clone()).or_insert_with(|| Value::Object(Map::new()));
            let Value::Object(inner) = member else { return };
            object = inner;
        }
        match (object.get_mut(last), value) {
            (Some(Value::Array(present)), Value::Array(added)) => {
                for element in added {
                    if !present.contains(&element) {
                        present.push(element);
                    }
                }
            }
            (_, value) => {
                object.insert(last.clone(), value);
            }
        }
    }
}

fn push(steps: &mut [String], character: char) {
    if let Some(step) = steps.last_mut() {
        step.push(character);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn leads_into_nested_objects() {
        let mut claims = Map::new();
        ClaimName::parse("a.b").set(&mut claims, json!(1));
        ClaimName::parse("a.c").set(&mut claims, json!("x"));
        ClaimName::parse(r"https://acme\.test/tenant").set(&mut claims, json!(true));
        assert_eq!(
            Value::Object(claims),
            json!({ "a": { "b": 1, "c": "x" }, "https://acme.test/tenant": true })
        );
    }

    #[test]
    fn adds_to_an_array_and_replaces_anything_else() {
        let mut claims = Map::new();
        let name = ClaimName::parse("groups");
        name.set(&mut claims, json!(["/ops"]));
        name.set(&mut claims, json!(["admin", "/ops"]));
        assert_eq!(claims["groups"], json!(["/ops", "admin"]));
        name.set(&mut claims, json!("one"));
        assert_eq!(claims["groups"], json!("one"));
    }

    #[test]
    fn keeps_the_dots_of_a_client() {
        let mut claims = Map::new();
        let name = ClaimName::parse("resource_access.${client_id}.roles").for_client("my.client");
        name.set(&mut claims, json!(["r"]));
        assert_eq!(claims["resource_access"], json!({ "my.client": { "roles": ["r"] } }));
    }
}
