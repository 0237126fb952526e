//! One exchange for all who wait for the same answer.

use std::{
    collections::HashMap,
    fmt,
    hash::Hash,
    sync::{Mutex, PoisonError},
};

use futures_util::future::{BoxFuture, FutureExt as _, Shared, WeakShared};

/// Joins those who ask the same thing at the same time.
///
/// Nothing runs by itself: the exchange goes on as long as one of those who joined it waits, and ends with the last.
pub(super) struct SingleFlight<K, T> {
    flights: Mutex<HashMap<K, WeakShared<BoxFuture<'static, T>>>>,
}

impl<K: Eq + Hash, T: Clone> SingleFlight<K, T> {
    /// The exchange that is under way for this key, or a new one. An answer that is there already is not used again.
    pub(super) fn join(&self, key: K, start: impl FnOnce() -> BoxFuture<'static, T>) -> Shared<BoxFuture<'static, T>> {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        flights.retain(|_, flight| under_way(flight).is_some());
        if let Some(flight) = flights.get(&key).and_then(under_way) {
            return flight;
        }
        let flight = start().shared();
        flights.extend(flight.downgrade().map(|flight| (key, flight)));
        flight
    }
}

fn under_way<T: Clone>(flight: &WeakShared<BoxFuture<'static, T>>) -> Option<Shared<BoxFuture<'static, T>>> {
    flight.upgrade().filter(|flight| flight.peek().is_none())
}

impl<K, T> Default for SingleFlight<K, T> {
    fn default() -> Self {
        Self {
            flights: Mutex::default(),
        }
    }
}

impl<K, T> fmt::Debug for SingleFlight<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SingleFlight").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn joins_those_who_wait_and_starts_anew_for_those_who_come_later() {
        let flights = SingleFlight::<u32, usize>::default();
        let (count, answer) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let ask = |key| {
            let (count, answer) = (Arc::clone(&count), Arc::clone(&answer));
            flights.join(key, || {
                async move {
                    let number = count.fetch_add(1, Ordering::Relaxed) + 1;
                    answer.notified().await;
                    number
                }
                .boxed()
            })
        };
        let (first, second) = (tokio::spawn(ask(1)), tokio::spawn(ask(1)));
        tokio::task::yield_now().await;
        answer.notify_one();
        assert_eq!((first.await.expect("ends"), second.await.expect("ends")), (1, 1));
        let (third, other) = (tokio::spawn(ask(1)), tokio::spawn(ask(2)));
        tokio::task::yield_now().await;
        answer.notify_one();
        answer.notify_waiters();
        assert_eq!(third.await.expect("ends") + other.await.expect("ends"), 2 + 3);
    }

    #[tokio::test]
    async fn goes_on_when_the_first_who_asked_is_gone() {
        let flights = SingleFlight::<u32, u32>::default();
        let first = flights.join(1, || async { 7 }.boxed());
        let second = flights.join(1, || async { 8 }.boxed());
        drop(first);
        assert_eq!(second.await, 7);
    }
}
