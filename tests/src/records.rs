//! Events and spans as data: what a trace backend gets of them.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record as Values},
};
use tracing_subscriber::{Layer, layer::Context};

/// An event or a span.
#[derive(Clone, Debug)]
pub struct Record {
    pub is_span: bool,
    pub name: &'static str,
    pub target: &'static str,
    pub level: Level,
    /// Its fields with their values; the text of an event is `message`.
    pub fields: BTreeMap<&'static str, String>,
    /// The names of the fields that it was made with, whether they got a value or not.
    pub declared: Vec<&'static str>,
    /// Whether the span has ended.
    pub is_over: bool,
}

impl Record {
    /// The value of a field, empty without one.
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    fn new(metadata: &'static Metadata<'static>) -> Self {
        Self {
            is_span: metadata.is_span(),
            name: metadata.name(),
            target: metadata.target(),
            level: *metadata.level(),
            fields: BTreeMap::new(),
            declared: metadata.fields().iter().map(|field| field.name()).collect(),
            is_over: metadata.is_event(),
        }
    }
}

/// Everything that was recorded so far.
#[derive(Clone, Default)]
pub(crate) struct Records(Arc<Mutex<Recorded>>);

#[derive(Default)]
struct Recorded {
    records: Vec<Record>,
    /// Where the spans are that are not over.
    spans: HashMap<Id, usize>,
}

impl Records {
    pub(crate) fn all(&self) -> Vec<Record> {
        self.lock().records.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Recorded> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes to the records that the current thread has.
pub(crate) struct RecordLayer(pub(crate) fn() -> Option<Records>);

impl<S: Subscriber> Layer<S> for RecordLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut record = Record::new(event.metadata());
        event.record(&mut Visitor(&mut record.fields));
        if let Some(records) = (self.0)() {
            records.lock().records.push(record);
        }
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, _: Context<'_, S>) {
        let mut record = Record::new(attributes.metadata());
        attributes.record(&mut Visitor(&mut record.fields));
        if let Some(records) = (self.0)() {
            let mut recorded = records.lock();
            let index = recorded.records.len();
            recorded.spans.insert(id.clone(), index);
            recorded.records.push(record);
        }
    }

    fn on_record(&self, id: &Id, values: &Values<'_>, _: Context<'_, S>) {
        self.with_span(id, |record| values.record(&mut Visitor(&mut record.fields)));
    }

    fn on_close(&self, id: Id, _: Context<'_, S>) {
        self.with_span(&id, |record| record.is_over = true);
        if let Some(records) = (self.0)() {
            records.lock().spans.remove(&id);
        }
    }
}

impl RecordLayer {
    fn with_span(&self, id: &Id, change: impl FnOnce(&mut Record)) {
        if let Some(records) = (self.0)() {
            let mut recorded = records.lock();
            // One that was made before the capture began is not there.
            if let Some(index) = recorded.spans.get(id).copied() {
                change(&mut recorded.records[index]);
            }
        }
    }
}

struct Visitor<'f>(&'f mut BTreeMap<&'static str, String>);

impl Visit for Visitor<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}
