//! What the words of a policy say, with the tokens they were said in.

use proc_macro2::{Ident, Literal, TokenStream};

/// One part of the arguments, between two commas.
pub(crate) enum Entry {
    /// `public`
    Public(Ident),
    /// `authenticated`
    Authenticated(Ident),
    /// `any` or `all` at the end of the simple form
    Join(Ident, Join),
    /// `roles = ["a", "b"]`
    List(List),
    /// `role("a")`, `all(…)`, `path::CONST`
    Expression(Requirement),
}

/// How several requirements are joined.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Join {
    All,
    Any,
}

/// `roles = …`, or `client_roles("client" = …)`.
pub(crate) struct List {
    pub(crate) word: Ident,
    pub(crate) kind: ListKind,
    pub(crate) values: Vec<Name>,
    /// Whether the values stand in brackets, each of them a name beyond doubt.
    pub(crate) in_brackets: bool,
}

pub(crate) enum ListKind {
    Roles,
    RealmRoles,
    ClientRoles(Name),
    Groups,
    Scopes,
}

/// A requirement and the tokens an error about it points at.
pub(crate) struct Requirement {
    pub(crate) at: TokenStream,
    pub(crate) kind: Kind,
}

/// The counterpart of the runtime's `Policy`.
pub(crate) enum Kind {
    Public,
    Authenticated,
    All(Vec<Requirement>),
    Any(Vec<Requirement>),
    Not(Box<Requirement>),
    Role(Name),
    RealmRole(Name),
    ClientRole {
        client: Name,
        role: Name,
    },
    Group(Name),
    GroupTree(Name),
    Scope(Name),
    Claim {
        path: Name,
        value: ClaimValue,
    },
    Acr(Name),
    MaxAge(u64),
    Owner {
        parameter: Name,
        claim: Name,
    },
    /// A policy that is defined elsewhere: `path::CONST`.
    Named(TokenStream),
}

impl Kind {
    /// The same text for what means the same, however it is written.
    pub(crate) fn meaning(&self) -> String {
        let joined = |operands: &[Requirement]| -> String {
            operands.iter().map(|operand| operand.kind.meaning() + ",").collect()
        };
        match self {
            Self::Public => "public".to_owned(),
            Self::Authenticated => "authenticated".to_owned(),
            Self::All(operands) => format!("all({})", joined(operands)),
            Self::Any(operands) => format!("any({})", joined(operands)),
            Self::Not(operand) => format!("not({})", operand.kind.meaning()),
            Self::Role(name) => format!("role({:?})", name.text),
            Self::RealmRole(name) => format!("realm_role({:?})", name.text),
            Self::ClientRole { client, role } => format!("client_role({:?},{:?})", client.text, role.text),
            Self::Group(path) => format!("group({:?})", path.text),
            Self::GroupTree(path) => format!("group_tree({:?})", path.text),
            Self::Scope(name) => format!("scope({:?})", name.text),
            Self::Claim { path, value } => match value {
                ClaimValue::String(name) => format!("claim({:?}={:?})", path.text, name.text),
                ClaimValue::Integer(integer) => format!("claim({:?}={integer})", path.text),
                ClaimValue::Boolean(boolean) => format!("claim({:?}={boolean})", path.text),
            },
            Self::Acr(name) => format!("acr({:?})", name.text),
            Self::MaxAge(seconds) => format!("max_age({seconds})"),
            Self::Owner { parameter, claim } => format!("owner({:?}={:?})", parameter.text, claim.text),
            Self::Named(path) => path.to_string(),
        }
    }
}

/// A name in a string literal.
#[derive(Clone)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) literal: Literal,
}

/// The literal a claim is compared with.
pub(crate) enum ClaimValue {
    String(Name),
    Integer(i64),
    Boolean(bool),
}

/// Everything the arguments say.
pub(crate) struct Arguments {
    pub(crate) entries: Vec<Entry>,
    /// The value of `crate = path`.
    pub(crate) crate_path: Option<TokenStream>,
}
