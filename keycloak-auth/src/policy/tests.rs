use std::time::Duration;

use super::*;
use crate::claims::Claims;

const NOW: Duration = Duration::from_secs(1_000_000);

fn claims() -> Claims {
    Claims::parse(
        r#"{"sub":"u-1","preferred_username":"alice","acr":"1","auth_time":999000,"scope":"openid orders",
            "realm_access":{"roles":["clerk","both"]},
            "resource_access":{"orders-api":{"roles":["orders:read"]},"billing-api":{"roles":["admin"]}},
            "groups":["/ops/oncall","/finance"],"tenant":{"plan":["gold"]}}"#,
    )
    .expect("valid claims")
}

fn decide(policy: Policy) -> Decision {
    let parameters = [
        ("user", "u-1"),
        ("name", "alice"),
        ("empty", ""),
        ("twice", "u-1"),
        ("twice", "u-2"),
    ];
    policy.evaluate(
        &claims(),
        &EvaluationContext::new("orders-api", NOW).with_path_parameters(&parameters),
    )
}

fn allows(policy: Policy) -> bool {
    decide(policy).is_allowed()
}

#[test]
fn a_role_is_a_realm_role_or_one_of_the_configured_client() {
    assert!(allows(Policy::Role("clerk")));
    assert!(allows(Policy::Role("orders:read")));
    assert!(!allows(Policy::Role("admin")), "billing-api's admin is nobody here");
    assert!(allows(Policy::RealmRole("clerk")));
    assert!(!allows(Policy::RealmRole("orders:read")));
    assert!(allows(Policy::ClientRole {
        client: "billing-api",
        role: "admin"
    }));
    assert!(!allows(Policy::ClientRole {
        client: "orders-api",
        role: "admin"
    }));
    assert!(!allows(Policy::ClientRole {
        client: "orders-api",
        role: "clerk"
    }));
    for near in ["Clerk", "cler", "clerks", "clerk ", "", "сlerk"] {
        assert!(!allows(Policy::Role(near)), "{near:?}");
    }
}

#[test]
fn a_group_is_a_full_path_and_a_tree_everything_below_it() {
    assert!(allows(Policy::Group("/ops/oncall")));
    for other in [
        "/ops",
        "/ops/",
        "/ops/oncall/x",
        "ops/oncall",
        "/Ops/oncall",
        "//ops/oncall",
        "/oncall",
    ] {
        assert!(!allows(Policy::Group(other)), "{other}");
    }
    assert!(allows(Policy::GroupTree("/ops")));
    assert!(allows(Policy::GroupTree("/finance")));
    for other in ["/op", "/fin", "/finance/x", "ops", "/ops/oncall/x"] {
        assert!(!allows(Policy::GroupTree(other)), "{other}");
    }
}

#[test]
fn scopes_claims_and_owners() {
    assert!(allows(Policy::Scope("orders")));
    assert!(!allows(Policy::Scope("order")));
    assert!(allows(Policy::Claim {
        path: "tenant.plan",
        value: ClaimValue::String("gold")
    }));
    assert!(!allows(Policy::Claim {
        path: "tenant.plan",
        value: ClaimValue::String("silver")
    }));
    assert!(allows(Policy::Owner {
        parameter: "user",
        claim: "sub"
    }));
    assert!(allows(Policy::Owner {
        parameter: "name",
        claim: "preferred_username"
    }));
    for (parameter, claim) in [
        ("name", "sub"),
        ("missing", "sub"),
        ("empty", "email"),
        ("empty", "sub"),
        ("twice", "sub"),
        ("user", "groups"),
    ] {
        assert!(!allows(Policy::Owner { parameter, claim }), "{parameter} = {claim}");
    }
}

