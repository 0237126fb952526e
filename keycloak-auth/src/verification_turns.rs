//! Whose signature is verified next, on a worker that has others to serve.
//!
//! Verifying a signature takes as long as answering several requests whose tokens are known. Where new tokens come from many
//! connections at once, they would be verified one right after the other, and whoever has a known token would wait for all of
//! them. So they wait in a row, and an usher lets some of them in each time that the runtime has served who is ready, and has
//! looked at its connections for who has become so: that is when a task goes on that yielded. The longer that took, and the longer
//! the row is, the more are let in, so that new tokens have a part of the worker's time however many others are ready.
//!
//! A task does not wait when none was before it, or only itself, and nobody waits. Who waits owns nothing: a request that is given
//! up, or that nobody polls any more, is in nobody's way. Nothing here takes a timer, which a runtime need not have.
//!
//! There is a row for each thread and not for each [`Keycloak`](crate::Keycloak), since the thread's time is what all share.

use std::{
    cell::Cell,
    collections::VecDeque,
    iter,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::{runtime::Handle, sync::oneshot, task};

/// How many verifications are let in at a time, at least: looking for others who are ready takes time too.
const FEWEST: u128 = 2;

/// And at most.
const MOST: u128 = 64;

/// One of so many who wait is let in at a time at least, so that a long row becomes shorter sooner.
const PART: u128 = 16;

/// Others have so much time for each verification that is let in: five times what one with an RSA key of 2048 bits takes.
const TIME_OF_OTHERS: Duration = Duration::from_micros(100);

/// Who comes so much later than the last one does not come together with it. A clock that is read on every request may stand still
/// for some milliseconds.
const TOGETHER: Duration = Duration::from_millis(1);

thread_local! {
    static WORKER: Worker = Worker::default();
}

#[derive(Default)]
struct Worker {
    last: Cell<Option<Last>>,
    row: Arc<Row>,
}

/// The task whose token was verified last.
#[derive(Clone, Copy)]
struct Last {
    /// `None` outside of a task: all that a thread does outside of tasks is like one task.
    task: Option<task::Id>,
    at: Duration,
}

impl Last {
    fn now(at: Duration) -> Self {
        Self {
            task: task::try_id(),
            at,
        }
    }
}

/// Those who wait, in the order in which they came, and those among them who have given up. There is an usher as long as it is not
/// empty.
#[derive(Default)]
struct Row(Mutex<VecDeque<oneshot::Sender<()>>>);

impl Row {
    fn waiting(&self) -> MutexGuard<'_, VecDeque<oneshot::Sender<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a verification may wait for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// That of a request to a server, whose runtime goes on with others meanwhile.
    InTurn,
    /// That of somebody who may keep the thread until there is a result.
    AtOnce,
}

/// Takes the turn for a verification at once, if nobody else is to be served before; otherwise it is to [`wait`].
pub(crate) fn try_take(order: Order, now: Duration) -> bool {
    let this = Last::now(now);
    WORKER.with(|worker| {
        let is_apart = |last: Last| last.task == this.task || last.at.abs_diff(this.at) >= TOGETHER;
        let is_free =
            order == Order::AtOnce || (worker.last.get().is_none_or(is_apart) && worker.row.waiting().is_empty());
        if is_free {
            worker.last.set(Some(this));
        }
        is_free
    })
}

/// Waits for the turn for a verification. Outside of a runtime there is nobody else to serve.
pub(crate) async fn wait(now: impl Fn() -> Duration) {
    let Ok(runtime) = Handle::try_current() else { return };
    let (waiting, turn) = oneshot::channel();
    WORKER.with(|worker| line_up(&worker.row, waiting, &runtime));
    // Whoever drops what it waits for lets it in too.
    let _ = turn.await;
    WORKER.with(|worker| worker.last.set(Some(Last::now(now()))));
}

fn line_up(row: &Arc<Row>, waiting: oneshot::Sender<()>, runtime: &Handle) {
    let mut all = row.waiting();
    let is_first = all.is_empty();
    all.push_back(waiting);
    // A runtime that is shut down drops an usher at once, who looks at the row then.
    drop(all);
    if is_first {
        runtime.spawn(Usher(Arc::clone(row)).work());
    }
}

/// Lets in those who wait, until nobody does.
struct Usher(Arc<Row>);

impl Usher {
    async fn work(self) {
        let mut since = Instant::now();
        loop {
            task::yield_now().await;
            let served = Instant::now();
            let count = (served - since).as_nanos() / TIME_OF_OTHERS.as_nanos();
            since = served;
            let mut waiting = self.0.waiting();
            let count = count.max(waiting.len() as u128 / PART).clamp(FEWEST, MOST);
            let still_waiting = iter::from_fn(|| waiting.pop_front()).filter_map(|waiting| waiting.send(()).ok());
            still_waiting.take(count as usize).for_each(drop);
            if waiting.is_empty() {
                return;
            }
        }
    }
}

impl Drop for Usher {
    /// Whoever comes next calls another one. A runtime that ends takes its usher with it, but may not be that of all who wait.
    fn drop(&mut self) {
        self.0.waiting().clear();
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::{Future, poll_fn},
        pin::{Pin, pin},
        sync::atomic::{AtomicUsize, Ordering},
        task::{Context, Poll, Waker},
    };

    use tokio::{runtime::Builder, task::JoinSet};

    use super::*;

    const NOW: Duration = Duration::from_secs(1);

    async fn in_another_task<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
        tokio::spawn(work).await.expect("no panic")
    }

    async fn has_to_wait(mut waiting: Pin<&mut impl Future>) -> bool {
        poll_fn(|context| Poll::Ready(waiting.as_mut().poll(context).is_pending())).await
    }

    async fn others_may(at: Duration) -> bool {
        in_another_task(async move { try_take(Order::InTurn, at) }).await
    }

    #[tokio::test]
    async fn a_task_waits_for_nobody_but_others() {
        in_another_task(async {
            assert!((0..3).all(|_| try_take(Order::InTurn, NOW)));
            for after in [Duration::ZERO, Duration::from_micros(1), Duration::from_micros(999)] {
                assert!(!others_may(NOW + after).await, "{after:?}");
            }
            assert!(try_take(Order::InTurn, NOW), "nobody else was let in");
            assert!(others_may(NOW + TOGETHER).await);
            assert!(!try_take(Order::InTurn, NOW + TOGETHER), "somebody else was here");
            assert!(others_may(NOW).await, "the clock was set back");
        })
        .await;
    }

    #[tokio::test]
    async fn nobody_goes_before_those_who_wait() {
        assert!(try_take(Order::InTurn, NOW));
        let later = NOW + TOGETHER;
        {
            let mut waiting = pin!(wait(|| NOW));
            assert!(has_to_wait(waiting.as_mut()).await);
            assert!(!others_may(later).await);
            assert!(!try_take(Order::InTurn, later), "nor does who was let in last");
            assert!(try_take(Order::AtOnce, later));
        }
        let still_later = later + TOGETHER;
        assert!(others_may(still_later).await);
        wait(|| still_later).await;
        assert!(try_take(Order::InTurn, still_later), "this task was let in last");
    }

    #[tokio::test]
    async fn those_who_give_up_or_are_not_polled_keep_nobody_waiting() {
        let mut abandoned: Vec<_> = (0..10).map(|_| Box::pin(wait(|| NOW))).collect();
        for waiting in &mut abandoned {
            assert!(has_to_wait(waiting.as_mut()).await);
        }
        abandoned.truncate(5);
        in_another_task(wait(|| NOW)).await;
        let row = WORKER.with(|worker| Arc::clone(&worker.row));
        assert!(row.waiting().is_empty(), "so there is no usher");
        drop(abandoned);
        in_another_task(wait(|| NOW)).await;
    }

    #[test]
    fn a_runtime_that_ends_takes_its_usher_with_it() {
        let runtime = || Builder::new_current_thread().build().expect("a runtime");
        for _ in 0..3 {
            let ended = runtime();
            ended.block_on(async {
                let mut tasks = JoinSet::new();
                (0..10).for_each(|_| drop(tasks.spawn(wait(|| NOW))));
                task::yield_now().await;
                tasks.detach_all();
            });
            drop(ended);
            // Without a timer, which nothing here needs.
            runtime().block_on(in_another_task(wait(|| NOW)));
        }
    }

    #[test]
    fn without_a_runtime_nobody_waits() {
        let mut waiting = pin!(wait(|| NOW));
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(waiting.as_mut().poll(&mut context), Poll::Ready(()));
    }

    #[tokio::test]
    async fn however_many_are_ready_new_ones_are_let_in() {
        const READY: usize = 1000;
        let served = Arc::new(AtomicUsize::new(0));
        let mut ready = JoinSet::new();
        for _ in 0..READY {
            let served = Arc::clone(&served);
            ready.spawn(async move {
                loop {
                    served.fetch_add(1, Ordering::Relaxed);
                    task::yield_now().await;
                }
            });
        }
        let waiting: JoinSet<()> = (0..100).map(|_| wait(|| NOW)).collect();
        waiting.join_all().await;
        let rounds = served.load(Ordering::Relaxed) / READY;
        assert!(rounds <= 100 / FEWEST as usize + 10, "{rounds}");
        ready.shutdown().await;
    }

    #[tokio::test]
    async fn others_are_served_between_those_who_wait() {
        let mut waiting: JoinSet<()> = (0..100).map(|_| wait(|| NOW)).collect();
        let mut left = 100;
        while left > 0 {
            task::yield_now().await;
            while waiting.try_join_next().is_some() {}
            assert!(left - waiting.len() <= MOST as usize);
            left = waiting.len();
        }
    }
}
