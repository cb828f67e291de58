//! The end of a job: its last progress, how it ended, and the end of its events.

use super::context::EventSink;
use crate::{
    cancellation::Cancellation,
    error::{Error, ErrorReport, Result},
};

/// Ends a job when it is dropped: behind its run, and also where its runtime stops.
#[derive(Debug)]
pub(super) struct Ending {
    events: EventSink,
    /// Cancelled once the job has ended.
    ended: Cancellation,
    error: Option<Box<ErrorReport>>,
}

impl Ending {
    /// The end of a job of which no result is known.
    pub(super) fn new(events: EventSink, ended: Cancellation) -> Self {
        let source = "its runtime was shut down".into();
        let error = Error::Internal { task: "job", source };
        Self { events, ended, error: Some(Box::new(error.report())) }
    }

    /// The run came to its end, with this result.
    pub(super) fn record<T>(&mut self, result: &Result<T>) {
        self.error = result.as_ref().err().map(|error| Box::new(error.report()));
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.events.end(self.error.take());
        self.ended.cancel();
    }
}
