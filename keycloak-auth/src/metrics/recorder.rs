//! Hands what happens to the collector, under names and tags that are made once.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use http::{Extensions, Method};

use super::{
    Metric, MetricsCollector, PreparedCounter, Tag,
    decisions::{Decisions, Outcome, Route},
};

/// The collector, if there is one.
#[derive(Clone, Default)]
pub(crate) struct Recorder(Option<Arc<Recording>>);

struct Recording {
    collector: Arc<dyn MetricsCollector>,
    names: [String; Metric::ALL.len()],
    client_id: String,
    realm: String,
    /// `jwt` or `introspection`.
    method: &'static str,
    /// The counters of every accepted request.
    judged: EachRequest,
    accepted: EachRequest,
    found: EachRequest,
    key_at_hand: EachRequest,
    decisions: Decisions,
}

/// A counter of every request, prepared where the collector can do that.
struct EachRequest {
    metric: Metric,
    has_method: bool,
    prepared: Option<Box<dyn PreparedCounter>>,
}

impl EachRequest {
    const fn unprepared(metric: Metric, has_method: bool) -> Self {
        Self {
            metric,
            has_method,
            prepared: None,
        }
    }

    fn increment(&self, recording: &Recording) {
        match &self.prepared {
            Some(counter) => counter.increment(),
            None => recording.count(self.metric, recording.tags(self.has_method, "").own()),
        }
    }
}

/// The tags of one record: those of the configuration, then `error_code`.
struct Tags<'a> {
    tags: [Tag<'a>; 4],
    has_method: bool,
}

impl<'a> Tags<'a> {
    /// Without `error_code`.
    fn own(&self) -> &[Tag<'a>] {
        &self.tags[usize::from(!self.has_method)..3]
    }

    fn with_error_code(&self) -> &[Tag<'a>] {
        &self.tags[usize::from(!self.has_method)..]
    }
}

impl Recording {
    fn tags<'a>(&'a self, has_method: bool, error_code: &'a str) -> Tags<'a> {
        Tags {
            tags: [
                ("method", self.method),
                ("client_id", &self.client_id),
                ("realm", &self.realm),
                ("error_code", error_code),
            ],
            has_method,
        }
    }

    fn name(&self, metric: Metric) -> &str {
        &self.names[metric as usize]
    }

    fn count(&self, metric: Metric, tags: &[Tag<'_>]) {
        self.collector.increment_counter(self.name(metric), tags);
    }

    /// Records how long something took, and counts the error where it failed.
    fn observe(&self, metric: Metric, took: Duration, has_method: bool, error_code: Option<&'static str>) {
        let milliseconds = took.as_secs_f64() * 1000.0;
        let tags = self.tags(has_method, error_code.unwrap_or_default());
        let tags = match error_code {
            Some(_) => tags.with_error_code(),
            None => tags.own(),
        };
        self.collector.observe_histogram(self.name(metric), tags, milliseconds);
    }

    #[inline(never)]
    fn count_known_token(&self) {
        for counter in [&self.found, &self.judged, &self.accepted] {
            counter.increment(self);
        }
    }

    #[inline(never)]
    fn count_decision(&self, route: &Route, outcome: Outcome) {
        let counter = route.counter(outcome);
        if let Some(Some(counter)) = counter.get() {
            return counter.increment();
        }
        let tags = [
            ("client_id", &*self.client_id),
            ("realm", &*self.realm),
            ("route", route.route()),
            ("http_method", route.method()),
            ("outcome", outcome.as_str()),
        ];
        match counter.get_or_init(|| self.collector.prepare_counter(self.name(Metric::Decisions), &tags)) {
            Some(counter) => counter.increment(),
            None => self.count(Metric::Decisions, &tags),
        }
    }

    fn count_error(&self, error_code: &'static str) {
        self.count(Metric::Errors, self.tags(false, error_code).with_error_code());
    }
}

impl Recorder {
    pub(crate) fn new(
        collector: Option<Arc<dyn MetricsCollector>>,
        prefix: &str,
        client_id: &str,
        realm: &str,
        method: &'static str,
    ) -> Self {
        let Some(collector) = collector else {
            return Self(None);
        };
        let mut recording = Recording {
            collector,
            names: std::array::from_fn(|number| Metric::ALL[number].name(prefix)),
            client_id: client_id.to_owned(),
            realm: realm.to_owned(),
            method,
            judged: EachRequest::unprepared(Metric::TokenValidation, true),
            accepted: EachRequest::unprepared(Metric::TokenValidationSuccess, true),
            found: EachRequest::unprepared(Metric::TokenCacheHits, true),
            key_at_hand: EachRequest::unprepared(Metric::JwksCacheHits, false),
            decisions: Decisions::new(),
        };
        let prepare = |counter: &EachRequest| {
            let tags = recording.tags(counter.has_method, "");
            recording
                .collector
                .prepare_counter(recording.name(counter.metric), tags.own())
        };
        let prepared = [
            &recording.judged,
            &recording.accepted,
            &recording.found,
            &recording.key_at_hand,
        ]
        .map(prepare);
        let [judged, accepted, found, key_at_hand] = prepared;
        recording.judged.prepared = judged;
        recording.accepted.prepared = accepted;
        recording.found.prepared = found;
        recording.key_at_hand.prepared = key_at_hand;
        Self(Some(Arc::new(recording)))
    }

    /// Whether what is recorded gets anywhere.
    pub(crate) fn is_listening(&self) -> bool {
        self.0.is_some()
    }

