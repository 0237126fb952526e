//! Policies as constant data.

/// A requirement that a caller must meet, as constant data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Policy {
    Public,
    Authenticated,
    All(&'static [Policy]),
    Any(&'static [Policy]),
    Not(&'static Policy),
    Role(&'static str),
    RealmRole(&'static str),
    ClientRole {
        client: &'static str,
        role: &'static str,
    },
    Group(&'static str),
    GroupTree(&'static str),
    Scope(&'static str),
    Claim {
        path: &'static str,
        value: ClaimValue,
    },
    Acr(&'static str),
    MaxAge(u64),
    Owner {
        parameter: &'static str,
        claim: &'static str,
    },
}

/// A literal that a claim is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClaimValue {
    String(&'static str),
    Integer(i64),
    Boolean(bool),
}
