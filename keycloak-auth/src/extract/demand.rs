//! What is asked of a caller: by a guard, or by a layer in front of all handlers.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use axum::extract::{FromRequestParts as _, RawPathParams};
use http::request::Parts;

use super::outcome::why;
use crate::{
    AuthError, Keycloak, KeycloakUser,
    policy::{Explanation, Policy},
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
    pub(crate) fn ask(&self, user: &KeycloakUser, parts: &mut Parts, keycloak: &Keycloak) -> Result<(), Unmet> {
        let now = if self.needs_time {
            keycloak.now()
        } else {
            Duration::ZERO
        };
        let parameters = if self.needs_path_parameters {
            path_parameters(parts)
        } else {
            None
        };
        // Looking through what is not there would take longer than the decision.
        let parameters = parameters
            .as_ref()
            .map_or_else(Vec::new, |parameters| parameters.iter().collect());
        let context = keycloak.evaluation_context(now).with_path_parameters(&parameters);
        match AuthError::of(self.policy.evaluate(user, &context)) {
            Some(error) => Err((error, why(&self.policy, user, &context, parts))),
            None => Ok(()),
        }
    }
}

/// The path's parameters. They lie in the request, so the first poll of their extractor has them; were that ever otherwise,
/// there would be none, and no policy about them would be met.
fn path_parameters(parts: &mut Parts) -> Option<RawPathParams> {
    let extracted = pin!(RawPathParams::from_request_parts(parts, &()));
    match extracted.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(parameters) => parameters.ok(),
        Poll::Pending => None,
    }
}
