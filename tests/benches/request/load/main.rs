//! Services under load: two threads, and end to end over loopback.
//!
//! End to end, the service is a process of its own with one thread, and the load comes from this one over HTTP/1.1
//! connections that are kept alive; both stay on a core of their own where `taskset` is there. The services take turns, so
//! that whatever else the machine does falls on all of them alike.

mod client;
mod server;
#[path = "../services.rs"]
mod services;
mod threads;

use std::{sync::Arc, time::Duration};

use client::{Load, Measured};
use keycloak_auth_tests::{Issuer, rsa_key};
use server::{Server, Service};
use services::{forged, token};

/// How often each service is measured.
const TURNS: usize = 7;

/// For how long.
const TURN: Duration = Duration::from_millis(700);

/// How many connections ask at the same time.
const CONNECTIONS: usize = 8;

/// How many one-time tokens there are in a flood; more than are asked for while it lasts.
const FLOOD: usize = 40_000;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, serve, service, issuer] = &arguments[..]
        && serve == "--serve"
    {
        server::serve(service, issuer);
        return;
    }
    if !arguments.iter().any(|argument| argument == "--bench") {
        println!("the benchmark runs with `cargo bench`");
        return;
    }
    threads::compare();
    threads::hand_over();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(end_to_end());
}

async fn end_to_end() {
    let issuer = Issuer::start().await;
    println!("\nsigning {FLOOD} one-time tokens");
    let one_time = Arc::new(Load::of_tokens(&signed(&issuer, FLOOD)));
    server::leave_core_to_services();
    let warm = Load::of_token(&token(&issuer).sign(issuer.key()));
    let unknown_key = Load::of_token(&token(&issuer).sign(&rsa_key(1).with_kid("unknown")));
    let not_a_token = Load::of_token(&"x".repeat(1479));
    let forged = Load::of_token(&forged(&issuer));
    let mut rows = vec![
        (Service::Unprotected, "unprotected", &warm, Vec::new()),
        (Service::Guarded, "warm", &warm, Vec::new()),
        (Service::Guarded, "garbage: not a token", &not_a_token, Vec::new()),
        (Service::Guarded, "garbage: unknown key", &unknown_key, Vec::new()),
        (Service::Guarded, "garbage: signature", &forged, Vec::new()),
    ];
    #[cfg(feature = "peers")]
    rows.push((Service::AxumKeycloakAuth, "axum-keycloak-auth", &warm, Vec::new()));
    let mut servers = Vec::new();
    for (service, ..) in &rows {
        // The service asks the issuer for its keys, which answers on this thread.
        let (service, url) = (*service, issuer.url().to_owned());
        let started = tokio::task::spawn_blocking(move || Server::start(service, &url)).await;
        servers.push(started.expect("the service starts"));
    }
    for _ in 0..TURNS {
        for ((_, _, load, measured), server) in rows.iter_mut().zip(&servers) {
            measured.push(client::measure(server.address(), load, CONNECTIONS, TURN).await);
        }
    }
    println!("\nend to end, {CONNECTIONS} connections, medians of {TURNS} turns\n");
    println!(
        "| {:<23} | {:>10} | {:>13} | {:>9} | {:>9} |",
        "requests", "per second", "× unprotected", "median µs", "p99 µs"
    );
    println!("|{:-<25}|{:->11}:|{:->14}:|{:->10}:|{:->10}:|", "", "", "", "", "");
    let reference: Vec<f64> = rows[0]
        .3
        .iter()
        .map(|measured: &Measured| measured.per_second)
        .collect();
    for (_, name, _, measured) in &rows {
        let ratios = measured
            .iter()
            .zip(&reference)
            .map(|(own, other)| own.per_second / other);
        println!(
            "| {name:<23} | {:>10.0} | {:>13.2} | {:>9.1} | {:>9.1} |",
            median(measured.iter().map(|measured| measured.per_second)),
            median(ratios),
            median(measured.iter().map(|measured| measured.median)),
            median(measured.iter().map(|measured| measured.p99)),
        );
    }
    flood(&servers[1], &warm, &one_time).await;
}

/// The warm requests of regular callers while others send a new token each time.
async fn flood(server: &Server, warm: &Load, one_time: &Arc<Load>) {
    let known = Arc::new(warm.clone());
    let (mut calm, mut crowded, mut flooded) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..TURNS {
        calm.push(client::measure(server.address(), warm, CONNECTIONS, TURN / 2).await);
        for (load, measured) in [(&known, &mut crowded), (one_time, &mut flooded)] {
            let others = client::flood(server.address(), load, CONNECTIONS);
            measured.push(client::measure(server.address(), warm, CONNECTIONS, TURN / 2).await);
            others.abort();
        }
    }
    println!(
        "\nwarm requests beside a flood of one-time tokens over as many connections, {} of them new\n",
        one_time.taken()
    );
    for (name, measured) in [
        ("alone", &calm),
        ("beside as many requests with a known token", &crowded),
        ("beside the flood", &flooded),
    ] {
        println!(
            "{name:<42} median {:>7.1} µs, p99 {:>7.1} µs, {:>7.0} requests per second",
            median(measured.iter().map(|measured| measured.median)),
            median(measured.iter().map(|measured| measured.p99)),
            median(measured.iter().map(|measured| measured.per_second)),
        );
    }
    for (name, others) in [("flood / alone", &calm), ("flood / beside known tokens", &crowded)] {
        let ratio = |part: fn(&Measured) -> f64| {
            median(
                others
                    .iter()
                    .zip(&flooded)
                    .map(|(other, flooded)| part(flooded) / part(other)),
            )
        };
        println!(
            "{name:<42} median {:>7.2}, p99 {:>7.2}",
            ratio(|measured| measured.median),
            ratio(|measured| measured.p99)
        );
    }
}

/// New tokens, for whose signatures each core has to do its part: they take longer than all that is measured.
fn signed(issuer: &Issuer, count: usize) -> Vec<String> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let sign = || -> Vec<String> {
            let share = count.div_ceil(threads);
            (0..share).map(|_| token(issuer).sign(issuer.key())).collect()
        };
        let signing: Vec<_> = (0..threads).map(|_| scope.spawn(sign)).collect();
        signing
            .into_iter()
            .flat_map(|thread| thread.join().expect("no panic"))
            .collect()
    })
}

pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
