//! The policies of all operations that were documented: the way back from a document to the policy as data.
//!
//! `utoipa_axum::routes!` hides the handlers, and an operation can carry JSON only. So each policy is noted when its
//! operation is made, under the expression that the operation shows.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use utoipa::openapi::path::Operation;

use super::POLICY_EXTENSION;
use crate::policy::Policy;

static DOCUMENTED: Mutex<BTreeMap<String, &'static Policy>> = Mutex::new(BTreeMap::new());

/// Notes a policy.
pub(super) fn note(policy: &'static Policy) {
    let mut documented = DOCUMENTED.lock().unwrap_or_else(PoisonError::into_inner);
    documented.insert(policy.to_string(), policy);
}

/// The policy of an operation; none when it was not decorated with one.
pub(crate) fn policy_of(operation: &Operation) -> Option<&'static Policy> {
    let extensions = operation.extensions.as_ref()?;
    let expression = extensions.get(POLICY_EXTENSION)?.get("expression")?.as_str()?;
    let documented = DOCUMENTED.lock().unwrap_or_else(PoisonError::into_inner);
    documented.get(expression).copied()
}
