//! The allocations of one request, beside those of an unprotected route.
//!
//! A benchmark of its own, because an allocator that counts is slower than one that does not. A reallocation counts as
//! an allocation; making the request is not counted.

mod alternatives;
#[cfg(feature = "peers")]
mod peers;
mod services;
mod work;

use alternatives::{Alternative, Comparison, TOKENS, answer};
use keycloak_auth::routing::get;
use keycloak_auth_tests::Issuer;
use services::{bearer, from_state, guarded, settings, token};
use tokio::runtime::Runtime;

fn main() {
    // `cargo test --all-targets` starts benchmarks too.
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("the benchmark runs with `cargo bench`");
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let mut comparison = runtime.block_on(Comparison::prepare(TOKENS));
    println!("\ntokens of {} bytes\n", comparison.token_length);
    println!(
        "| {:<46} | {:>11} | {:>17} | {:>9} |",
        "alternative", "allocations", "above unprotected", "bytes"
    );
    println!("|{:-<48}|{:->12}:|{:->18}:|{:->10}:|", "", "", "", "");
    let mut unprotected = None;
    for alternative in &mut comparison.alternatives {
        let (allocations, bytes) = count(&runtime, alternative);
        let above = allocations - *unprotected.get_or_insert(allocations);
        println!(
            "| {:<46} | {allocations:>11.1} | {above:>17.1} | {bytes:>9.0} |",
            alternative.name
        );
    }
    let memory = memory(&runtime);
    println!("\nmemory of each cached token: {memory:.0} bytes beside its own");
}

/// The bytes that a cached token takes beside its own.
fn memory(runtime: &Runtime) -> f64 {
    let issuer = runtime.block_on(Issuer::start());
    let settings = settings(issuer.url()).token_cache_capacity(2 * TOKENS);
    let router = runtime.block_on(from_state(settings, get(guarded)));
    let tokens: Vec<String> = (0..TOKENS).map(|_| token(&issuer).sign(issuer.key())).collect();
    let length: usize = tokens.iter().map(String::len).sum();
    let counted = allocation_counter::measure(|| {
        for token in &tokens {
            assert!(runtime.block_on(answer(&router, bearer(token))).is_success());
        }
    });
    // The tokens themselves were made before: what remains is what the cache keeps.
    (counted.bytes_current as f64 - length as f64) / TOKENS as f64
}

/// Allocations and bytes of one repetition.
fn count(runtime: &Runtime, alternative: &mut Alternative) -> (f64, f64) {
    // The first ones fill what is kept from then on.
    for _ in 0..2 {
        runtime.block_on(alternative.work.batch(alternative.repetitions).run());
    }
    let batch = alternative.work.batch(alternative.repetitions);
    let counted = allocation_counter::measure(|| runtime.block_on(batch.run()));
    let each = |total: u64| total as f64 / alternative.repetitions as f64;
    (each(counted.count_total), each(counted.bytes_total))
}
