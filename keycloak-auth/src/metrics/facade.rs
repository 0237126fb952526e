//! The adapter to the `metrics` facade.

use metrics::{Counter, Label, counter, gauge, histogram};

use super::{MetricsCollector, PreparedCounter, Tag};

/// Hands all metrics to the recorder that the program has installed for the [`metrics`](https://docs.rs/metrics) facade.
///
/// Install that recorder first: the counters of each request are looked up when the
/// [`Keycloak`](crate::Keycloak) is built, so that counting allocates nothing afterwards.
///
/// ```
/// use keycloak_auth::{Keycloak, metrics::MetricsFacade};
///
/// let keycloak = Keycloak::builder()
///     .server_url("https://id.example.com")
///     .realm("acme")
///     .client_id("orders-api")
///     .audience("orders-api")
///     .metrics_collector(MetricsFacade)
///     .build()?;
/// # Ok::<(), keycloak_auth::BuildError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct MetricsFacade;

impl MetricsCollector for MetricsFacade {
    fn increment_counter(&self, name: &str, tags: &[Tag<'_>]) {
        counter!(name.to_owned(), labels(tags)).increment(1);
    }

    fn observe_histogram(&self, name: &str, tags: &[Tag<'_>], value: f64) {
        histogram!(name.to_owned(), labels(tags)).record(value);
    }

    fn set_gauge(&self, name: &str, tags: &[Tag<'_>], value: f64) {
        gauge!(name.to_owned(), labels(tags)).set(value);
    }

    fn prepare_counter(&self, name: &str, tags: &[Tag<'_>]) -> Option<Box<dyn PreparedCounter>> {
        Some(Box::new(Prepared(counter!(name.to_owned(), labels(tags)))))
    }
}

struct Prepared(Counter);

impl PreparedCounter for Prepared {
    fn increment(&self) {
        self.0.increment(1);
    }
}

fn labels(tags: &[Tag<'_>]) -> Vec<Label> {
    tags.iter()
        .map(|&(name, value)| Label::new(name, value.to_owned()))
        .collect()
}
