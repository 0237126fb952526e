//! One meaning: for random policies and callers, what the runtime decides, what the policy says when it is read again by
//! the macro's parser, and what a few lines of ordinary code say are the same.
//!
//! `POLICY_CASES` is the number of cases; a million of them takes seconds in release.

mod advice;

use std::{env, time::Duration};

use keycloak_auth::{
    Claims, KeycloakUser, Policy,
    policy::{ClaimValue, EvaluationContext},
    testing::TestRealm,
};

use super::tokens;
use crate::{
    ast::{self, Entry, Kind, Requirement},
    errors::Errors,
    parse,
};

const CASES: usize = 50_000;
const CALLERS: usize = 64;
const CALLERS_PER_POLICY: usize = 8;

/// Few, so that policies and callers meet; some of them hard to print.
const NAMES: &[&str] = &["a", "b", "c", "a\"b\\", "ä\n\t'\u{200b}{}", "🦀"];
const PATHS: &[&str] = &["/a", "/a/b", "/ab", "/a/b/c", "/c"];
const CLIENTS: &[&str] = &["own", "other"];
const CLAIMS: &[&str] = &["x", "y"];
const PARAMETERS: &[&str] = &["id", "name", "absent"];

fn cases() -> usize {
    env::var("POLICY_CASES").map_or(CASES, |cases| cases.parse().expect("a number"))
}

#[test]
fn all_readers_of_a_policy_agree() {
    let cases = cases();
    let mut random = Random(0x6b63_6175_7468);
    let realm = TestRealm::new("acme", "own");
    let callers: Vec<_> = (0..CALLERS).map(|_| Caller::random(&mut random, &realm)).collect();
    let (mut allowed, mut denied) = (0, 0);
    while allowed + denied < cases {
        let policy = random_policy(&mut random, 3);
        let printed = policy.to_string();
        let reread = reread(&printed);
        assert_eq!(reread, policy, "{printed}");
        for _ in 0..CALLERS_PER_POLICY {
            let caller = &callers[random.below(callers.len())];
            let expected = caller.meets(&policy);
            let context = EvaluationContext::new("own", caller.now).with_path_parameters(&caller.parameters);
            for policy in [policy, reread] {
                let decision = policy.evaluate(&caller.user, &context);
                let claims: &Claims = &caller.user;
                assert_eq!(
                    decision.is_allowed(),
                    expected,
                    "{printed}\n{}\n{decision}",
                    claims.json()
                );
            }
            *(if expected { &mut allowed } else { &mut denied }) += 1;
        }
    }
    println!("{allowed} allowed, {denied} denied");
    assert!(
        allowed > cases / 4 && denied > cases / 4,
        "{allowed} allowed, {denied} denied"
    );
}

/// What is known of a caller, apart from the claims that say it.
struct Caller {
    realm_roles: Vec<&'static str>,
    client_roles: Vec<(&'static str, &'static str)>,
    groups: Vec<&'static str>,
    scopes: Vec<&'static str>,
    claims: Vec<(&'static str, Vec<ClaimValue>)>,
    acr: &'static str,
    /// In seconds; negative where Keycloak's clock is ahead, or wrong.
    login_age: Option<i64>,
    parameters: Vec<(&'static str, &'static str)>,
    username: &'static str,
    now: Duration,
    user: KeycloakUser,
}

impl Caller {
    /// The reference: nothing but the words of the guide, in ordinary code.
    fn meets(&self, policy: &Policy) -> bool {
        let is_parameter = |name, value| self.parameters.contains(&(name, value));
        match *policy {
            Policy::Public | Policy::Authenticated => true,
            Policy::All(operands) => operands.iter().all(|operand| self.meets(operand)),
            Policy::Any(operands) => operands.iter().any(|operand| self.meets(operand)),
            Policy::Not(operand) => {
                let has = |name: &&str| self.parameters.iter().any(|(parameter, _)| parameter == name);
                operand.owner_parameters().iter().all(has) && !self.meets(operand)
            }
            Policy::Role(role) => self.realm_roles.contains(&role) || self.client_roles.contains(&("own", role)),
            Policy::RealmRole(role) => self.realm_roles.contains(&role),
            Policy::ClientRole { client, role } => self.client_roles.contains(&(client, role)),
            Policy::Group(path) => self.groups.contains(&path),
            Policy::GroupTree(path) => self
                .groups
                .iter()
                .any(|group| format!("{group}/").starts_with(&format!("{path}/"))),
            Policy::Scope(scope) => self.scopes.contains(&scope),
            Policy::Claim { path, value } => self
                .claims
                .iter()
                .any(|(name, values)| *name == path && values.contains(&value)),
            Policy::Acr(acr) => self.acr == acr,
            Policy::MaxAge(seconds) => self.login_age.is_some_and(|age| age >= -60 && age <= seconds as i64),
            Policy::Owner {
                parameter,
                claim: "preferred_username",
            } => is_parameter(parameter, self.username),
            Policy::Owner { .. } => false,
            ref other => panic!("a new word: {other}"),
        }
    }

