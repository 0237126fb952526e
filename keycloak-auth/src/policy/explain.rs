//! Why a caller meets a policy or not: as a sentence, and as data.

use std::fmt;

use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};

use super::{Decision, EvaluationContext, Policy, StepUp};
use crate::claims::Claims;

/// More ways to meet a policy than this are not listed.
const MOST: usize = 16;

/// A decision with its reasons; made by [`Policy::explain`].
///
/// It says what the caller lacks, and so is for logs, tests and support, not for the response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    policy: Policy,
    decision: Decision,
    unmet: Vec<Policy>,
    would_suffice: Vec<Vec<Policy>>,
    is_incomplete: bool,
}

impl Policy {
    /// Decides as [`evaluate`](Self::evaluate) does, and says which operands failed and what would have sufficed.
    ///
    /// ```
    /// use keycloak_auth::{policy, testing::TestRealm};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let realm = TestRealm::new("acme", "orders-api");
    /// let policy = policy!(any(realm_role("admin"), all(group("/ops"), realm_role("clerk"))));
    /// let report = realm.keycloak().explain(&policy, &realm.user("bob").realm_role("clerk").token()).await;
    /// let explanation = report.explanation().expect("the token is good");
    /// assert!(!explanation.decision().is_allowed());
    /// assert_eq!(explanation.would_suffice(), [vec![policy!(realm_role("admin"))], vec![policy!(group("/ops"))]]);
    /// assert!(explanation.to_string().ends_with("would suffice: realm role `admin`; or group `/ops`"));
    /// # }
    /// ```
    #[must_use]
    pub fn explain(&self, claims: &Claims, context: &EvaluationContext<'_>) -> Explanation {
        let is_met = |policy: &Self| policy.evaluate(claims, context).is_allowed();
        let decision = self.evaluate(claims, context);
        let (mut unmet, mut would_suffice) = (Vec::new(), Vec::new());
        if !decision.is_allowed() {
            self.collect_unmet(&is_met, &mut unmet);
            would_suffice = self.missing(&is_met);
        }
        Explanation {
            policy: *self,
            decision,
            unmet,
            would_suffice,
            is_incomplete: false,
        }
    }

    fn collect_unmet(&self, is_met: &impl Fn(&Self) -> bool, unmet: &mut Vec<Self>) {
        match self {
            _ if is_met(self) => {}
            Self::All(operands @ [_, ..]) | Self::Any(operands @ [_, ..]) => {
                operands.iter().for_each(|operand| operand.collect_unmet(is_met, unmet));
            }
            leaf if unmet.contains(leaf) => {}
            leaf => unmet.push(*leaf),
        }
    }

    /// The sets of operands with one of which, in addition, the policy would be met; the shortest first.
    fn missing(&self, is_met: &impl Fn(&Self) -> bool) -> Vec<Vec<Self>> {
        let mut ways = match self {
            _ if is_met(self) => vec![Vec::new()],
            Self::Any(operands) => operands.iter().flat_map(|operand| operand.missing(is_met)).collect(),
            Self::All(operands) => operands.iter().fold(vec![Vec::new()], |ways: Vec<Vec<Self>>, operand| {
                let further = operand.missing(is_met);
                let mut combined = Vec::new();
                'all: for way in &ways {
                    for more in &further {
                        if combined.len() > MOST {
                            break 'all;
                        }
                        let mut way = way.clone();
                        way.extend(
                            more.iter()
                                .filter(|operand| !way.contains(operand))
                                .copied()
                                .collect::<Vec<_>>(),
                        );
                        combined.push(way);
                    }
                }
                combined
            }),
            leaf => vec![vec![*leaf]],
        };
        ways.sort_by_key(Vec::len);
        let mut distinct: Vec<Vec<Self>> = Vec::new();
        for way in ways {
            // What contains another way says nothing new.
            if !distinct
                .iter()
                .any(|known| known.iter().all(|operand| way.contains(operand)))
            {
                distinct.push(way);
            }
        }
        distinct.truncate(MOST);
        distinct
    }
}

impl Explanation {
    /// What may be behind a denial, where Keycloak was not asked for what the token leaves out.
    const INCOMPLETE: &str = "the token is a lightweight one, which leaves out roles, groups and more: \
                              `.introspection(Introspection::WhenLightweight)` has Keycloak asked for them";

    /// The same, about claims of a token that says only a part of what its caller is.
    pub(crate) fn of_incomplete(self, is_incomplete: bool) -> Self {
        Self { is_incomplete, ..self }
    }

    /// The policy that was asked.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What it said.
    #[must_use]
    pub fn decision(&self) -> Decision {
        self.decision
    }

    /// The operands that were not met, each once, in the policy's order; none when the decision is to allow.
    #[must_use]
    pub fn unmet(&self) -> &[Policy] {
        &self.unmet
    }

    /// The sets of operands with one of which the caller would have met the policy, the shortest first, at most 16. None
    /// when the decision is to allow, and when nothing would help.
    #[must_use]
    pub fn would_suffice(&self) -> &[Vec<Policy>] {
        &self.would_suffice
    }
}

/// One sentence: the decision, and what would have sufficed.
impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.decision {
            Decision::Allow => return write!(f, "allowed: `{}` is met", self.policy),
            Decision::Deny(_) => "denied",
            Decision::StepUp(_) => "another login is asked for",
        };
        write!(f, "{word}: `{}` is not met", self.policy)?;
        for (index, way) in self.would_suffice.iter().enumerate() {
            f.write_str(if index == 0 { "; would suffice: " } else { "; or " })?;
            for (index, operand) in way.iter().enumerate() {
                let joint = if index == 0 { "" } else { " and " };
                write!(f, "{joint}{}", operand.description())?;
            }
        }
        match self.is_incomplete {
            true => write!(f, "; {}", Self::INCOMPLETE),
            false => Ok(()),
        }
    }
}

/// `{"allowed", "expression", "policy", "unmet": […], "would_suffice": [[…], …]}`
impl Serialize for Explanation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut explanation = serializer.serialize_struct("Explanation", 5)?;
        explanation.serialize_field("allowed", &self.decision.is_allowed())?;
        explanation.serialize_field("expression", &self.policy.to_string())?;
        explanation.serialize_field("policy", &self.policy)?;
        explanation.serialize_field("unmet", &self.unmet)?;
        explanation.serialize_field("would_suffice", &self.would_suffice)?;
        explanation.end()
    }
}

/// `{"allowed", "reason"}`, with `"unmet"` when the policy denies, and `"step_up": {"acr", "max_age"}` when it asks for
/// another login.
impl Serialize for Decision {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut decision = serializer.serialize_map(None)?;
        decision.serialize_entry("allowed", &self.is_allowed())?;
        decision.serialize_entry("reason", &self.to_string())?;
        match self {
            Self::Allow => {}
            Self::Deny(denial) => decision.serialize_entry("unmet", &denial.unmet())?,
            Self::StepUp(step_up) => decision.serialize_entry("step_up", step_up)?,
        }
        decision.end()
    }
}

impl Serialize for StepUp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut step_up = serializer.serialize_struct("StepUp", 2)?;
        step_up.serialize_field("acr", &self.acr())?;
        step_up.serialize_field("max_age", &self.max_age())?;
        step_up.end()
    }
}
