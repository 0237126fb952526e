//! Policies: what a caller must be, as constant data, and the decision about one caller.
//!
//! A policy is written on the handler by `#[keycloak(...)]` and ends up here as a `const`. Evaluating it needs no I/O,
//! allocates nothing and is told the time, so that the same policy gives the same answer in a handler, in a test and in
//! a tool that lists who may do what.
//!
//! ```
//! use std::time::Duration;
//! use keycloak_auth::policy::{EvaluationContext, Policy};
//! # use keycloak_auth::Claims;
//!
//! const OPS: Policy = Policy::Any(&[Policy::RealmRole("admin"), Policy::Group("/ops")]);
//!
//! # fn demo(claims: &Claims) {
//! let context = EvaluationContext::new("orders-api", Duration::from_secs(1_767_225_600));
//! let decision = OPS.evaluate(claims, &context);
//! if !decision.is_allowed() {
//!     println!("{decision}"); // "requires any of: realm role `admin`, group `/ops`"
//! }
//! # }
//! ```
//!
#![doc = include_str!("../docs/semantics.md")]

mod claim_lookup;
mod display;
mod evaluate;
mod explain;
mod json;
#[cfg(feature = "utoipa")]
mod scopes;
mod sentence;
mod words;

pub(crate) use evaluate::is_within;
pub use evaluate::{Decision, Denial, EvaluationContext, StepUp};
pub use explain::Explanation;

/// What a caller must be.
///
/// The variants are the words of the policy language; `Display` prints a policy in that language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Policy {
    /// Everybody, without credentials.
    Public,
    /// Everybody with a valid access token.
    Authenticated,
    /// Whoever meets every operand; all do when there is none.
    All(&'static [Policy]),
    /// Whoever meets one of the operands; nobody does when there is none.
    Any(&'static [Policy]),
    /// Whoever does not meet the operand.
    Not(&'static Policy),
    /// A realm role, or a role of the configured `client_id`. Never a role of another client.
    Role(&'static str),
    /// A realm role.
    RealmRole(&'static str),
    /// A role of the named client.
    ClientRole {
        /// The client's `clientId`.
        client: &'static str,
        /// The role's name.
        role: &'static str,
    },
    /// Membership in exactly the group of this full path.
    Group(&'static str),
    /// Membership in the group of this full path or in one below it.
    GroupTree(&'static str),
    /// A granted scope.
    Scope(&'static str),
    /// A claim that equals the value, or an array that contains it.
    Claim {
        /// The members to follow, separated by dots; `\.` is a dot in a name.
        path: &'static str,
        /// What the claim must be or contain.
        value: ClaimValue,
    },
    /// An authentication context class (RFC 9470); when it is not met, the caller is asked to log in accordingly.
    Acr(&'static str),
    /// A login at most this many seconds ago (RFC 9470), and not in the future by more than the leeway; when it is not met, the
    /// caller is asked to log in again.
    MaxAge(u64),
    /// A path parameter of the request that equals a claim of the caller.
    Owner {
        /// The name of the path parameter.
        parameter: &'static str,
        /// The claim: `sub`, unless said otherwise. The members to follow, as in [`Claim`](Self::Claim).
        claim: &'static str,
    },
}

/// A literal that a claim is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClaimValue {
    /// A JSON string.
    String(&'static str),
    /// A JSON number without fraction.
    Integer(i64),
    /// `true` or `false`.
    Boolean(bool),
}

/// What a decision may depend on besides policy and caller.
#[derive(Clone, Copy)]
enum Need {
    Time,
    PathParameters,
}

impl Policy {
    /// Whether a request without credentials meets the policy.
    #[must_use]
    pub const fn is_public(&self) -> bool {
        matches!(self, Self::Public)
    }

    /// Whether evaluating needs the path parameters of the request.
    pub(crate) const fn needs_path_parameters(&self) -> bool {
        self.needs(Need::PathParameters)
    }

    /// Whether the decision depends on the time. Looking at a clock costs as much as finding a token.
    pub(crate) const fn needs_time(&self) -> bool {
        self.needs(Need::Time)
    }

    const fn needs(&self, what: Need) -> bool {
        match self {
            Self::Owner { .. } => matches!(what, Need::PathParameters),
            Self::MaxAge(_) => matches!(what, Need::Time),
            Self::All(operands) | Self::Any(operands) => {
                // Of the ways to go through a slice, the one that is allowed in constants.
                let mut rest = *operands;
                while let [operand, others @ ..] = rest {
                    if operand.needs(what) {
                        return true;
                    }
                    rest = others;
                }
                false
            }
            Self::Not(operand) => operand.needs(what),
            Self::Public
            | Self::Authenticated
            | Self::Role(_)
            | Self::RealmRole(_)
            | Self::ClientRole { .. }
            | Self::Group(_)
            | Self::GroupTree(_)
            | Self::Scope(_)
            | Self::Claim { .. }
            | Self::Acr(_) => false,
        }
    }

    /// The path parameters that a route needs so that the policy can be met, in the policy's order.
    ///
    /// ```
    /// # use keycloak_auth::{Policy, policy};
    /// const POLICY: Policy = policy!(any(owner("user"), all(owner("team" = "team"), not(owner("user" = "deputy")))));
    ///
    /// assert_eq!(POLICY.owner_parameters(), ["user", "team"]);
    /// ```
    #[must_use]
    pub fn owner_parameters(&self) -> Vec<&'static str> {
        let mut parameters = Vec::new();
        self.all_owner_parameters(&mut |parameter| {
            if !parameters.contains(&parameter) {
                parameters.push(parameter);
            }
            true
        });
        parameters
    }

    /// Whether `is_wanted` is true of every path parameter of the policy; the first of which it is not ends the search.
    fn all_owner_parameters(&self, is_wanted: &mut impl FnMut(&'static str) -> bool) -> bool {
        match self {
            Self::Owner { parameter, .. } => is_wanted(parameter),
            Self::All(operands) | Self::Any(operands) => {
                operands.iter().all(|operand| operand.all_owner_parameters(is_wanted))
            }
            Self::Not(operand) => operand.all_owner_parameters(is_wanted),
            Self::Public
            | Self::Authenticated
            | Self::Role(_)
            | Self::RealmRole(_)
            | Self::ClientRole { .. }
            | Self::Group(_)
            | Self::GroupTree(_)
            | Self::Scope(_)
            | Self::Claim { .. }
            | Self::Acr(_)
            | Self::MaxAge(_) => true,
        }
    }

    /// The scopes that the policy names, in its order.
    #[must_use]
    pub fn scopes(&self) -> Vec<&'static str> {
        let mut scopes = Vec::new();
        self.collect_scopes(&mut scopes);
        scopes
    }

    fn collect_scopes(&self, scopes: &mut Vec<&'static str>) {
        match self {
            Self::Scope(scope) => {
                if !scopes.contains(scope) {
                    scopes.push(scope);
                }
            }
            Self::All(operands) | Self::Any(operands) => {
                operands.iter().for_each(|operand| operand.collect_scopes(scopes))
            }
            // A scope that must not be there is not one to ask for.
            Self::Not(_)
            | Self::Public
            | Self::Authenticated
            | Self::Role(_)
            | Self::RealmRole(_)
            | Self::ClientRole { .. }
            | Self::Group(_)
            | Self::GroupTree(_)
            | Self::Claim { .. }
            | Self::Acr(_)
            | Self::MaxAge(_)
            | Self::Owner { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests;
