//! The time of one request, as a ratio to that of an unprotected route.
//!
//! All alternatives are measured in rounds, each round in another order, so that whatever else the machine does falls on
//! all of them alike. A ratio is taken within a round; shown is the median over all rounds.

mod alternatives;
#[cfg(feature = "peers")]
mod peers;
mod services;
mod work;

use std::{collections::HashMap, time::Instant};

use alternatives::{
    COLD_GUARD, COLD_GUARD_OWNING, COLD_SECURED_GUARD, COUNTED, Comparison, FEW, GUARD, GUARD_AND_USER, GUARD_OWNING,
    MANY_TOKENS, MANY_TOKENS_OWNING, PLAIN_LAYER, SECURED_GUARD, SECURED_GUARD_AND_USER, TOKENS, UNHEARD, UNPREPARED,
    UNPROTECTED, UNPROTECTED_OWNING, VERIFICATION,
};
use tokio::runtime::Runtime;

const ROUNDS: usize = 600;

// No alternative may run out of new tokens.
const _: () = assert!(ROUNDS * FEW <= TOKENS);

fn main() {
    // `cargo test --all-targets` starts benchmarks too, and has no use for a time.
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("the benchmark runs with `cargo bench`");
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    if let Some(name) = argument("--only") {
        let rounds = argument("--rounds").map_or(20, |rounds| rounds.parse().expect("a number of rounds"));
        repeat(&runtime, &name, rounds);
        return;
    }
    let mut comparison = runtime.block_on(Comparison::prepare(TOKENS));
    let times = measure(&runtime, &mut comparison);
    println!(
        "\n{ROUNDS} rounds in shuffled order, tokens of {} bytes\n",
        comparison.token_length
    );
    let names = comparison.alternatives.iter().map(|alternative| alternative.name);
    times.print(names);
    times.print_goals();
}

/// What stands behind an option on the command line.
fn argument(option: &str) -> Option<String> {
    std::env::args().skip_while(|argument| argument != option).nth(1)
}

/// Does one alternative again and again, for a profiler to look at.
fn repeat(runtime: &Runtime, name: &str, rounds: usize) {
    let mut comparison = runtime.block_on(Comparison::prepare(TOKENS.min(rounds * FEW)));
    let mut alternatives = comparison.alternatives.iter_mut();
    let Some(alternative) = alternatives.find(|alternative| alternative.name == name) else {
        panic!("there is no alternative `{name}`");
    };
    for _ in 0..rounds {
        let batch = alternative.work.batch(alternative.repetitions);
        runtime.block_on(batch.run());
    }
}

fn measure(runtime: &Runtime, comparison: &mut Comparison) -> Times {
    let mut order: Vec<usize> = (0..comparison.alternatives.len()).collect();
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut times = Times(HashMap::new());
    for _ in 0..ROUNDS {
        random.shuffle(&mut order);
        for index in &order {
            let alternative = &mut comparison.alternatives[*index];
            let repetitions = alternative.repetitions;
            let displacing = random.blocks();
            let batch = alternative.work.batch(repetitions);
            let elapsed = runtime.block_on(async {
                let begin = Instant::now();
                batch.run().await;
                begin.elapsed()
            });
            drop(displacing);
            let nanoseconds = elapsed.as_secs_f64() * 1e9 / repetitions as f64;
            times.0.entry(alternative.name).or_default().push(nanoseconds);
        }
    }
    times
}

