//! The time and the allocations of one decision: a policy of eight operands, and a user with fifty roles who meets none of
//! them but the last, so that everything is looked at.

use std::{hint::black_box, time::Instant};

use keycloak_auth::{
    KeycloakUser, Policy, policy,
    policy::{Decision, EvaluationContext},
    testing::TestRealm,
};

const ROUNDS: usize = 200;
const REPETITIONS: u32 = 10_000;

const ROLES_AND_GROUPS: Policy = policy!(any(
    realm_role("missing-1"),
    realm_role("missing-2"),
    client_role("orders-api", "missing"),
    client_role("billing-api", "missing"),
    group("/missing"),
    group_tree("/elsewhere"),
    scope("missing"),
    realm_role("role-39"),
));

const REFUSED: Policy = policy!(all(
    realm_role("role-00"),
    realm_role("role-39"),
    client_role("orders-api", "role-9"),
    not(role("missing")),
    group("/ops/oncall"),
    not(group_tree("/elsewhere")),
    scope("email"),
    group("/missing"),
));

fn main() {
    // `cargo test --all-targets` starts benchmarks too, and has no use for a time.
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("the benchmark runs with `cargo bench`");
        return;
    }
    let realm = TestRealm::new("acme", "orders-api");
    let user = user(&realm);
    let context = EvaluationContext::new("orders-api", realm.clock().now());
    println!("| {:<40} | {:>11} | {:>11} |", "policy", "nanoseconds", "allocations");
    println!("|{:-<42}|{:->12}:|{:->12}:|", "", "", "");
    for (name, policy, expected) in [
        ("`any` of eight, the last one holds", &ROLES_AND_GROUPS, true),
        ("`all` of eight, the last one does not", &REFUSED, false),
    ] {
        let decide = || -> Decision { black_box(policy).evaluate(black_box(&user), black_box(&context)) };
        assert_eq!(decide().is_allowed(), expected, "{policy}");
        let allocations = allocation_counter::measure(|| _ = black_box(decide())).count_total;
        println!("| {name:<40} | {:>11.1} | {allocations:>11} |", nanoseconds(decide));
    }
}

/// The fastest round: what the machine does beside it only adds.
fn nanoseconds(decide: impl Fn() -> Decision) -> f64 {
    let round = || {
        let begin = Instant::now();
        for _ in 0..REPETITIONS {
            black_box(decide());
        }
        begin.elapsed().as_secs_f64() * 1e9 / f64::from(REPETITIONS)
    };
    (0..ROUNDS).map(|_| round()).fold(f64::INFINITY, f64::min)
}

/// Forty realm roles, ten client roles, two groups.
fn user(realm: &TestRealm) -> KeycloakUser {
    let mut token = realm.user("alice").group("/finance").group("/ops/oncall");
    for number in 0..40 {
        token = token.realm_role(&format!("role-{number:02}"));
    }
    for number in 0..10 {
        token = token.client_role("orders-api", &format!("role-{number}"));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime
        .block_on(realm.keycloak().authenticate(&token.token()))
        .expect("a good token")
}
