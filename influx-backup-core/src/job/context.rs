//! What a run needs to talk to its job: where it sends events, and whether it is cancelled.

use std::sync::Arc;

use super::{
    ObjectEvents,
    progress::Counts,
    queue::{Events, Queue},
    trace::trace,
};
use crate::{
    cancellation::Cancellation,
    error::{Error, Result},
    event::EventKind,
    facts::Meter,
    location::Location,
};

/// The run's side of a job.
#[derive(Debug, Clone)]
pub(crate) struct RunContext {
    pub(crate) events: EventSink,
    pub(crate) cancellation: Cancellation,
}

impl RunContext {
    /// A run that belongs to no job: its events are dropped.
    pub(crate) fn without_job(cancellation: Cancellation) -> Self {
        let queue = Arc::new(Queue::default());
        // A queue whose reader is gone keeps nothing.
        drop(Events::take(&queue));
        Self { events: EventSink::new(queue, Arc::default(), ObjectEvents::Counted), cancellation }
    }

    /// Does work that may be dropped half-way, until the caller cancels.
    pub(crate) async fn unless_cancelled<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        self.cancellation.run_until_cancelled(work).await.unwrap_or_else(|| Err(self.cancelled()))
    }

    /// Fails where the caller has cancelled.
    pub(crate) fn check(&self) -> Result<()> {
        if self.cancellation.is_cancelled() { Err(self.cancelled()) } else { Ok(()) }
    }

    /// The error of a cancelled run, with how far it was.
    pub(crate) fn cancelled(&self) -> Error {
        let progress = self.events.counts.progress();
        Error::Cancelled { done: progress.objects, total: progress.total_objects }
    }
}

/// Where a run sends its events and counts its progress.
#[derive(Debug, Clone)]
pub(crate) struct EventSink {
    queue: Arc<Queue>,
    counts: Arc<Counts>,
    object_events: ObjectEvents,
}

impl EventSink {
    pub(super) fn new(queue: Arc<Queue>, counts: Arc<Counts>, object_events: ObjectEvents) -> Self {
        Self { queue, counts, object_events }
    }

    /// Counts an event, and sends it unless it is one of an object and none of those were asked for.
    pub(crate) fn send(&self, kind: EventKind) {
        self.counts.record(&kind);
        trace(&kind);
        if self.object_events == ObjectEvents::Sent || !kind.is_per_object() {
            self.queue.push(kind);
        }
    }

    /// The same location, whose listings count as progress.
    pub(crate) fn counting(&self, location: &Location) -> Location {
        let events = self.clone();
        location.with_on_listed(Arc::new(move |objects| {
            events.counts.add_listed(objects);
            events.maybe_emit_progress();
        }))
    }

    /// More work is planned.
    pub(crate) fn planned(&self, objects: u64, bytes: u64) {
        self.counts.add_planned(objects, bytes);
    }

    /// Bytes were copied or read.
    pub(crate) fn add_bytes(&self, bytes: u64) {
        self.counts.add_bytes(bytes);
        self.maybe_emit_progress();
    }

    /// An object is finished.
    pub(crate) fn add_object(&self) {
        self.counts.add_object();
        self.maybe_emit_progress();
    }

    fn maybe_emit_progress(&self) {
        if self.counts.is_emission_due() {
            self.queue.push(EventKind::Progress(self.counts.progress()));
        }
    }
}

impl Meter for EventSink {
    fn planned(&self, objects: u64, bytes: u64) {
        Self::planned(self, objects, bytes);
    }

    fn finished(&self, bytes: u64) {
        self.add_bytes(bytes);
        self.add_object();
    }
}
