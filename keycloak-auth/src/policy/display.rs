//! Policies as text: in the policy language, and as a sentence's end.

use std::fmt;

use super::{ClaimValue, Policy};

/// The policy in the policy language, as `#[keycloak(...)]` reads it.
impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.word();
        match self {
            Self::Public | Self::Authenticated => f.write_str(word),
            Self::All(operands) | Self::Any(operands) => list(f, word, operands),
            Self::Not(operand) => write!(f, "{word}({operand})"),
            Self::Role(name)
            | Self::RealmRole(name)
            | Self::Group(name)
            | Self::GroupTree(name)
            | Self::Scope(name)
            | Self::Acr(name) => write!(f, "{word}({name:?})"),
            Self::ClientRole { client, role } => write!(f, "{word}({client:?}, {role:?})"),
            Self::Claim { path, value } => write!(f, "{word}({path:?} = {value})"),
            Self::MaxAge(seconds) => write!(f, "{word}({seconds})"),
            Self::Owner {
                parameter,
                claim: "sub",
            } => write!(f, "{word}({parameter:?})"),
            Self::Owner { parameter, claim } => write!(f, "{word}({parameter:?} = {claim:?})"),
        }
    }
}

impl fmt::Display for ClaimValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(text) => write!(f, "{text:?}"),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Boolean(boolean) => write!(f, "{boolean}"),
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, word: &str, operands: &[Policy]) -> fmt::Result {
    write!(f, "{word}(")?;
    for (index, operand) in operands.iter().enumerate() {
        write!(f, "{}{operand}", if index == 0 { "" } else { ", " })?;
    }
    f.write_str(")")
}

impl Policy {
    /// What the policy asks for, for a reader: "realm role `admin`", "any of: role `admin`, group `/ops`".
    #[must_use]
    pub fn description(&self) -> String {
        match self {
            Self::Public => "nothing".to_owned(),
            Self::Authenticated => "a valid access token".to_owned(),
            Self::All([]) => "nothing more".to_owned(),
            Self::Any([]) => "what nobody has".to_owned(),
            Self::All([operand]) | Self::Any([operand]) => operand.description(),
            Self::All(operands) => format!("all of: {}", descriptions(operands)),
            Self::Any(operands) => format!("any of: {}", descriptions(operands)),
            Self::Not(operand) => operand.negated_description(),
            Self::Role(role) => format!("role `{role}`"),
            Self::RealmRole(role) => format!("realm role `{role}`"),
            Self::ClientRole { client, role } => format!("role `{role}` of client `{client}`"),
            Self::Group(path) => format!("group `{path}`"),
            Self::GroupTree(path) => format!("group `{path}` (or one below it)"),
            Self::Scope(scope) => format!("scope `{scope}`"),
            Self::Claim { path, value } => format!("claim `{path}` = `{value}`"),
            Self::Acr(acr) => format!("a login of authentication context class `{acr}`"),
            Self::MaxAge(seconds) => format!("a login not older than {seconds} s"),
            Self::Owner { parameter, claim } => format!("path parameter `{parameter}` to be the caller's `{claim}`"),
        }
    }

    /// What a policy asks for that is met where this one is not: "that the caller is not in group `/ops`".
    pub(super) fn negated_description(&self) -> String {
        match self {
            Self::Public | Self::All([]) => Self::Any(&[]).description(),
            Self::Any([]) => Self::All(&[]).description(),
            Self::Authenticated => "that there is no valid access token".to_owned(),
            Self::All([operand]) | Self::Any([operand]) => operand.negated_description(),
            Self::All(operands) => format!("not all of: {}", descriptions(operands)),
            Self::Any(operands) => format!("none of: {}", descriptions(operands)),
            Self::Not(operand) => operand.description(),
            Self::Role(_) | Self::RealmRole(_) | Self::ClientRole { .. } => {
                format!("that the caller does not have {}", self.description())
            }
            Self::Group(_) | Self::GroupTree(_) => format!("that the caller is not in {}", self.description()),
            Self::Scope(_) => format!("that {} is not granted", self.description()),
            Self::Claim { path, value } => format!("that claim `{path}` is not `{value}`"),
            Self::Acr(acr) => format!("that the token shows no login of authentication context class `{acr}`"),
            Self::MaxAge(seconds) => format!("that the token shows no login within the last {seconds} s"),
            Self::Owner { parameter, claim } => {
                format!("that path parameter `{parameter}` is not the caller's `{claim}`")
            }
        }
    }
}

fn descriptions(operands: &[Policy]) -> String {
    operands.iter().map(nested).collect::<Vec<_>>().join(", ")
}

fn nested(operand: &Policy) -> String {
    match operand {
        Policy::All([_, _, ..]) | Policy::Any([_, _, ..]) => format!("({})", operand.description()),
        _ => operand.description(),
    }
}
