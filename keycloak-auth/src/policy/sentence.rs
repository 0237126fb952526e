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
    ///     "Requires realm role `admin`, or (group `/ops` and that the caller does not have realm role `trainee`)."
    /// );
    /// ```
    #[must_use]
    pub fn requirement(&self) -> String {
        match self {
            Self::Public => "Open to everybody, without an access token.".to_owned(),
            Self::All([]) => Self::Authenticated.requirement(),
            Self::Any([]) => "Open to nobody.".to_owned(),
            policy => format!("Requires {}.", phrase(policy, true)),
        }
    }
}

/// What is required for the policy to be met, or for it not to be met.
fn phrase(policy: &Policy, is_met: bool) -> String {
    // None of them is each of them not, and not all of them is one of them not (De Morgan).
    let [all, any] = if is_met { ["and", "or"] } else { ["or", "and"] };
    match policy {
        Policy::All([operand]) | Policy::Any([operand]) => phrase(operand, is_met),
        Policy::All(operands @ [_, _, ..]) => joined(operands, all, is_met),
        Policy::Any(operands @ [_, _, ..]) => joined(operands, any, is_met),
        Policy::Not(operand) => phrase(operand, !is_met),
        other if is_met => other.description(),
        other => other.negated_description(),
    }
}

/// "a or b", "a, b or c"; with another comma where an operand is itself a combination.
fn joined(operands: &[Policy], word: &str, are_met: bool) -> String {
    let phrases: Vec<_> = operands.iter().map(|operand| nested(operand, are_met)).collect();
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

fn nested(operand: &Policy, is_met: bool) -> String {
    match operand {
        Policy::All([operand]) | Policy::Any([operand]) => nested(operand, is_met),
        Policy::Not(operand) => nested(operand, !is_met),
        Policy::All([_, _, ..]) | Policy::Any([_, _, ..]) => format!("({})", phrase(operand, is_met)),
        _ => phrase(operand, is_met),
    }
}
