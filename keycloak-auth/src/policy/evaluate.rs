//! The decision about one caller.

use std::{fmt, time::Duration};

use super::{Policy, claim_lookup::claim_matches};
use crate::{claims::Claims, clock::DEFAULT_LEEWAY};

/// What a decision depends on besides policy and caller.
#[derive(Clone, Copy, Debug)]
pub struct EvaluationContext<'a> {
    client_id: &'a str,
    now: Duration,
    leeway: Duration,
    path_parameters: &'a [(&'a str, &'a str)],
}

impl<'a> EvaluationContext<'a> {
    /// A context without path parameters, with a leeway of 60 s. `client_id` is the client whose roles [`Policy::Role`] means
    /// beside realm roles; `now` is the time since the Unix epoch.
    #[must_use]
    pub const fn new(client_id: &'a str, now: Duration) -> Self {
        Self {
            client_id,
            now,
            leeway: DEFAULT_LEEWAY,
            path_parameters: &[],
        }
    }

    /// How far Keycloak's clock may be ahead: a login later than that after `now` is none that [`Policy::MaxAge`] takes. A
    /// service takes its [`leeway`](crate::KeycloakBuilder::leeway).
    #[must_use]
    pub const fn with_leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// Adds the request's path parameters, decoded: names and values.
    #[must_use]
    pub const fn with_path_parameters(mut self, path_parameters: &'a [(&'a str, &'a str)]) -> Self {
        self.path_parameters = path_parameters;
        self
    }

    /// The value of the path parameter; none when it is empty, or there are several of that name.
    fn path_parameter(&self, name: &str) -> Option<&'a str> {
        let mut named = self.path_parameters.iter().filter(|(parameter, _)| *parameter == name);
        match (named.next(), named.next()) {
            (Some((_, value)), None) if !value.is_empty() => Some(value),
            _ => None,
        }
    }
}

/// What a policy says about a caller, with the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision {
    /// The policy is met.
    Allow,
    /// The policy is not met, and the same user cannot meet it by logging in again.
    Deny(Denial),
    /// The policy would be met by a fresher or stronger login (RFC 9470).
    StepUp(StepUp),
}

impl Decision {
    /// Whether the policy is met.
    #[must_use]
    pub const fn is_allowed(&self) -> bool {
        matches!(self, Self::Allow)
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allow => f.write_str("the policy is met"),
            Self::Deny(denial) => denial.fmt(f),
            Self::StepUp(step_up) => step_up.fmt(f),
        }
    }
}

/// Why a policy is not met: the operand that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denial {
    unmet: Policy,
}

impl Denial {
    /// The operand that was not met; any caller who meets it, and the operands beside it, passes.
    #[must_use]
    pub const fn unmet(&self) -> Policy {
        self.unmet
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "requires {}", self.unmet.description())
    }
}

/// The login that a policy asks for (RFC 9470 §3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StepUp {
    pub(super) acr: Option<&'static str>,
    pub(super) max_age: Option<u64>,
}

impl StepUp {
    /// The authentication context class to ask for.
    #[must_use]
    pub const fn acr(&self) -> Option<&'static str> {
        self.acr
    }

    /// How old the login may be, in seconds.
    #[must_use]
    pub const fn max_age(&self) -> Option<u64> {
        self.max_age
    }

    fn and(self, other: Self) -> Self {
        Self {
            acr: self.acr.or(other.acr),
            max_age: match (self.max_age, other.max_age) {
                (Some(own), Some(others)) => Some(own.min(others)),
                (own, others) => own.or(others),
            },
        }
    }
}

impl fmt::Display for StepUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("needs a login")?;
        if let Some(acr) = self.acr {
            write!(f, " of authentication context class `{acr}`")?;
        }
        if let Some(max_age) = self.max_age {
            write!(f, " not older than {max_age} s")?;
        }
        Ok(())
    }
}

impl Policy {
    /// Decides whether the caller with `claims` meets the policy.
    ///
    /// `claims` are those of a validated token: this looks at what the caller may do, not at whether the token holds.
    #[must_use]
    pub fn evaluate(&self, claims: &Claims, context: &EvaluationContext<'_>) -> Decision {
        match self.verdict(claims, context) {
            Verdict::Met => Decision::Allow,
            Verdict::Unmet(operand) => Decision::Deny(Denial { unmet: *operand }),
            Verdict::Login(login) => Decision::StepUp(login),
        }
    }

