#![doc = include_str!("../docs/metrics.md")]

mod collector;
mod decisions;
#[cfg(feature = "metrics")]
mod facade;
mod metric;
mod recorder;

pub use collector::{MetricsCollector, PreparedCounter, Tag};
#[cfg(feature = "metrics")]
pub use facade::MetricsFacade;
pub use metric::{DEFAULT_PREFIX, Metric, MetricKind};

pub(crate) use decisions::Outcome;
pub(crate) use recorder::Recorder;
