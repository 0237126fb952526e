use keycloak_auth::{Policy, policy};

const EMPTY: Policy = policy!();
const UNKNOWN: Policy = policy!(rolse = "admin");
const SEVERAL: Policy = policy!(role(admin), group("/ops/"));
const FINE: Policy = policy!(any(EMPTY, UNKNOWN, SEVERAL, role("admin")));

fn main() {
    let _ = FINE;
}
