//! Everything that is logged while a test runs, for tests that look for what must not be there.

use std::{
    cell::RefCell,
    io,
    marker::PhantomData,
    sync::{Arc, Mutex, Once, PoisonError},
};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::{
    Layer as _, Registry,
    filter::DynFilterFn,
    fmt::{self, format::FmtSpan},
    layer::SubscriberExt as _,
};

use crate::records::{Record, RecordLayer, Records};

thread_local! {
    static CAPTURING: RefCell<Option<Buffer>> = const { RefCell::new(None) };
}

/// Captures the logs of the current thread at level TRACE, spans and the `log` crate included, until it is dropped.
///
/// On a single-threaded runtime, as `#[tokio::test]` makes it, these are the logs of all its tasks. There is one subscriber
/// for all threads: with one for each, threads would spoil what `tracing` remembers of who is interested in what.
pub struct Logs {
    buffer: Buffer,
    /// Not to be dropped by another thread.
    _thread: PhantomData<*const ()>,
}

#[derive(Clone, Default)]
struct Buffer {
    text: Arc<Mutex<Vec<u8>>>,
    records: Records,
}

impl Logs {
    pub fn capture() -> Self {
        static SUBSCRIBER: Once = Once::new();
        SUBSCRIBER.call_once(|| {
            tracing_log::LogTracer::init().expect("no other logger is set");
            let is_capturing = DynFilterFn::new(|_, _| CAPTURING.with_borrow(Option::is_some));
            let records = RecordLayer(|| CAPTURING.with_borrow(|buffer| Some(buffer.as_ref()?.records.clone())));
            let layer = fmt::layer()
                .with_span_events(FmtSpan::FULL)
                .with_ansi(false)
                .with_writer(|| CAPTURING.with_borrow(|buffer| buffer.clone().unwrap_or_default()))
                .and_then(records)
                .with_filter(is_capturing.with_max_level_hint(LevelFilter::TRACE));
            let subscriber = Registry::default().with(layer);
            tracing::subscriber::set_global_default(subscriber).expect("no other subscriber is set");
        });
        let buffer = Buffer::default();
        CAPTURING.set(Some(buffer.clone()));
        Self {
            buffer,
            _thread: PhantomData,
        }
    }

    pub fn text(&self) -> String {
        let bytes = self.buffer.text.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The events and spans of `keycloak-auth`.
    pub fn records(&self) -> Vec<Record> {
        let mut records = self.buffer.records.all();
        records.retain(|record| record.target.starts_with("keycloak_auth") && !record.target.contains("tests"));
        records
    }
}

impl Drop for Logs {
    fn drop(&mut self) {
        CAPTURING.set(None);
    }
}

impl io::Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut buffer = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        buffer.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