/// As `claim` does: a dot leads into an object, `\.` is part of a name.
#[test]
fn the_claim_of_an_owner_is_a_path() {
    let claims = Claims::parse(
        r#"{"sub":"u-1","employee":{"number":"7","desk":{"room":"b"},"phones":["9"]},"https://acme.test/id":"8"}"#,
    )
    .expect("valid claims");
    for (value, claim, expected) in [
        ("7", "employee.number", true),
        ("b", "employee.desk.room", true),
        ("8", "https://acme\\.test/id", true),
        ("8", "employee.number", false),
        ("8", "https://acme.test/id", false),
        ("9", "employee.phones", false),
        ("b", "employee.desk", false),
        ("u-1", "sub.x", false),
        ("7", "number", false),
    ] {
        let parameters = [("id", value)];
        let context = EvaluationContext::new("orders-api", NOW).with_path_parameters(&parameters);
        let policy = Policy::Owner { parameter: "id", claim };
        assert_eq!(
            policy.evaluate(&claims, &context).is_allowed(),
            expected,
            "{value} = {claim}"
        );
    }
}

#[test]
fn a_parameter_that_is_not_there_is_nobodys_and_not_everybodys() {
    const MISSING: Policy = Policy::Owner {
        parameter: "missing",
        claim: "sub",
    };
    const OTHER: Policy = Policy::Owner {
        parameter: "name",
        claim: "sub",
    };
    assert!(allows(Policy::Not(&OTHER)));
    for parameter in ["missing", "empty", "twice"] {
        let not: &'static Policy = Box::leak(Box::new(Policy::Owner {
            parameter,
            claim: "sub",
        }));
        assert!(!allows(Policy::Not(not)), "{parameter}");
    }
    assert!(!allows(Policy::Not(&Policy::Not(&MISSING))));
    assert!(!allows(Policy::Not(&Policy::All(&[
        OTHER,
        Policy::Any(&[OTHER, MISSING])
    ]))));
    assert!(allows(Policy::Any(&[MISSING, Policy::RealmRole("clerk")])));
    assert_eq!(
        Policy::All(&[OTHER, Policy::Not(&MISSING), OTHER]).owner_parameters(),
        ["name", "missing"]
    );
    assert!(!Policy::Authenticated.needs_path_parameters());
}

#[test]
fn operands_combine_as_their_words_say() {
    const YES: Policy = Policy::RealmRole("clerk");
    const NO: Policy = Policy::RealmRole("auditor");
    assert!(allows(Policy::All(&[YES, YES])));
    assert!(!allows(Policy::All(&[YES, NO])));
    assert!(allows(Policy::Any(&[NO, YES])));
    assert!(!allows(Policy::Any(&[NO, NO])));
    assert!(allows(Policy::Not(&NO)));
    assert!(!allows(Policy::Not(&YES)));
    assert!(allows(Policy::All(&[])) && !allows(Policy::Any(&[])));
    assert!(
        !allows(Policy::All(&[Policy::Any(&[YES, NO]), NO])),
        "an inner `any` does not bypass the outer `all`"
    );
}

