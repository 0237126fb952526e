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
pub(crate) struct SingleFlight<K, T> {
    flights: Mutex<Flights<K, T>>,
}

struct Flights<K, T> {
    by_key: HashMap<K, WeakShared<BoxFuture<'static, T>>>,
    /// With how many flights those that have ended are sought out again.
    crowd: usize,
}

/// Up to this many flights, nobody seeks out those that have ended.
const FEW: usize = 16;

impl<K: Eq + Hash, T: Clone> SingleFlight<K, T> {
    /// The exchange that is under way for this key, or a new one. An answer that is there already is not used again.
    pub(crate) fn join(&self, key: K, start: impl FnOnce() -> BoxFuture<'static, T>) -> Shared<BoxFuture<'static, T>> {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = flights.by_key.get(&key).and_then(under_way) {
            return flight;
        }
        if flights.by_key.len() >= flights.crowd {
            flights.forget_ended();
        }
        let flight = start().shared();
        flights.by_key.extend(flight.downgrade().map(|flight| (key, flight)));
        flight
    }
}

impl<K: Eq + Hash, T: Clone> Flights<K, T> {
    /// Not at each joining: in a flood, each would look at all that the others wait for.
    fn forget_ended(&mut self) {
        self.by_key.retain(|_, flight| under_way(flight).is_some());
        self.crowd = FEW.max(2 * self.by_key.len());
    }
}

fn under_way<T: Clone>(flight: &WeakShared<BoxFuture<'static, T>>) -> Option<Shared<BoxFuture<'static, T>>> {
    flight.upgrade().filter(|flight| flight.peek().is_none())
}

impl<K, T> Default for SingleFlight<K, T> {
    fn default() -> Self {
        Self {
            flights: Mutex::new(Flights {
                by_key: HashMap::new(),
                crowd: FEW,
            }),
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
    use std::{
        future,
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
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

    #[tokio::test]
    async fn forgets_flights_that_have_ended() {
        let flights = SingleFlight::<usize, usize>::default();
        for number in 0..10 * FEW {
            assert_eq!(flights.join(number, || async move { number }.boxed()).await, number);
        }
        let count = || flights.flights.lock().expect("nobody panicked").by_key.len();
        assert!(count() <= FEW, "{}", count());
        let join = |number| flights.join(number, || future::pending().boxed());
        let waiting: Vec<_> = (1000..1000 + 10 * FEW).map(join).collect();
        assert!((10 * FEW..=11 * FEW).contains(&count()), "{}", count());
        drop(waiting);
        for number in 2000..2000 + 20 * FEW {
            drop(join(number));
        }
        assert!(count() <= FEW, "{}", count());
    }
}