    fn verdict(&self, claims: &Claims, context: &EvaluationContext<'_>) -> Verdict<'_> {
        let met = match *self {
            Self::Public | Self::Authenticated => true,
            Self::All(operands) => return all(operands, claims, context),
            Self::Any(operands) => return self.any(operands, claims, context),
            // A parameter that the route lacks is nobody's: turned around, that would admit everybody.
            Self::Not(operand) => {
                operand.all_owner_parameters(&mut |name| context.path_parameter(name).is_some())
                    && !matches!(operand.verdict(claims, context), Verdict::Met)
            }
            Self::Role(role) => claims.has_realm_role(role) || claims.has_client_role(context.client_id, role),
            Self::RealmRole(role) => claims.has_realm_role(role),
            Self::ClientRole { client, role } => claims.has_client_role(client, role),
            Self::Group(path) => claims.has_group(path),
            Self::GroupTree(path) => claims.groups().any(|group| is_within(group, path)),
            Self::Scope(scope) => claims.has_scope(scope),
            Self::Claim { path, value } => claim_matches(claims, path, value),
            Self::Acr(acr) if claims.acr() == Some(acr) => true,
            Self::Acr(acr) => {
                return Verdict::Login(StepUp {
                    acr: Some(acr),
                    max_age: None,
                });
            }
            Self::MaxAge(seconds) if is_fresh(claims, context, seconds) => true,
            Self::MaxAge(seconds) => {
                return Verdict::Login(StepUp {
                    acr: None,
                    max_age: Some(seconds),
                });
            }
            Self::Owner { parameter, claim } => is_owner(claims, context, parameter, claim),
        };
        if met { Verdict::Met } else { Verdict::Unmet(self) }
    }

    fn any(&self, operands: &[Self], claims: &Claims, context: &EvaluationContext<'_>) -> Verdict<'_> {
        let mut step_up = None;
        for operand in operands {
            match operand.verdict(claims, context) {
                Verdict::Met => return Verdict::Met,
                Verdict::Login(login) => step_up = step_up.or(Some(login)),
                Verdict::Unmet(_) => {}
            }
        }
        step_up.map_or(Verdict::Unmet(self), Verdict::Login)
    }
}

/// A [`Decision`] that copies no policy: there is one for each operand.
enum Verdict<'p> {
    Met,
    Unmet(&'p Policy),
    Login(StepUp),
}

fn all<'p>(operands: &'p [Policy], claims: &Claims, context: &EvaluationContext<'_>) -> Verdict<'p> {
    let mut step_up: Option<StepUp> = None;
    for operand in operands {
        match operand.verdict(claims, context) {
            Verdict::Met => {}
            Verdict::Login(login) => step_up = Some(step_up.unwrap_or_default().and(login)),
            // A new login would not help: saying so beats sending the user round in circles.
            Verdict::Unmet(operand) => return Verdict::Unmet(operand),
        }
    }
    step_up.map_or(Verdict::Met, Verdict::Login)
}

/// Whether the login is no older. One in the future, beyond what clocks differ, would stay fresh until then: it is a mistake.
fn is_fresh(claims: &Claims, context: &EvaluationContext<'_>, seconds: u64) -> bool {
    let latest = context.now.saturating_add(context.leeway).as_secs();
    claims
        .auth_time()
        .is_some_and(|login| login <= latest && context.now.as_secs().saturating_sub(login) <= seconds)
}

/// Whether `group` is `tree` or lies below it.
pub(crate) fn is_within(group: &str, tree: &str) -> bool {
    group
        .strip_prefix(tree)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether the path parameter stands for the caller. A parameter or claim that is missing or empty never does.
fn is_owner(claims: &Claims, context: &EvaluationContext<'_>, parameter: &str, claim: &str) -> bool {
    let Some(value) = context.path_parameter(parameter) else {
        return false;
    };
    claims.text_claim(claim).is_some_and(|own| own == value)
}
