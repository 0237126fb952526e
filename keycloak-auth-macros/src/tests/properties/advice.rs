//! What the compiler says about a policy is true of every caller, and what it says to write in its place means the same.

use std::collections::BTreeMap;

use proc_macro2::{TokenStream, TokenTree};

use super::*;
use crate::{expand, realm::RealmCheck};

/// Many policies give no occasion to say anything.
const CASES_PER_POLICY: usize = 10;

#[test]
fn what_the_compiler_says_about_a_policy_is_true_of_every_caller() {
    let mut random = Random(0x6164_7669_6365);
    let realm = TestRealm::new("acme", "own");
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let mut caller = Caller::random(&mut random, &realm);
            // A router does not start with a policy about a path parameter that is not there.
            for name in PARAMETERS {
                if !caller.parameters.iter().any(|(own, _)| own == name) {
                    caller.parameters.push((name, "nobody"));
                }
            }
            caller
        })
        .collect();
    let mut said = BTreeMap::<_, usize>::new();
    for _ in 0..cases() / CASES_PER_POLICY {
        let is_large = random.below(4) == 0;
        let policy = match is_large {
            true => random_large_policy(&mut random),
            false => random_policy_of_few(&mut random, 2),
        };
        let printed = policy.to_string();
        for advice in advice(&printed) {
            *said.entry((is_large, advice.kind())).or_default() += 1;
            for caller in &callers {
                assert!(
                    advice.is_true_of(caller),
                    "{printed}\n{advice:?}\n{}",
                    caller.user.json()
                );
            }
        }
    }
    println!("{said:?}");
    assert!(said.len() == 10 && said.values().all(|count| *count > 20), "{said:?}");
}

/// Operands that have to do with each other, so that there is something to say.
const FEW: &[Policy] = &[
    Policy::Role("a"),
    Policy::RealmRole("a"),
    Policy::Group("/a/b"),
    Policy::GroupTree("/a"),
    Policy::Acr("a"),
    Policy::Acr("b"),
    Policy::MaxAge(20),
    Policy::MaxAge(60),
    Policy::Scope("b"),
    Policy::Owner {
        parameter: "id",
        claim: "preferred_username",
    },
];

fn random_policy_of_few(random: &mut Random, depth: usize) -> Policy {
    if depth == 0 {
        return random.pick(FEW);
    }
    let operands = |random: &mut Random| -> &'static [Policy] {
        let operands = (0..=random.below(3)).map(|_| random_policy_of_few(random, depth - 1));
        operands.collect::<Vec<_>>().leak()
    };
    match random.below(5) {
        0 => random.pick(FEW),
        1 => Policy::Not(Box::leak(Box::new(random_policy_of_few(random, depth - 1)))),
        2 | 3 => Policy::All(operands(random)),
        _ => Policy::Any(operands(random)),
    }
}

/// With more operands than are tried together.
fn random_large_policy(random: &mut Random) -> Policy {
    const MANY: &[&str] = &["r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "a", "b"];
    let mut operands: Vec<_> = MANY.iter().map(|role| Policy::RealmRole(role)).collect();
    for _ in 0..2 {
        let at = random.below(operands.len());
        operands.insert(at, random_policy_of_few(random, 2));
    }
    match random.below(2) {
        0 => Policy::All(operands.leak()),
        _ => Policy::Any(operands.leak()),
    }
}

/// What is said about the policies that a message shows.
#[derive(Debug)]
enum Advice {
    /// Everyone meets one of them.
    Always(Vec<Policy>),
    /// Nobody meets all of them.
    Never(Vec<Policy>),
    /// Whoever meets the first meets the second.
    Implied(Policy, Policy),
    /// The second says the same as the first.
    Rewritten(Policy, Policy),
    /// What is said twice, or nested without need: nothing that could be wrong about a caller.
    Shape,
}

impl Advice {
    fn read(message: &str, help: &str) -> Self {
        let shown = |text: &str| -> Vec<_> { text.split('`').skip(1).step_by(2).map(reread).collect() };
        if message.contains("` inside `") || message.ends_with("` is given twice") {
            return Self::Shape;
        }
        match (shown(message).as_slice(), message) {
            (policies, text) if text.starts_with("everyone meets") => Self::Always(policies.to_vec()),
            (policies, text) if text.starts_with("nobody meets") => Self::Never(policies.to_vec()),
            ([one, other], text) if text.starts_with("whoever meets") => Self::Implied(*one, *other),
            ([written], _) if help.starts_with("write `") => Self::Rewritten(*written, shown(help)[0]),
            _ => panic!("a new message: {message}\n{help}"),
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Always(_) => "always",
            Self::Never(_) => "never",
            Self::Implied(..) => "implied",
            Self::Rewritten(..) => "rewritten",
            Self::Shape => "shape",
        }
    }

    fn is_true_of(&self, caller: &Caller) -> bool {
        let meets = |policy: &Policy| {
            let context = EvaluationContext::new("own", caller.now).with_path_parameters(&caller.parameters);
            policy.evaluate(&caller.user, &context).is_allowed()
        };
        match self {
            Self::Always(policies) => policies.iter().any(meets),
            Self::Never(policies) => !policies.iter().all(meets),
            Self::Implied(one, other) => !meets(one) || meets(other),
            Self::Rewritten(written, other) => meets(written) == meets(other),
            Self::Shape => true,
        }
    }
}

/// What the compiler says about a policy.
fn advice(printed: &str) -> Vec<Advice> {
    let expansion = expand::policy(tokens(printed), RealmCheck::default());
    let mut texts = Vec::new();
    collect_texts(expansion, &mut texts);
    texts
        .iter()
        .filter_map(|text| text.split_once("\nhelp: "))
        .map(|(message, help)| Advice::read(message, help))
        .collect()
}

fn collect_texts(tokens: TokenStream, texts: &mut Vec<String>) {
    for tree in tokens {
        match tree {
            TokenTree::Group(group) => collect_texts(group.stream(), texts),
            TokenTree::Literal(literal) => {
                texts.extend(syn::parse_str::<syn::LitStr>(&literal.to_string()).map(|text| text.value()));
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) => {}
        }
    }
}
