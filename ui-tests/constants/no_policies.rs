//! Constants that are no policies, in every place where a policy with a name can stand.

use keycloak_auth::{Policy, keycloak, policy};

const NUMBER: u32 = 1;

mod policies {
    pub(crate) const TEXT: &str = "admin";
}

const OPS: Policy = policy!(any(NUMBER, role("admin")));
const STAFF: Policy = policy!(policies::TEXT);

#[keycloak(NUMBER)]
async fn alone() {}

#[keycloak(policies::TEXT)]
async fn of_a_module() {}

#[keycloak(all(OPS, NUMBER))]
async fn among_others() {}

#[keycloak(all(STAFF, not(NUMBER)))]
async fn turned_around() {}

#[keycloak(crate = keycloak_auth, policies::TEXT)]
async fn with_crate() {}

fn main() {}
