//! What a service plugs in to receive metrics.

/// Receives the metrics of a [`Keycloak`](crate::Keycloak).
///
/// Called on the way of a request, so it must neither block nor panic.
///
/// ```
/// use keycloak_auth::metrics::{MetricsCollector, Tag};
///
/// struct Printed;
///
/// impl MetricsCollector for Printed {
///     fn increment_counter(&self, name: &str, tags: &[Tag<'_>]) {
///         println!("{name} {tags:?}");
///     }
///     fn observe_histogram(&self, name: &str, tags: &[Tag<'_>], value: f64) {
///         println!("{name} {tags:?} {value}");
///     }
///     fn set_gauge(&self, name: &str, tags: &[Tag<'_>], value: f64) {
///         println!("{name} {tags:?} = {value}");
///     }
/// }
/// ```
pub trait MetricsCollector: Send + Sync + 'static {
    /// Adds one to a counter.
    fn increment_counter(&self, name: &str, tags: &[Tag<'_>]);

    /// Records a value; the unit is in the metric's name.
    fn observe_histogram(&self, name: &str, tags: &[Tag<'_>], value: f64);

    /// Sets a gauge.
    fn set_gauge(&self, name: &str, tags: &[Tag<'_>], value: f64);

    /// Prepares a counter of each request, so that counting need not look it up by name and tags.
    ///
    /// `None`, the default, has [`increment_counter`](Self::increment_counter) called instead.
    fn prepare_counter(&self, name: &str, tags: &[Tag<'_>]) -> Option<Box<dyn PreparedCounter>> {
        let _ = (name, tags);
        None
    }
}

/// A counter whose name and tags are fixed.
pub trait PreparedCounter: Send + Sync + 'static {
    /// Adds one.
    fn increment(&self);
}

/// A tag's name and value.
pub type Tag<'a> = (&'static str, &'a str);