    fn random(random: &mut Random, realm: &TestRealm) -> Self {
        let pairs: Vec<_> = CLIENTS
            .iter()
            .flat_map(|client| NAMES.iter().map(move |role| (*client, *role)))
            .collect();
        let mut claims = Vec::new();
        for name in random.some(CLAIMS) {
            let length = random.below(3);
            claims.push((name, (0..=length).map(|_| random_value(random)).collect::<Vec<_>>()));
        }
        let username = random.pick(NAMES);
        let (realm_roles, client_roles) = (random.some(NAMES), random.some(&pairs));
        let (groups, scopes) = (random.some(PATHS), random.some(&NAMES[..3]));
        let acr = random.pick(NAMES);
        let login_age = (random.below(4) > 0).then(|| random.below(220) as i64 - 120);
        let parameters = random
            .some(&PARAMETERS[..2])
            .into_iter()
            .map(|name| (name, random.pick(NAMES)))
            .collect();

        let mut token = realm.user(username).acr(acr).claim("scope", scopes.join(" "));
        for role in &realm_roles {
            token = token.realm_role(role);
        }
        for (client, role) in &client_roles {
            token = token.client_role(client, role);
        }
        for group in &groups {
            token = token.group(group);
        }
        for (name, values) in &claims {
            token = match values.as_slice() {
                [ClaimValue::String(text)] => token.claim(name, *text),
                values => token.claim(name, serde_json::to_value(values).expect("values are JSON")),
            };
        }
        if let Some(age) = login_age {
            let now = i64::try_from(realm.clock().now().as_secs()).expect("a time of this era");
            token = token.claim("auth_time", now - age);
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let user = runtime
            .block_on(realm.keycloak().authenticate(&token.token()))
            .expect("a good token");
        Self {
            realm_roles,
            client_roles,
            groups,
            scopes,
            claims,
            acr,
            login_age,
            parameters,
            username,
            now: realm.clock().now(),
            user,
        }
    }
}

fn random_policy(random: &mut Random, depth: usize) -> Policy {
    let kinds = if depth == 0 { 10 } else { 14 };
    match random.below(kinds) {
        0 => Policy::Role(random.pick(NAMES)),
        1 => Policy::RealmRole(random.pick(NAMES)),
        2 => Policy::ClientRole {
            client: random.pick(CLIENTS),
            role: random.pick(NAMES),
        },
        3 => Policy::Group(random.pick(PATHS)),
        4 => Policy::GroupTree(random.pick(PATHS)),
        5 => Policy::Scope(random.pick(NAMES)),
        6 => Policy::Claim {
            path: random.pick(CLAIMS),
            value: random_value(random),
        },
        7 => Policy::Acr(random.pick(NAMES)),
        8 => Policy::MaxAge(1 + random.below(100) as u64),
        9 => {
            let claim = if random.below(4) == 0 {
                "sub"
            } else {
                "preferred_username"
            };
            Policy::Owner {
                parameter: random.pick(PARAMETERS),
                claim,
            }
        }
        10 | 11 => Policy::All(random_operands(random, depth)),
        12 => Policy::Any(random_operands(random, depth)),
        _ => Policy::Not(Box::leak(Box::new(random_policy(random, depth - 1)))),
    }
}

fn random_operands(random: &mut Random, depth: usize) -> &'static [Policy] {
    (0..=random.below(3))
        .map(|_| random_policy(random, depth - 1))
        .collect::<Vec<_>>()
        .leak()
}

fn random_value(random: &mut Random) -> ClaimValue {
    match random.below(3) {
        0 => ClaimValue::String(random.pick(NAMES)),
        1 => ClaimValue::Integer(random.pick(&[0, 1, -1, i64::MAX, i64::MIN])),
        _ => ClaimValue::Boolean(random.below(2) == 0),
    }
}

/// The policy that the macro reads in `text`.
fn reread(text: &str) -> Policy {
    let mut errors = Errors::default();
    let mut arguments = parse::arguments(tokens(text), &mut errors);
    let entry = arguments.entries.pop();
    assert!(
        errors.is_empty() && arguments.entries.is_empty(),
        "{text}: {}",
        errors.into_tokens()
    );
    match entry {
        Some(Entry::Expression(requirement)) => compiled(requirement),
        _ => panic!("{text} is an expression"),
    }
}

/// What the compiler makes of the expansion.
pub(super) fn compiled(requirement: Requirement) -> Policy {
    let leaked = |name: ast::Name| -> &'static str { name.text.leak() };
    let all = |operands: Vec<Requirement>| operands.into_iter().map(compiled).collect::<Vec<_>>().leak();
    match requirement.kind {
        Kind::Public => Policy::Public,
        Kind::Authenticated => Policy::Authenticated,
        Kind::All(operands) => Policy::All(all(operands)),
        Kind::Any(operands) => Policy::Any(all(operands)),
        Kind::Not(operand) => Policy::Not(Box::leak(Box::new(compiled(*operand)))),
        Kind::Role(name) => Policy::Role(leaked(name)),
        Kind::RealmRole(name) => Policy::RealmRole(leaked(name)),
        Kind::ClientRole { client, role } => Policy::ClientRole {
            client: leaked(client),
            role: leaked(role),
        },
        Kind::Group(path) => Policy::Group(leaked(path)),
        Kind::GroupTree(path) => Policy::GroupTree(leaked(path)),
        Kind::Scope(name) => Policy::Scope(leaked(name)),
        Kind::Claim { path, value } => Policy::Claim {
            path: leaked(path),
            value: match value {
                ast::ClaimValue::String(text) => ClaimValue::String(leaked(text)),
                ast::ClaimValue::Integer(integer) => ClaimValue::Integer(integer),
                ast::ClaimValue::Boolean(boolean) => ClaimValue::Boolean(boolean),
            },
        },
        Kind::Acr(name) => Policy::Acr(leaked(name)),
        Kind::MaxAge(seconds) => Policy::MaxAge(seconds),
        Kind::Owner { parameter, claim } => Policy::Owner {
            parameter: leaked(parameter),
            claim: leaked(claim),
        },
        Kind::Named(path) => panic!("`{path}` has no value here"),
    }
}

/// SplitMix64: the same numbers in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    fn some<T: Copy>(&mut self, from: &[T]) -> Vec<T> {
        from.iter().copied().filter(|_| self.below(2) == 0).collect()
    }
}
