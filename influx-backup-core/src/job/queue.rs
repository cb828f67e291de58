//! The queue between a run and the reader of its events, of bounded length.
//!
//! Events wait in three lanes, so that a flood in one does not push out the others: milestones, events of single objects, and
//! the newest progress. A full lane drops its oldest event. Reading merges the lanes again in the order in which events were
//! sent, and numbers them.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use chrono::{DateTime, Utc};
use futures::{Stream, StreamExt};

use crate::event::{Event, EventKind};

/// How many events of a kind wait at most.
pub(super) const LANE_CAPACITY: usize = 1024;

#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    milestones: VecDeque<Waiting>,
    of_objects: VecDeque<Waiting>,
    progress: Option<Waiting>,
    /// How many events were sent.
    sent: u64,
    /// The number of the event that was read last.
    last_seq: u64,
    /// How many events were dropped since the last one was read.
    missed: u64,
    reader: Reader,
    has_ended: bool,
    waker: Option<Waker>,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Reader {
    #[default]
    Awaited,
    Taken,
    Gone,
}

#[derive(Debug)]
struct Waiting {
    order: u64,
    at: DateTime<Utc>,
    kind: EventKind,
}

impl Queue {
    pub(super) fn push(&self, kind: EventKind) {
        let mut state = self.lock();
        if state.reader == Reader::Gone || state.has_ended {
            return;
        }
        state.push(kind);
        wake(state);
    }

    /// Ends the events with these. What is pushed later is dropped.
    pub(super) fn end(&self, last: [EventKind; 2]) {
        let mut state = self.lock();
        if state.reader != Reader::Gone {
            last.into_iter().for_each(|kind| state.push(kind));
        }
        state.has_ended = true;
        wake(state);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        let state = self.lock();
        state.milestones.len() + state.of_objects.len() + usize::from(state.progress.is_some())
    }
}

/// Wakes the reader after the lock is released.
fn wake(mut state: MutexGuard<'_, State>) {
    let waker = state.waker.take();
    drop(state);
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl State {
    fn push(&mut self, kind: EventKind) {
        self.sent += 1;
        let is_progress = matches!(kind, EventKind::Progress(_));
        let is_per_object = kind.is_per_object();
        let waiting = Waiting { order: self.sent, at: Utc::now(), kind };
        if is_progress {
            self.progress = Some(waiting);
            return;
        }
        let lane = if is_per_object { &mut self.of_objects } else { &mut self.milestones };
        if lane.len() == LANE_CAPACITY {
            lane.pop_front();
            self.missed += 1;
        }
        lane.push_back(waiting);
    }

    fn pop(&mut self) -> Option<Event> {
        let seq = self.last_seq + 1;
        if self.missed > 0 {
            let missed = std::mem::take(&mut self.missed);
            self.last_seq += missed;
            return Some(Event { seq, at: Utc::now(), kind: EventKind::Lagged { missed } });
        }
        let Waiting { at, kind, .. } = self.pop_oldest()?;
        self.last_seq = seq;
        Some(Event { seq, at, kind })
    }

    fn pop_oldest(&mut self) -> Option<Waiting> {
        let order = |waiting: Option<&Waiting>| waiting.map_or(u64::MAX, |waiting| waiting.order);
        let milestone = order(self.milestones.front());
        let of_object = order(self.of_objects.front());
        let progress = order(self.progress.as_ref());
        if progress < milestone.min(of_object) {
            self.progress.take()
        } else if of_object < milestone {
            self.of_objects.pop_front()
        } else {
            self.milestones.pop_front()
        }
    }
}

/// The events of a job, as a [`Stream`] that ends with the job. Reading may fall behind: see [`EventKind::Lagged`].
#[derive(Debug)]
pub struct Events {
    /// `None`: another stream has them.
    queue: Option<Arc<Queue>>,
}

impl Events {
    /// The first call for a queue gets its events.
    pub(super) fn take(queue: &Arc<Queue>) -> Self {
        let mut state = queue.lock();
        let is_first = state.reader == Reader::Awaited;
        if is_first {
            state.reader = Reader::Taken;
        }
        drop(state);
        Self { queue: is_first.then(|| Arc::clone(queue)) }
    }

    /// The next event, or `None` when the job has ended.
    pub async fn next(&mut self) -> Option<Event> {
        StreamExt::next(self).await
    }
}

impl Stream for Events {
    type Item = Event;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Event>> {
        let Some(queue) = &self.queue else { return Poll::Ready(None) };
        let mut state = queue.lock();
        match state.pop() {
            Some(event) => Poll::Ready(Some(event)),
            None if state.has_ended => Poll::Ready(None),
            None => {
                state.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        if let Some(queue) = &self.queue {
            *queue.lock() = State { reader: Reader::Gone, ..State::default() };
        }
    }
}
