//! What a run needs to talk to its job: where it sends events, and whether it is cancelled.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;

use super::{
    Findings, ObjectEvents,
    progress::Counts,
    queue::{Events, Queue},
    trace::trace,
};
use crate::{
    cancellation::Cancellation,
    error::{Error, ErrorReport, Result},
    event::{EventKind, Phase},
    facts::Meter,
    finding::Finding,
    lease::Lease,
    location::Location,
    passed::PassedOverNotes,
};

/// How long a run that is cancelled waits for the answer to a request that it has sent. Together with two last things that it
/// asks of the store, see [`release_timeout`](crate::lease::release_timeout), that takes less than a second.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(400);

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
        Self { events: EventSink::new(queue, Arc::default(), Findings::default(), ObjectEvents::Counted), cancellation }
    }

    /// Does work that may be dropped half-way, until the caller cancels.
    pub(crate) fn unless_cancelled<T>(&self, work: impl Future<Output = Result<T>>) -> impl Future<Output = Result<T>> {
        let done = self.cancellation.run_until_cancelled(work);
        async { done.await.unwrap_or_else(|| Err(self.cancelled())) }
    }

    /// Waits for the answer to a request that had better not be dropped: once the caller has cancelled, only for a moment.
    pub(crate) fn answered<T>(&self, request: impl Future<Output = Result<T>>) -> impl Future<Output = Result<T>> {
        let request = Box::pin(request);
        async {
            self.check()?;
            let cancelled = async {
                self.cancellation.cancelled().await;
                sleep(ANSWER_TIMEOUT).await;
            };
            tokio::select! {
                biased;
                done = request => done,
                () = cancelled => Err(self.cancelled()),
            }
        }
    }

    /// Waits until no request that was cut off, by this run or by an earlier one, can take effect any more: what is looked at
    /// then stays as it is. Usually none was, and there is no wait.
    pub(crate) async fn settled(&self, lease: &Lease) -> Result<()> {
        let wait = lease.unsettled();
        if wait.is_zero() {
            return Ok(());
        }
        tracing::info!(?wait, "waiting for requests that were cut off and may still take effect");
        let before = self.events.counts.progress().phase;
        self.events.set_phase(Phase::Waiting);
        self.events.emit_progress();
        let waited = async {
            sleep(wait).await;
            Ok(())
        };
        self.unless_cancelled(waited).await?;
        self.events.set_phase(before);
        Ok(())
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
    findings: Findings,
    passed_over: PassedOverNotes,
    object_events: ObjectEvents,
}

impl EventSink {
    pub(super) fn new(queue: Arc<Queue>, counts: Arc<Counts>, findings: Findings, object_events: ObjectEvents) -> Self {
        Self { queue, counts, findings, passed_over: PassedOverNotes::default(), object_events }
    }

    /// Counts an event, and sends it unless it is one of an object and none of those were asked for. A finding is kept too, for
    /// the report of the job or of its error.
    pub(crate) fn send(&self, kind: EventKind) {
        self.counts.record(&kind);
        if let EventKind::Finding(finding) = &kind {
            self.findings.add(finding.clone());
        }
        trace(&kind);
        if self.object_events == ObjectEvents::Sent || !kind.is_per_object() {
            self.queue.push(kind);
        }
    }

    /// Sends a finding.
    pub(crate) fn report(&self, finding: Finding) {
        self.send(EventKind::Finding(finding));
    }

    /// Sends a finding that this job has not reported yet.
    pub(crate) fn report_once(&self, finding: Finding) {
        if !self.findings.has(&finding) {
            self.report(finding);
        }
    }

    /// Reports what a place lacks, where that was not reported yet.
    pub(crate) fn report_lacks(&self, location: &Location) {
        location.lacks().into_iter().for_each(|finding| self.report_once(finding));
    }

    /// What was reported so far.
    pub(crate) fn findings(&self) -> &Findings {
        &self.findings
    }

    /// Reports what was passed over, one finding for each kind in each place.
    pub(crate) fn report_passed_over(&self) {
        self.passed_over.unreported().into_iter().for_each(|finding| self.report(finding));
    }

    /// What was found so far, what was passed over included: for a report.
    pub(crate) fn found(&self) -> Vec<Finding> {
        self.report_passed_over();
        self.findings.all()
    }

    /// The job has ended, with this error or without one. What is sent later is dropped.
    pub(super) fn end(&self, error: Option<Box<ErrorReport>>) {
        self.report_passed_over();
        let error = error.map(|error| Box::new(error.with_findings(self.findings.all())));
        self.counts.end();
        let finished = EventKind::Finished { error };
        trace(&finished);
        self.queue.end([EventKind::Progress(self.counts.progress()), finished]);
    }

    /// The same location, which takes note of what it passes over.
    pub(crate) fn noting(&self, location: &Location) -> Location {
        location.with_passing(self.passed_over.clone())
    }

    /// The same location, whose listings count as progress, and which takes note of what it passes over.
    pub(crate) fn counting(&self, location: &Location) -> Location {
        let events = self.clone();
        self.noting(location).with_on_listed(Arc::new(move |objects| {
            events.counts.add_listed(objects);
            events.maybe_emit_progress();
        }))
    }

    #[cfg(test)]
    pub(super) fn progress(&self) -> crate::event::Progress {
        self.counts.progress()
    }

    /// From now on the job does this, until an event of a pass or a stage says otherwise.
    pub(crate) fn set_phase(&self, phase: Phase) {
        self.counts.set_phase(phase);
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
            self.emit_progress();
        }
    }

    fn emit_progress(&self) {
        self.queue.push(EventKind::Progress(self.counts.progress()));
    }
}

impl Meter for EventSink {
    fn planned(&self, objects: u64, bytes: u64) {
        self.set_phase(Phase::Checking);
        Self::planned(self, objects, bytes);
    }

    fn finished(&self, bytes: u64) {
        self.add_bytes(bytes);
        self.add_object();
    }
}