/// Nanoseconds for each repetition: of each alternative, in each round.
struct Times(HashMap<&'static str, Vec<f64>>);

impl Times {
    fn print(&self, names: impl Iterator<Item = &'static str>) {
        println!(
            "| {:<46} | {:>8} | {:>15} | {:>13} |",
            "alternative", "ns", "quartiles", "× unprotected"
        );
        println!("|{:-<48}|{:->9}:|{:->16}:|{:->14}:|", "", "", "", "");
        for name in names {
            let [lower, median, upper] = quartiles(&self.0[name]);
            let ratio = self.ratio(name, UNPROTECTED);
            let range = format!("{lower:.0}–{upper:.0}");
            println!("| {name:<46} | {median:>8.0} | {range:>15} | {ratio:>13.2} |");
        }
    }

    /// The ratios that have a goal.
    fn print_goals(&self) {
        println!("\n| {:<72} | {:>7} | {:>6} |", "ratio", "is", "goal");
        println!("|{:-<74}|{:->8}:|{:->7}:|", "", "", "");
        let at_most = |name: &'static str, reference: &'static str, goal: f64| {
            let ratio = self.ratio(name, reference);
            println!(
                "| {:<72} | {ratio:>7.2} | ≤ {goal:.2} |",
                format!("{name} / {reference}")
            );
        };
        at_most(GUARD, UNPROTECTED, 1.2);
        at_most(GUARD_AND_USER, UNPROTECTED, 1.5);
        at_most(SECURED_GUARD, UNPROTECTED, 1.2);
        at_most(SECURED_GUARD_AND_USER, UNPROTECTED, 1.5);
        at_most(PLAIN_LAYER, UNPROTECTED, 1.5);
        at_most(MANY_TOKENS, UNPROTECTED, 2.0);
        at_most(GUARD_OWNING, UNPROTECTED_OWNING, 1.2);
        at_most(MANY_TOKENS_OWNING, UNPROTECTED_OWNING, 2.0);
        at_most(UNHEARD, GUARD, 1.05);
        at_most(COUNTED, GUARD, 1.05);
        at_most(COLD_GUARD, VERIFICATION, 1.12);
        at_most(COLD_SECURED_GUARD, VERIFICATION, 1.12);
        at_most(COLD_GUARD_OWNING, VERIFICATION, 1.12);
        for name in [UNHEARD, COUNTED, UNPREPARED] {
            let more = self.median_of(&[name, GUARD], |[time, reference]| time - reference);
            println!("| {:<72} | {more:>7.1} | ≤ 30.0 |", format!("ns: {name} − {GUARD}"));
        }
        for name in [COLD_GUARD, COLD_SECURED_GUARD, COLD_GUARD_OWNING] {
            let ratio = self.median_of(
                &[name, UNPROTECTED, VERIFICATION],
                |[cold, unprotected, verification]| (cold - unprotected) / verification,
            );
            println!(
                "| {:<72} | {ratio:>7.2} |        |",
                format!("({name} − {UNPROTECTED}) / {VERIFICATION}")
            );
        }
        #[cfg(feature = "peers")]
        for [warm, cold] in [peers::AXUM_KEYCLOAK_AUTH, peers::TOWER_OAUTH2_RESOURCE_SERVER] {
            for (peer, ours, goal) in [
                (warm, GUARD, 45.0),
                (warm, SECURED_GUARD, 45.0),
                (cold, COLD_GUARD, 1.8),
                (cold, COLD_SECURED_GUARD, 1.8),
            ] {
                let ratio = self.ratio(peer, ours);
                println!("| {:<72} | {ratio:>7.2} | ≥ {goal:.1} |", format!("{peer} / {ours}"));
            }
        }
    }

    fn ratio(&self, name: &'static str, reference: &'static str) -> f64 {
        self.median_of(&[name, reference], |[time, reference]| time / reference)
    }

    /// The median over all rounds of something that is computed within a round.
    fn median_of<const N: usize>(&self, names: &[&'static str; N], compute: impl Fn([f64; N]) -> f64) -> f64 {
        let times = names.map(|name| &self.0[name]);
        let values: Vec<f64> = (0..ROUNDS)
            .map(|round| compute(times.map(|times| times[round])))
            .collect();
        let [_, median, _] = quartiles(&values);
        median
    }
}

fn quartiles(values: &[f64]) -> [f64; 3] {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| sorted[(sorted.len() - 1) * quarter / 4])
}

/// Enough randomness to shuffle with (Marsaglia's xorshift), the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }

    /// Memory of random sizes: what is allocated beside it lies elsewhere each time.
    fn blocks(&mut self) -> Vec<Vec<u8>> {
        let count = 1 + self.below(64);
        (0..count).map(|_| Vec::with_capacity(1 + self.below(4096))).collect()
    }
}