    /// The time, where somebody listens: looking at it takes longer than the warm way of a request allows for nothing.
    pub(crate) fn stopwatch(&self) -> Option<Instant> {
        self.0.as_ref().map(|_| Instant::now())
    }

    /// An accepted token that was known already.
    #[inline]
    pub(crate) fn known_token_accepted(&self) {
        if let Some(recording) = &self.0 {
            recording.count_known_token();
        }
    }

    /// A token that was known already, and is counted as accepted elsewhere.
    pub(crate) fn known_token_found(&self) {
        if let Some(recording) = &self.0 {
            recording.found.increment(recording);
        }
    }

    pub(crate) fn token_accepted(&self) {
        if let Some(recording) = &self.0 {
            recording.judged.increment(recording);
            recording.accepted.increment(recording);
        }
    }

    pub(crate) fn token_refused(&self, error_code: &'static str) {
        let Some(recording) = &self.0 else { return };
        recording.judged.increment(recording);
        let tags = recording.tags(true, error_code);
        recording.count(Metric::TokenValidationFailure, tags.with_error_code());
        recording.count_error(error_code);
    }

    /// How long judging a token took that was not known already.
    pub(crate) fn token_judged(&self, since: Option<Instant>, error_code: Option<&'static str>) {
        let (Some(recording), Some(since)) = (&self.0, since) else {
            return;
        };
        recording.observe(Metric::TokenValidationLatency, since.elapsed(), true, error_code);
    }

    /// Whether a token found its key, and there were keys at all.
    pub(crate) fn key_looked_up(&self, is_at_hand: bool) {
        let Some(recording) = &self.0 else { return };
        if is_at_hand {
            recording.key_at_hand.increment(recording);
        } else {
            recording.count(Metric::JwksCacheMisses, recording.tags(false, "").own());
        }
    }

    /// What became of a request.
    #[inline]
    pub(crate) fn decided(&self, extensions: &Extensions, method: &Method, outcome: Outcome) {
        if let Some(recording) = &self.0 {
            recording.count_decision(recording.decisions.of(extensions, method), outcome);
        }
    }

    pub(crate) fn policy_would_deny(&self, handler: &'static str, error_code: &'static str) {
        let Some(recording) = &self.0 else { return };
        let tags = [
            ("client_id", &*recording.client_id),
            ("realm", &*recording.realm),
            ("handler", handler),
            ("error_code", error_code),
        ];
        recording.count(Metric::PolicyWouldDeny, &tags);
    }

    pub(crate) fn token_refreshed(&self, took: Duration, error_code: Option<&'static str>) {
        let Some(recording) = &self.0 else { return };
        recording.observe(Metric::TokenRefreshLatency, took, false, error_code);
        let tags = recording.tags(false, error_code.unwrap_or_default());
        recording.count(Metric::TokenRefresh, tags.own());
        match error_code {
            None => recording.count(Metric::TokenRefreshSuccess, tags.own()),
            Some(error_code) => {
                recording.count(Metric::TokenRefreshFailure, tags.with_error_code());
                recording.count_error(error_code);
            }
        }
    }

    /// One request to an endpoint of Keycloak; `error_type` as in OpenTelemetry's attribute of that name.
    pub(crate) fn provider_asked(&self, endpoint: &'static str, took: Duration, error_type: Option<&str>) {
        let Some(recording) = &self.0 else { return };
        let tags = [
            ("client_id", &*recording.client_id),
            ("realm", &*recording.realm),
            ("endpoint", endpoint),
            ("error_type", error_type.unwrap_or_default()),
        ];
        let tags = if error_type.is_some() { &tags[..] } else { &tags[..3] };
        let name = recording.name(Metric::ProviderRequestLatency);
        recording
            .collector
            .observe_histogram(name, tags, took.as_secs_f64() * 1000.0);
    }

    pub(crate) fn metadata_fetched(&self, took: Duration, succeeded: bool) {
        let Some(recording) = &self.0 else { return };
        let error_code = (!succeeded).then_some("keycloak_connection_error");
        recording.observe(Metric::OidcFetchLatency, took, false, error_code);
    }

    /// An attempt to fetch the keys; `age` is that of the keys in use afterwards, where there are any.
    pub(crate) fn key_set_fetched(&self, took: Duration, succeeded: bool, age: Option<Duration>) {
        let Some(recording) = &self.0 else { return };
        let error_code = (!succeeded).then_some("keycloak_connection_error");
        recording.observe(Metric::JwksFetchLatency, took, false, error_code);
        if let Some(error_code) = error_code {
            recording.count_error(error_code);
        }
        if let Some(age) = age {
            let tags = recording.tags(false, "");
            let name = recording.name(Metric::JwksAge);
            recording.collector.set_gauge(name, tags.own(), age.as_secs_f64());
        }
        self.endpoint_answers("jwks", succeeded);
    }

    /// Whether an endpoint answered rightly when it was asked last.
    pub(crate) fn endpoint_answers(&self, endpoint: &'static str, is_right: bool) {
        let Some(recording) = &self.0 else { return };
        let tags = [
            ("client_id", &*recording.client_id),
            ("realm", &*recording.realm),
            ("endpoint", endpoint),
        ];
        let outage = if is_right { 0.0 } else { 1.0 };
        let name = recording.name(Metric::ProviderOutage);
        recording.collector.set_gauge(name, &tags, outage);
    }

    /// A grant that brought no token, and is no refresh.
    pub(crate) fn grant_failed(&self, error_code: &'static str) {
        if let Some(recording) = &self.0 {
            recording.count_error(error_code);
        }
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("is_listening", &self.0.is_some())
            .finish_non_exhaustive()
    }
}
