//! [`EventReader`]: the events of a job, for callers that give up waiting.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use influx_backup_core::{Event, Events};

/// The events of a job, and the one that was waited for and not taken yet: a wait that is dropped loses none.
#[derive(Debug)]
pub struct EventReader {
    events: Events,
    next: Option<Event>,
    has_ended: bool,
}

impl EventReader {
    /// Reads the events of a job.
    #[must_use]
    pub fn new(events: Events) -> Self {
        Self { events, next: None, has_ended: false }
    }

    /// Waits until there is an event to take, or none will come.
    pub async fn wait(&mut self) {
        if self.next.is_none() && !self.has_ended {
            self.next = self.events.next().await;
            self.has_ended = self.next.is_none();
        }
    }

    /// The next event, where it is there.
    pub fn take(&mut self) -> Option<Event> {
        let ready = pin!(self.wait()).poll(&mut Context::from_waker(Waker::noop()));
        if ready == Poll::Pending { None } else { self.next.take() }
    }

    /// Whether the last event was taken.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.has_ended
    }
}
