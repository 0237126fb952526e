//! Structures that a cache of verified tokens could be made of, under its access pattern: found by the end of a token and
//! then compared whole, read far more often than written, and flooded with tokens that never come again.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    hint::black_box,
    sync::{Arc, Barrier, PoisonError, RwLock},
    time::Instant,
};

const TOKEN_LENGTH: usize = 1479;
const TAIL: usize = 24;
const TURNS: usize = 7;
const SHARDS: usize = 16;

type Tail = [u8; TAIL];
type Token = Arc<[u8]>;

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("the benchmark runs with `cargo bench`");
        return;
    }
    println!(
        "\n| {:<20} | tokens | ns a look-up | 2 threads | regulars found in a flood |",
        "structure"
    );
    println!(
        "|{:-<22}|-------:|-------------:|----------:|--------------------------:|",
        ""
    );
    for count in [10_000, 100_000] {
        let tokens: Vec<Token> = (0..count).map(token).collect();
        let makers: [(&str, Maker); 4] = [
            ("quick_cache", |capacity| {
                Box::new(quick_cache::sync::Cache::<Tail, Token>::new(capacity))
            }),
            ("moka", |capacity| {
                Box::new(moka::sync::Cache::<Tail, Token>::new(capacity as u64))
            }),
            ("papaya", |capacity| {
                Box::new(Papaya {
                    map: papaya::HashMap::new(),
                    capacity,
                })
            }),
            ("sharded RwLock", |capacity| Box::new(Sharded::new(capacity))),
        ];
        for (name, make) in makers {
            let full = make(2 * count);
            for token in &tokens {
                full.insert(token);
            }
            full.settle();
            let one: Vec<f64> = (0..TURNS).map(|_| look_ups(&*full, &tokens, 1)).collect();
            let two: Vec<f64> = (0..TURNS).map(|_| look_ups(&*full, &tokens, 2)).collect();
            println!(
                "| {name:<20} | {count:>6} | {:>12.0} | {:>8.2}× | {:>24.1}% |",
                1e9 / median(one.iter().copied()),
                median(one.iter().zip(&two).map(|(one, two)| two / one)),
                100.0 * found_in_flood(&*make(count), &tokens[..count / 2]),
            );
        }
    }
}

/// Makes a structure of this many entries.
type Maker = fn(usize) -> Box<dyn Structure>;

trait Structure: Sync {
    fn find(&self, tail: &Tail) -> Option<Token>;

    fn insert(&self, token: &Token);

    /// Does what is left to be done of what was asked for.
    fn settle(&self) {}
}

impl Structure for quick_cache::sync::Cache<Tail, Token> {
    fn find(&self, tail: &Tail) -> Option<Token> {
        self.get(tail)
    }

    fn insert(&self, token: &Token) {
        self.insert(tail(token), Arc::clone(token));
    }
}

impl Structure for moka::sync::Cache<Tail, Token> {
    fn find(&self, tail: &Tail) -> Option<Token> {
        self.get(tail)
    }

    fn insert(&self, token: &Token) {
        self.insert(tail(token), Arc::clone(token));
    }

    fn settle(&self) {
        self.run_pending_tasks();
    }
}

/// Evicts nothing: once it is full, nobody gets in.
struct Papaya {
    map: papaya::HashMap<Tail, Token>,
    capacity: usize,
}

impl Structure for Papaya {
    fn find(&self, tail: &Tail) -> Option<Token> {
        self.map.pin().get(tail).cloned()
    }

    fn insert(&self, token: &Token) {
        if self.map.len() < self.capacity {
            self.map.pin().insert(tail(token), Arc::clone(token));
        }
    }
}

/// Begins each shard anew once it is full.
struct Sharded {
    shards: Vec<RwLock<HashMap<Tail, Token>>>,
    random: RandomState,
    capacity: usize,
}

impl Sharded {
    fn new(capacity: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            random: RandomState::new(),
            capacity: capacity / SHARDS,
        }
    }

    fn shard(&self, tail: &Tail) -> &RwLock<HashMap<Tail, Token>> {
        &self.shards[self.random.hash_one(tail) as usize % SHARDS]
    }
}

impl Structure for Sharded {
    fn find(&self, tail: &Tail) -> Option<Token> {
        let shard = self.shard(tail).read().unwrap_or_else(PoisonError::into_inner);
        shard.get(tail).cloned()
    }

    fn insert(&self, token: &Token) {
        let tail = tail(token);
        let mut shard = self.shard(&tail).write().unwrap_or_else(PoisonError::into_inner);
        if shard.len() >= self.capacity {
            shard.clear();
        }
        shard.insert(tail, Arc::clone(token));
    }
}

/// Look-ups a second of all threads together.
fn look_ups(structure: &dyn Structure, tokens: &[Token], threads: usize) -> f64 {
    let ready = Barrier::new(threads);
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|thread| {
                let ready = &ready;
                scope.spawn(move || {
                    ready.wait();
                    let begin = Instant::now();
                    let mut index = thread * 7919;
                    for _ in 0..100_000 {
                        // A stride that has no factor in common with the number of tokens.
                        index = (index + 7919) % tokens.len();
                        let wanted = &tokens[index];
                        let found = structure.find(&tail(wanted)).expect("there is room for all");
                        assert!(black_box(&found)[..] == wanted[..]);
                    }
                    100_000.0 / begin.elapsed().as_secs_f64()
                })
            })
            .collect();
        running.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    })
}

/// The share of regulars that are found while four one-time tokens come for each look-up.
fn found_in_flood(structure: &dyn Structure, regulars: &[Token]) -> f64 {
    for _ in 0..2 {
        for token in regulars {
            if structure.find(&tail(token)).is_none() {
                structure.insert(token);
            }
        }
        structure.settle();
    }
    let (mut found, mut asked) = (0_u32, 0_u32);
    let mut one_time = 10_000_000;
    for _ in 0..3 {
        for regular in regulars {
            for _ in 0..4 {
                one_time += 1;
                structure.insert(&short_token(one_time));
            }
            asked += 1;
            if structure.find(&tail(regular)).is_some() {
                found += 1;
            } else {
                structure.insert(regular);
            }
        }
        structure.settle();
    }
    f64::from(found) / f64::from(asked)
}

fn token(number: usize) -> Token {
    let end = format!("{number:024}");
    let mut bytes = vec![b'a'; TOKEN_LENGTH - end.len()];
    bytes.extend(end.bytes());
    bytes.into()
}

/// Only as long as what it is found by, where it is never compared.
fn short_token(number: usize) -> Token {
    format!("{number:024}").into_bytes().into()
}

fn tail(token: &Token) -> Tail {
    *token.last_chunk().expect("a token is longer than that")
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
