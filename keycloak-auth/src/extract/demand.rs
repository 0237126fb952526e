//! What is asked of a caller: by a guard, or by a layer in front of all handlers.

use std::time::Duration;

use super::{
    head::{Head, path_parameters},
    outcome::{Enforcement, why},
};
use crate::{
    AuthError, Keycloak, KeycloakUser,
    policy::{EvaluationContext, Explanation, Policy},
};

/// A policy with what it needs. A guard's is a constant: no request looks through the policy for that.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Demand {
    policy: Policy,
    needs_time: bool,
    needs_path_parameters: bool,
}

/// The error of a caller who does not meet a demand, with more about it where somebody reads that.
pub(crate) type Unmet = (AuthError, Option<Explanation>);

impl Demand {
    pub(crate) const fn new(policy: Policy) -> Self {
        Self {
            policy,
            needs_time: policy.needs_time(),
            needs_path_parameters: policy.needs_path_parameters(),
        }
    }

    pub(super) const fn is_public(&self) -> bool {
        self.policy.is_public()
    }

    /// Whether the caller of the request meets it.
    #[expect(clippy::result_large_err, reason = "it goes no further than the refusal")]
    pub(crate) fn check(
        &self,
        user: &KeycloakUser,
        enforcement: Enforcement,
        head: &mut impl Head,
        keycloak: &Keycloak,
    ) -> Result<(), Unmet> {
        if self.needs_path_parameters {
            return self.check_with_parameters(user, enforcement, head, keycloak);
        }
        self.decide(
            user,
            &keycloak.evaluation_context(self.now(keycloak)),
            enforcement,
            head,
        )
    }

    #[inline(never)]
    #[expect(clippy::result_large_err, reason = "it goes no further than the refusal")]
    fn check_with_parameters(
        &self,
        user: &KeycloakUser,
        enforcement: Enforcement,
        head: &mut impl Head,
        keycloak: &Keycloak,
    ) -> Result<(), Unmet> {
        let parameters = path_parameters(head);
        let parameters = parameters
            .as_ref()
            .map_or_else(Vec::new, |parameters| parameters.iter().collect());
        let context = keycloak
            .evaluation_context(self.now(keycloak))
            .with_path_parameters(&parameters);
        self.decide(user, &context, enforcement, head)
    }

    fn now(&self, keycloak: &Keycloak) -> Duration {
        if self.needs_time {
            keycloak.now()
        } else {
            Duration::ZERO
        }
    }

    #[inline]
    #[expect(clippy::result_large_err, reason = "it goes no further than the refusal")]
    fn decide(
        &self,
        user: &KeycloakUser,
        context: &EvaluationContext<'_>,
        enforcement: Enforcement,
        head: &impl Head,
    ) -> Result<(), Unmet> {
        match AuthError::of(self.policy.evaluate(user, context)) {
            Some(error) => Err((error, why(&self.policy, user, context, enforcement, head))),
            None => Ok(()),
        }
    }
}
