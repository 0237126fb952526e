//! Whose signature is verified next, on a worker that has others to serve.
//!
//! Verifying a signature takes as long as answering several requests whose tokens are known. Where new tokens come from many
//! connections at once, or many from one, they would be verified one right after the other, and whoever has a known token would wait
//! for all of them. So they wait in a row, and an usher lets some of them in each time that the runtime has served who is ready, and
//! has looked at its connections for who has become so: that is when a task goes on that yielded. The longer others took, and the
//! longer the row is, the more are let in, so that new tokens have a part of the worker's time however many others are ready.
//!
//! A task does not wait for its first few, when none was before it and nobody waits. Who waits owns nothing: a request that is given
//! up, or that nobody polls any more, is in nobody's way. Nothing here takes a timer, which a runtime need not have.
//!
//! There is a row for each thread and not for each [`Keycloak`](crate::Keycloak), since the thread's time is what all share; and one
//! for each runtime, since each drives its own tasks only. What a runtime does not know of is not served between two turns: tasks of
//! a `LocalSet` that another runtime drives. A handler that blocks its worker keeps those waiting who wait in the worker's row, as it
//! does with all that is ready there. And who blocks a thread until a request is answered that the thread itself has to serve waits
//! for ever, here as with any other `await`.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::{
    runtime::{Handle, Id},
    sync::oneshot,
    task,
};

/// How many verifications are let in at a time, at least: looking for others who are ready takes time too.
const FEWEST: usize = 2;

/// How many a task has together before it waits.
const AT_ONCE: usize = 2;

/// For how long those may be verified at most who are let in at a time, unless they are the [fewest](FEWEST).
const LONGEST: Duration = Duration::from_micros(1280);

/// One of so many who wait is let in at a time at least, so that a long row becomes shorter sooner.
const PART: u32 = 16;

/// Others have so many times the time of those who are let in.
const OTHERS: u32 = 5;

/// How long a verification takes with an RSA key of 2048 bits. None counts as shorter.
const USUAL: Duration = Duration::from_micros(20);

/// A measurement changes what a verification is held to take by this part.
const MEASUREMENTS: u32 = 8;

/// Who comes so much later than the last one does not come together with it. A clock that is read on every request may stand still
/// for some milliseconds.
const TOGETHER: Duration = Duration::from_millis(1);

thread_local! {
    static WORKER: Worker = Worker::default();
}

#[derive(Default)]
struct Worker {
    last: Cell<Option<Last>>,
    row: RefCell<Option<Arc<Row>>>,
}

impl Worker {
    fn nobody_waits(&self) -> bool {
        let row = self.row.borrow();
        row.as_ref().is_none_or(|row| row.state().waiting.is_empty())
    }

    /// The row of those whom `runtime` drives. That of another one is left to that.
    fn row_of(&self, runtime: Id) -> Arc<Row> {
        let mut row = self.row.borrow_mut();
        let of_runtime = row.take().filter(|row| row.runtime == runtime);
        Arc::clone(row.insert(of_runtime.unwrap_or_else(|| Arc::new(Row::new(runtime)))))
    }
}

/// The task whose token was verified last.
#[derive(Clone, Copy)]
struct Last {
    task: Option<task::Id>,
    at: Duration,
    /// How many of it have been verified together.
    count: usize,
}

struct Row {
    runtime: Id,
    state: Mutex<State>,
}

struct State {
    /// Those who wait, in the order in which they came, and those among them who have given up. There is an usher as long as it is
    /// not empty.
    waiting: VecDeque<oneshot::Sender<()>>,
    /// How long a verification takes, once one was measured.
    cost: Option<Duration>,
    /// How long those took that were verified since the usher came by.
    spent: Duration,
}

