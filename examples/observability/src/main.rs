//! Counts for Prometheus, and tells a log. Keycloak is named by `KEYCLOAK_SERVER_URL`, `KEYCLOAK_REALM`, `KEYCLOAK_CLIENT_ID`
//! and `KEYCLOAK_AUDIENCE`; `RUST_LOG=info,keycloak_auth=debug` shows why each request was refused.

use std::time::Duration;

use keycloak_auth::{Keycloak, metrics::MetricsFacade};
use metrics_exporter_prometheus::PrometheusBuilder;
use observability::{app, buckets, metrics_app};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).init();

    // Before the Keycloak is built, whose counters are looked up then.
    let prometheus = buckets(PrometheusBuilder::new())?.install_recorder()?;
    let keycloak = Keycloak::builder()
        .environment()
        .metrics_collector(MetricsFacade)
        .build()?;

    let upkeep = prometheus.clone();
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(Duration::from_secs(5));
        loop {
            ticks.tick().await;
            upkeep.run_upkeep();
        }
    });

    let service = listen("127.0.0.1:3000").await?;
    let metrics = listen("127.0.0.1:9000").await?;
    println!("http://{}/orders", service.local_addr()?);
    println!("http://{}/metrics", metrics.local_addr()?);
    tokio::try_join!(
        axum::serve(service, app(keycloak)).into_future(),
        axum::serve(metrics, metrics_app(prometheus)).into_future(),
    )?;
    Ok(())
}

async fn listen(address: &str) -> Result<TcpListener, String> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|error| format!("cannot listen on {address}: {error}"))
}