#[test]
fn a_missing_login_asks_for_one_unless_it_would_not_help() {
    const STRONG: Policy = Policy::Acr("2");
    const FRESH: Policy = Policy::MaxAge(300);
    const NO: Policy = Policy::RealmRole("auditor");
    assert!(allows(Policy::Acr("1")) && allows(Policy::MaxAge(1000)) && !allows(Policy::MaxAge(999)));
    assert_eq!(
        decide(Policy::All(&[STRONG, FRESH])),
        Decision::StepUp(StepUp {
            acr: Some("2"),
            max_age: Some(300)
        })
    );
    assert!(matches!(decide(Policy::All(&[STRONG, NO])), Decision::Deny(_)));
    assert!(matches!(decide(Policy::Any(&[NO, STRONG])), Decision::StepUp(_)));
    assert!(allows(Policy::Not(&STRONG)));
    let without_login = Claims::parse(r#"{"sub":"x"}"#).expect("valid");
    assert!(
        !FRESH
            .evaluate(&without_login, &EvaluationContext::new("orders-api", NOW))
            .is_allowed()
    );
}

#[test]
fn a_login_in_the_future_is_none_but_for_the_leeway() {
    let login_in = |seconds: u64| {
        let json = format!(r#"{{"sub":"u-1","auth_time":{}}}"#, NOW.as_secs() + seconds);
        Claims::parse(&json).expect("valid claims")
    };
    let context = EvaluationContext::new("orders-api", NOW);
    let is_met = |seconds, context: &EvaluationContext<'_>| {
        Policy::MaxAge(300).evaluate(&login_in(seconds), context).is_allowed()
    };
    assert!(is_met(0, &context) && is_met(60, &context) && !is_met(61, &context) && !is_met(1_000_000, &context));
    let wide = context.with_leeway(Duration::from_secs(600));
    assert!(is_met(600, &wide) && !is_met(601, &wide));
    let end = EvaluationContext::new("orders-api", Duration::MAX);
    assert!(!is_met(0, &end));
}

#[test]
fn a_denial_names_what_was_missing() {
    let decision = decide(Policy::All(&[
        Policy::RealmRole("clerk"),
        Policy::Any(&[Policy::Role("admin"), Policy::Group("/ops")]),
    ]));
    assert_eq!(decision.to_string(), "requires any of: role `admin`, group `/ops`");
}

#[test]
fn a_sentence_says_what_is_not_to_be() {
    const ROLE: Policy = Policy::Role("trainee");
    const GROUP: Policy = Policy::Group("/x");
    const CLAIM: Policy = Policy::Claim {
        path: "a.b",
        value: ClaimValue::Integer(-1),
    };
    const OWNER: Policy = Policy::Owner {
        parameter: "id",
        claim: "sub",
    };
    const NOT_ROLE: Policy = Policy::Not(&ROLE);
    const ALL: Policy = Policy::All(&[ROLE, GROUP]);
    const ANY: Policy = Policy::Any(&[ROLE, Policy::Not(&ALL)]);
    const BESIDE: Policy = Policy::All(&[Policy::Scope("s"), Policy::Not(&Policy::Any(&[ROLE, GROUP]))]);
    for (policy, required) in [
        (ROLE, "that the caller does not have role `trainee`"),
        (Policy::RealmRole("r"), "that the caller does not have realm role `r`"),
        (
            Policy::ClientRole { client: "c", role: "r" },
            "that the caller does not have role `r` of client `c`",
        ),
        (GROUP, "that the caller is not in group `/x`"),
        (
            Policy::GroupTree("/x"),
            "that the caller is not in group `/x` (or one below it)",
        ),
        (Policy::Scope("s"), "that scope `s` is not granted"),
        (CLAIM, "that claim `a.b` is not `-1`"),
        (
            Policy::Acr("2"),
            "that the token shows no login of authentication context class `2`",
        ),
        (Policy::MaxAge(60), "that the token shows no login within the last 60 s"),
        (OWNER, "that path parameter `id` is not the caller's `sub`"),
        (NOT_ROLE, "role `trainee`"),
        (
            ALL,
            "that the caller does not have role `trainee` or that the caller is not in group `/x`",
        ),
        (
            ANY,
            "that the caller does not have role `trainee`, and (role `trainee` and group `/x`)",
        ),
        (
            BESIDE,
            "that scope `s` is not granted, or (role `trainee` or group `/x`)",
        ),
        (Policy::All(&[NOT_ROLE]), "role `trainee`"),
        (Policy::Any(&[]), "nothing more"),
        (Policy::Public, "what nobody has"),
        (Policy::Authenticated, "that there is no valid access token"),
    ] {
        let negated = Policy::Not(Box::leak(Box::new(policy)));
        assert_eq!(negated.requirement(), format!("Requires {required}."), "{negated}");
    }
    assert_eq!(
        BESIDE.requirement(),
        "Requires scope `s`, and (that the caller does not have role `trainee` and that the caller is not in group `/x`)."
    );
}

#[test]
fn prints_in_its_own_language() {
    const POLICY: Policy = Policy::All(&[
        Policy::Any(&[Policy::Role("a\"b"), Policy::ClientRole { client: "c", role: "r" }]),
        Policy::Not(&Policy::GroupTree("/x")),
        Policy::Claim {
            path: "a.b",
            value: ClaimValue::Integer(-1),
        },
        Policy::Owner {
            parameter: "id",
            claim: "sub",
        },
        Policy::Owner {
            parameter: "id",
            claim: "email",
        },
        Policy::MaxAge(60),
    ]);
    assert_eq!(
        POLICY.to_string(),
        r#"all(any(role("a\"b"), client_role("c", "r")), not(group_tree("/x")), claim("a.b" = -1), owner("id"), owner("id" = "email"), max_age(60))"#
    );
    assert!(POLICY.needs_path_parameters());
}
