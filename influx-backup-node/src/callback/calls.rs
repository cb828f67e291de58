//! [`Calls`]: the calls of one verb into code of its caller.

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use napi::{
    Status,
    threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode},
};
use tokio::sync::watch;

use super::Call;

/// A function without arguments that is called in the thread of its environment, and does not keep the process alive.
type Wake = ThreadsafeFunction<(), (), (), Status, false, true>;

/// The calls of one verb, and the function that wakes its caller.
pub(crate) struct Calls {
    wake: Wake,
    is_woken: AtomicBool,
    queue: Mutex<Queue>,
    open: watch::Sender<usize>,
}

/// Calls that the caller has not taken yet.
#[derive(Debug, Default)]
struct Queue {
    last: u32,
    begun: VecDeque<Call>,
    abandoned: VecDeque<u32>,
}

impl fmt::Debug for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calls").field("queue", &self.queue).finish_non_exhaustive()
    }
}

impl Calls {
    pub(crate) fn new(wake: Wake) -> Self {
        Self { wake, is_woken: AtomicBool::new(false), queue: Mutex::default(), open: watch::Sender::new(0) }
    }

    /// Has the caller look what there is.
    pub(crate) fn wake(&self) {
        if !self.is_woken.swap(true, Ordering::AcqRel) {
            // Where it fails the environment has ended, and nothing waits any more.
            self.wake.call((), ThreadsafeFunctionCallMode::NonBlocking);
        }
    }

    /// Notes that the caller looks now.
    pub(crate) fn awake(&self) {
        self.is_woken.store(false, Ordering::Release);
    }

    pub(crate) fn take(&self) -> Option<Call> {
        self.queue().begun.pop_front()
    }

    pub(crate) fn take_abandoned(&self) -> Option<u32> {
        self.queue().abandoned.pop_front()
    }

    /// Has the caller make a call, which `make` makes of its number.
    pub(super) fn begin(&self, make: impl FnOnce(u32) -> Call) -> u32 {
        let mut queue = self.queue();
        queue.last += 1;
        let id = queue.last;
        queue.begun.push_back(make(id));
        drop(queue);
        self.wake();
        id
    }

    /// Tells the caller that a call is to end. One that it has not taken yet is not made.
    pub(super) fn abandon(&self, id: u32) {
        let mut queue = self.queue();
        let before = queue.begun.len();
        queue.begun.retain(|call| call.id() != id);
        if queue.begun.len() == before {
            queue.abandoned.push_back(id);
            drop(queue);
            self.wake();
        }
    }

    /// Counts a call as long as it goes on.
    pub(super) fn open(&self) -> Open {
        self.open.send_modify(|open| *open += 1);
        Open(self.open.clone())
    }

    /// Waits until no call goes on.
    pub(crate) async fn idle(&self) {
        // The sender is this one.
        let _ = self.open.subscribe().wait_for(|open| *open == 0).await;
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that goes on.
#[derive(Debug)]
pub(super) struct Open(watch::Sender<usize>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.send_modify(|open| *open -= 1);
    }
}
