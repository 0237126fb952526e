//! A policy as a sentence for a reader: "Requires realm role `admin` or group `/ops`."

use super::Policy;

impl Policy {
    /// What the policy requires, as a sentence.
    ///
    /// ```
    /// use keycloak_auth::policy;
    ///
    /// let policy = policy!(any(realm_role("admin"), all(group("/ops"), not(realm_role("trainee")))));
    /// assert_eq!(
    ///     policy.requirement(),
    ///     "Requires realm role `admin`, or (group `/ops` and not realm role `trainee`)."
    /// );
    /// ```
    #[must_use]
    pub fn requirement(&self) -> String {
        match self {
            Self::Public => "Open to everybody, without an access token.".to_owned(),
            Self::All([]) => Self::Authenticated.requirement(),
            Self::Any([]) => "Open to nobody.".to_owned(),
            policy => format!("Requires {}.", phrase(policy)),
        }
    }
}

fn phrase(policy: &Policy) -> String {
    match policy {
        Policy::All([operand]) | Policy::Any([operand]) => phrase(operand),
        Policy::All(operands @ [_, ..]) => joined(operands, "and"),
        Policy::Any(operands @ [_, ..]) => joined(operands, "or"),
        Policy::Not(operand) => format!("not {}", nested(operand)),
        other => other.description(),
    }
}

/// "a or b", "a, b or c"; with another comma where an operand is itself a combination.
fn joined(operands: &[Policy], word: &str) -> String {
    let phrases: Vec<_> = operands.iter().map(nested).collect();
    let comma = if phrases.iter().any(|phrase| phrase.starts_with('(')) {
        ","
    } else {
        ""
    };
    match phrases.as_slice() {
        [first @ .., last] => format!("{}{comma} {word} {last}", first.join(", ")),
        [] => String::new(),
    }
}

fn nested(operand: &Policy) -> String {
    match operand {
        Policy::All([operand]) | Policy::Any([operand]) => nested(operand),
        Policy::All([_, _, ..]) | Policy::Any([_, _, ..]) => format!("({})", phrase(operand)),
        _ => phrase(operand),
    }
}
