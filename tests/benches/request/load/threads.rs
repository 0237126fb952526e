//! Requests in process, on one thread and on two that share everything.

use std::{
    sync::Barrier,
    time::{Duration, Instant},
};

use axum::{Router, http::HeaderValue};
use keycloak_auth_tests::Issuer;
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

use crate::{
    median,
    services::{bearer, guarded_router, request, token, unprotected_router},
};

/// How often each number of threads is measured.
const TURNS: usize = 9;

const TURN: Duration = Duration::from_millis(200);

pub(crate) fn compare() {
    let runtime = Runtime::new().expect("a runtime");
    let issuer = runtime.block_on(Issuer::start());
    let token = token(&issuer).sign(issuer.key());
    let authorization = bearer(&token);
    let guarded = runtime.block_on(guarded_router(issuer.url()));
    println!("\nin process, medians of {TURNS} turns\n");
    println!(
        "| {:<23} | {:>8} | {:>9} | {:>5} |",
        "requests", "1 thread", "2 threads", "ratio"
    );
    println!("|{:-<25}|{:->9}:|{:->10}:|{:->6}:|", "", "", "", "");
    for (name, router) in [
        ("unprotected", unprotected_router()),
        ("warm: guard, from state", guarded),
    ] {
        let router = router.with_state(());
        let turns: Vec<[f64; 2]> = (0..TURNS)
            .map(|_| [1, 2].map(|threads| per_second(threads, &router, &authorization)))
            .collect();
        println!(
            "| {name:<23} | {:>8.0} | {:>9.0} | {:>5.2} |",
            median(turns.iter().map(|[one, _]| *one)),
            median(turns.iter().map(|[_, two]| *two)),
            median(turns.iter().map(|[one, two]| two / one)),
        );
    }
}

/// How long it takes to hand work to the threads for blocking work and to have its result: what moving verifications off the
/// runtime's workers would add to each.
pub(crate) fn hand_over() {
    let runtime = Runtime::new().expect("a runtime");
    let microseconds = runtime.block_on(async {
        let mut microseconds = Vec::new();
        for _ in 0..5000 {
            let begin = Instant::now();
            tokio::task::spawn_blocking(|| ()).await.expect("no panic");
            microseconds.push(begin.elapsed().as_secs_f64() * 1e6);
        }
        microseconds
    });
    println!(
        "\nhanding nothing to a thread for blocking work and back: {:.1} µs",
        median(microseconds.into_iter())
    );
}

fn per_second(threads: usize, router: &Router, authorization: &HeaderValue) -> f64 {
    let ready = Barrier::new(threads);
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|_| {
                // A token of its own memory, as each connection has it; the cached one is shared.
                let authorization = HeaderValue::from_bytes(authorization.as_bytes()).expect("a header value");
                let ready = &ready;
                scope.spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread()
                        .build()
                        .expect("a runtime");
                    ready.wait();
                    runtime.block_on(repeat(router.clone(), authorization))
                })
            })
            .collect();
        running.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    })
}

async fn repeat(router: Router, authorization: HeaderValue) -> f64 {
    let begin = Instant::now();
    let mut count = 0;
    while begin.elapsed() < TURN {
        for _ in 0..64 {
            let response = router.clone().oneshot(request(authorization.clone())).await;
            assert!(response.expect("a router does not fail").status().is_success());
        }
        count += 64;
    }
    f64::from(count) / begin.elapsed().as_secs_f64()
}