impl Row {
    fn new(runtime: Id) -> Self {
        Self {
            runtime,
            state: Mutex::new(State {
                waiting: VecDeque::new(),
                cost: None,
                spent: Duration::ZERO,
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn line_up(self: &Arc<Self>, runtime: &Handle) -> oneshot::Receiver<()> {
        let (waiting, turn) = oneshot::channel();
        let mut state = self.state();
        let is_first = state.waiting.is_empty();
        state.waiting.push_back(waiting);
        // A runtime that is shut down drops an usher at once, who looks at the row then.
        drop(state);
        if is_first {
            runtime.spawn(Usher(Some(Arc::clone(self))).work());
        }
        turn
    }

    /// Lets in as many as have a right to it after others took some time. `false` when nobody waits any more.
    fn let_in(&self, since: Duration) -> bool {
        let mut state = self.state();
        let others = since.saturating_sub(mem::take(&mut state.spent));
        let count = share(others, state.waiting.len(), state.cost);
        let mut turns = Vec::with_capacity(count.min(state.waiting.len()));
        while turns.len() < count
            && let Some(waiting) = state.waiting.pop_front()
        {
            if !waiting.is_closed() {
                turns.push(waiting);
            }
        }
        let is_waited_for = !state.waiting.is_empty();
        // Who is let in may go on at once, and come here again.
        drop(state);
        for turn in turns {
            let _ = turn.send(());
        }
        is_waited_for
    }
}

impl State {
    fn note(&mut self, took: Duration, is_success: bool) {
        self.spent += took;
        // A signature may be refused before anything is computed with it, at the choice of who sends it.
        if is_success || took >= self.cost.unwrap_or(USUAL) {
            let cost = self.cost.unwrap_or(took);
            self.cost = Some((cost * (MEASUREMENTS - 1) + took) / MEASUREMENTS);
        }
    }
}

/// How many of those who wait are let in, after others took so much time.
fn share(others: Duration, waiting: usize, cost: Option<Duration>) -> usize {
    let Some(cost) = cost.map(|cost| cost.max(USUAL)) else {
        return FEWEST;
    };
    let of_row = cost.saturating_mul(waiting.try_into().unwrap_or(u32::MAX)) / PART;
    let time = (others / OTHERS).max(of_row).min(LONGEST);
    let count = time.as_nanos() / cost.as_nanos();
    usize::try_from(count).unwrap_or(usize::MAX).max(FEWEST)
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
///
/// Outside of a task nobody waits: who keeps a thread there may keep the runtime, too.
pub(crate) fn try_take(order: Order, now: Duration) -> bool {
    let task = task::try_id();
    WORKER.with(|worker| {
        let together = worker.last.get().filter(|last| last.at.abs_diff(now) < TOGETHER);
        let count = match together {
            Some(last) if last.task == task => last.count.saturating_add(1),
            _ => 1,
        };
        let is_free = order == Order::AtOnce
            || task.is_none()
            || (together.is_none_or(|last| last.task == task) && count <= AT_ONCE && worker.nobody_waits());
        if is_free {
            worker.last.set(Some(Last { task, at: now, count }));
        }
        is_free
    })
}

/// Waits for the turn for a verification. Outside of a runtime there is nobody else to serve.
pub(crate) async fn wait(now: impl Fn() -> Duration) -> Turn {
    let Ok(runtime) = Handle::try_current() else {
        return Turn(None);
    };
    let row = WORKER.with(|worker| worker.row_of(runtime.id()));
    // Whoever drops what it waits for lets it in too.
    let _ = row.line_up(&runtime).await;
    let last = Last {
        task: task::try_id(),
        at: now(),
        count: 1,
    };
    WORKER.with(|worker| worker.last.set(Some(last)));
    Turn(Some(row))
}

/// The turn of somebody who has waited for it.
#[must_use]
pub(crate) struct Turn(Option<Arc<Row>>);

impl Turn {
    /// Verifies, and measures how long that takes.
    pub(crate) fn measure<T, E>(self, verify: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let Some(row) = self.0 else { return verify() };
        let begin = Instant::now();
        let result = verify();
        row.state().note(begin.elapsed(), result.is_ok());
        result
    }
}

/// Lets in those who wait, until nobody does. The row is taken from an usher who is done.
struct Usher(Option<Arc<Row>>);

impl Usher {
    async fn work(mut self) {
        let mut since = Instant::now();
        while let Some(row) = &self.0 {
            task::yield_now().await;
            let served = Instant::now();
            if !row.let_in(served - since) {
                self.0 = None;
            }
            since = served;
        }
    }
}

impl Drop for Usher {
    /// Whoever comes next calls another one. A runtime that ends takes its usher with it, but may not be that of all who wait.
    fn drop(&mut self) {
        if let Some(row) = &self.0 {
            let waiting = mem::take(&mut row.state().waiting);
            drop(waiting);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::{Future, poll_fn},
        pin::{Pin, pin},
        sync::atomic::{AtomicUsize, Ordering},
        task::{Context, Poll, Wake, Waker},
        thread,
    };

    use tokio::{runtime::Builder, task::JoinSet};

    use super::*;

    const NOW: Duration = Duration::from_secs(1);

    async fn in_another_task<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
        tokio::spawn(work).await.expect("no panic")
    }

    async fn let_in(at: Duration) {
        let _ = wait(move || at).await.measure(|| Ok::<(), ()>(()));
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
            assert!((0..AT_ONCE).all(|_| try_take(Order::InTurn, NOW)));
            for after in [Duration::ZERO, Duration::from_micros(1), Duration::from_micros(999)] {
                assert!(!others_may(NOW + after).await, "{after:?}");
            }
            assert!(!try_take(Order::InTurn, NOW), "it has had all that it has at once");
            let later = NOW + TOGETHER;
            assert!(
                (0..AT_ONCE).all(|_| try_take(Order::InTurn, later)),
                "nobody else was let in"
            );
            assert!(others_may(later + TOGETHER).await);
            assert!(!try_take(Order::InTurn, later + TOGETHER), "somebody else was here");
            assert!(others_may(NOW).await, "the clock was set back");
        })
        .await;
    }

    #[tokio::test]
    async fn who_keeps_the_thread_never_waits_and_keeps_others_waiting() {
        assert!((0..10).all(|_| try_take(Order::InTurn, NOW)), "outside of a task");
        assert!(!others_may(NOW).await);
        let at_once = async { (0..10).all(|_| try_take(Order::AtOnce, NOW + TOGETHER)) };
        assert!(in_another_task(at_once).await);
        assert!(!others_may(NOW + TOGETHER).await);
    }

    #[tokio::test]
    async fn nobody_goes_before_those_who_wait() {
        in_another_task(async {
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
            while !WORKER.with(Worker::nobody_waits) {
                task::yield_now().await;
            }
            assert!(others_may(still_later).await);
            let_in(still_later).await;
            assert!(try_take(Order::InTurn, still_later), "this task was let in last");
        })
        .await;
    }

    #[test]
    fn the_share_of_new_ones_is_one_of_time() {
        let (short, long) = (Duration::from_micros(20), Duration::from_micros(400));
        for (others, waiting, cost, expected) in [
            (0, 1, short, FEWEST),
            (100, 1, short, FEWEST),
            (1000, 1, short, 10),
            (1000, 1, long, FEWEST),
            (5000, 1, long, 2),
            (1_000_000, 1, short, 64),
            (1_000_000, 1, long, 3),
            (0, 160, short, 10),
            (0, 160, long, 3),
            (0, 100_000, short, 64),
            (0, usize::MAX, Duration::MAX, FEWEST),
            (1_000_000, 1, Duration::ZERO, 64),
        ] {
            let others = Duration::from_micros(others);
            assert_eq!(
                share(others, waiting, Some(cost)),
                expected,
                "{others:?} {waiting} {cost:?}"
            );
            assert_eq!(share(others, waiting, None), FEWEST, "nobody knows how long it takes");
        }
    }

    #[test]
    fn who_sends_what_is_refused_at_once_does_not_make_verifications_look_short() {
        let long = Duration::from_micros(400);
        let mut state = Row::new(Builder::new_current_thread().build().expect("a runtime").handle().id());
        let state = state.state.get_mut().expect("no panic");
        state.note(Duration::ZERO, false);
        assert_eq!(state.cost, None);
        state.note(long, false);
        assert_eq!(state.cost, Some(long));
        (0..10_000).for_each(|_| state.note(Duration::ZERO, false));
        assert_eq!(state.cost, Some(long));
        // One that the thread was interrupted in.
        state.note(long * 1000, false);
        (0..100).for_each(|_| state.note(long, true));
        assert!(state.cost.is_some_and(|cost| cost < long * 2));
    }

    #[tokio::test]
    async fn what_verifications_take_is_not_the_time_of_others() {
        let row = WORKER.with(|worker| worker.row_of(Handle::current().id()));
        let took = Duration::from_millis(50);
        let _ = wait(|| NOW).await.measure(|| {
            thread::sleep(took);
            Ok::<(), ()>(())
        });
        let State { cost, spent, .. } = *row.state();
        assert!(cost >= Some(took) && spent >= took, "{cost:?} {spent:?}");
        row.state().cost = Some(USUAL);
        let handle = Handle::current();
        let turns: Vec<_> = (0..10).map(|_| row.line_up(&handle)).collect();
        assert!(row.let_in(spent + Duration::from_micros(600)));
        let let_in = |turns: Vec<oneshot::Receiver<()>>| {
            let turns = turns.into_iter().filter_map(|mut turn| turn.try_recv().ok());
            turns.count()
        };
        assert_eq!(let_in(turns), 6);
        assert_eq!(row.state().spent, Duration::ZERO);
        // Those who are gone are not counted.
        let mut last = row.line_up(&handle);
        assert!(!row.let_in(Duration::ZERO), "{}", row.state().waiting.len());
        assert!(last.try_recv().is_ok());
    }

    #[tokio::test]
    async fn there_is_one_usher() {
        let waiting: JoinSet<()> = (0..100).map(|_| let_in(NOW)).collect();
        task::yield_now().await;
        assert_eq!(Handle::current().metrics().num_alive_tasks(), 100 + 1);
        waiting.join_all().await;
        task::yield_now().await;
        assert_eq!(Handle::current().metrics().num_alive_tasks(), 0);
    }

    #[test]
    fn a_row_on_a_runtime_that_nobody_drives_keeps_nobody_waiting_on_another() {
        let runtime = || Builder::new_current_thread().build().expect("a runtime");
        let (first, second) = (runtime(), runtime());
        let waiting: JoinSet<()> = first.block_on(async {
            let waiting = (0..10).map(|_| let_in(NOW)).collect();
            // Those who were spawned line up, and their usher has no more than begun.
            task::yield_now().await;
            waiting
        });
        assert!(!WORKER.with(Worker::nobody_waits));
        for _ in 0..3 {
            second.block_on(in_another_task(let_in(NOW)));
        }
        first.block_on(waiting.join_all());
    }

    #[test]
    fn a_runtime_that_is_shut_down_keeps_nobody_waiting() {
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        let handle = runtime.handle().clone();
        drop(runtime);
        let _entered = handle.enter();
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(pin!(let_in(NOW)).poll(&mut context), Poll::Ready(()));
    }

    /// Polls what it wakes at once, as some executors do.
    struct Inline(Mutex<Option<Pin<Box<dyn Future<Output = ()> + Send>>>>);

    impl Wake for Inline {
        fn wake(self: Arc<Self>) {
            let future = self.0.lock().expect("no panic").take();
            if let Some(mut future) = future {
                let polled = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                assert_eq!(polled, Poll::Ready(()));
            }
        }
    }

    #[tokio::test]
    async fn who_is_let_in_may_come_again_at_once() {
        let (done, mut is_done) = oneshot::channel();
        let mut future: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async {
            let_in(NOW).await;
            try_take(Order::InTurn, NOW);
            done.send(()).expect("somebody listens");
        });
        let inline = Arc::new(Inline(Mutex::new(None)));
        let waker = Waker::from(Arc::clone(&inline));
        assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        *inline.0.lock().expect("no panic") = Some(future);
        for _ in 0..3 {
            task::yield_now().await;
        }
        assert_eq!(is_done.try_recv(), Ok(()));
    }

    #[tokio::test]
    async fn those_who_give_up_or_are_not_polled_keep_nobody_waiting() {
        let mut abandoned: Vec<_> = (0..10).map(|_| Box::pin(let_in(NOW))).collect();
        for waiting in &mut abandoned {
            assert!(has_to_wait(waiting.as_mut()).await);
        }
        abandoned.truncate(5);
        in_another_task(let_in(NOW)).await;
        assert!(WORKER.with(Worker::nobody_waits), "so there is no usher");
        drop(abandoned);
        in_another_task(let_in(NOW)).await;
    }

    #[test]
    fn a_runtime_that_ends_takes_its_usher_with_it() {
        let runtime = || Builder::new_current_thread().build().expect("a runtime");
        for _ in 0..3 {
            let ended = runtime();
            ended.block_on(async {
                let mut tasks = JoinSet::new();
                (0..10).for_each(|_| drop(tasks.spawn(let_in(NOW))));
                task::yield_now().await;
                tasks.detach_all();
            });
            drop(ended);
            // Without a timer, which nothing here needs.
            runtime().block_on(in_another_task(let_in(NOW)));
        }
    }

    #[test]
    fn without_a_runtime_nobody_waits() {
        let mut waiting = pin!(let_in(NOW));
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(waiting.as_mut().poll(&mut context), Poll::Ready(()));
    }

    #[tokio::test]
    async fn however_many_are_ready_new_ones_are_let_in() {
        const READY: usize = 100;
        let served = Arc::new(AtomicUsize::new(0));
        let mut ready = JoinSet::new();
        for _ in 0..READY {
            let served = Arc::clone(&served);
            ready.spawn(async move {
                loop {
                    let begin = Instant::now();
                    while begin.elapsed() < USUAL {}
                    served.fetch_add(1, Ordering::Relaxed);
                    task::yield_now().await;
                }
            });
        }
        let waiting: JoinSet<()> = (0..100).map(|_| let_in(NOW)).collect();
        waiting.join_all().await;
        // A fifth of a round is time for twenty.
        let rounds = served.load(Ordering::Relaxed) / READY;
        assert!(rounds <= 15, "{rounds}");
        ready.shutdown().await;
    }

    #[tokio::test]
    async fn others_are_served_between_those_who_wait() {
        let verified_usually = || async {
            let _ = wait(|| NOW).await.measure(|| {
                let begin = Instant::now();
                while begin.elapsed() < USUAL {}
                Ok::<(), ()>(())
            });
        };
        let mut waiting: JoinSet<()> = (0..100).map(|_| verified_usually()).collect();
        let mut left = 100;
        while left > 0 {
            task::yield_now().await;
            while waiting.try_join_next().is_some() {}
            assert!(left - waiting.len() <= 64);
            left = waiting.len();
        }
    }
}
