//! [`Request`]: how a verb that was asked for becomes a job.

use std::fmt;

use futures::{FutureExt, future::BoxFuture};
use tracing::Span;

use super::RunContext;
use crate::error::Result;

/// Which events a job sends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum ObjectEvents {
    /// Those of single objects are only counted, in [`Progress`](crate::event::Progress).
    #[default]
    Counted,
    /// All of them.
    Sent,
}

/// Gives a request its ways to run: started, started on a given runtime, or awaited.
///
/// The request has a field `object_events: ObjectEvents`, a method `async fn run(self, context: RunContext)`, and a method
/// `fn span(&self) -> Span`, within which its job runs.
macro_rules! request {
    ($request:ty => $report:ty $(where $generic:ident)?) => {
        impl$(<$generic: Send + 'static>)? $request {
            /// Sends an event for each object that vanished, changed, was retried or deleted. Otherwise they are only
            /// counted, see [`Progress`](crate::event::Progress).
            pub fn with_object_events(mut self) -> Self {
                self.object_events = crate::job::ObjectEvents::Sent;
                self
            }

            /// Starts it on the current tokio runtime.
            ///
            /// # Panics
            /// Outside a tokio runtime; see [`start_on`](Self::start_on).
            #[track_caller]
            pub fn start(self) -> crate::job::Job<$report> {
                self.start_on(&tokio::runtime::Handle::current())
            }

            /// Starts it on this tokio runtime, from anywhere.
            pub fn start_on(self, runtime: &tokio::runtime::Handle) -> crate::job::Job<$report> {
                let object_events = self.object_events;
                let span = self.span();
                crate::job::spawn_on(runtime, object_events, span, |context| self.run(context))
            }
        }

        /// Starts it on the current tokio runtime and waits for it. Dropping the future cancels the job.
        impl$(<$generic: Send + 'static>)? IntoFuture for $request {
            type Output = crate::error::Result<$report>;
            type IntoFuture = crate::job::Job<$report>;

            fn into_future(self) -> Self::IntoFuture {
                self.start()
            }
        }
    };
}
pub(crate) use request;

/// The span of a job: its verb, and what it is about, by name or as a location.
pub(crate) fn span(verb: &'static str, of: impl fmt::Display) -> Span {
    tracing::info_span!("job", verb, %of)
}

/// A verb about to run: awaited, or started as a [`Job`](super::Job).
#[must_use = "nothing is done until it is started or awaited"]
pub struct Request<T> {
    verb: &'static str,
    of: String,
    run: Box<dyn FnOnce(RunContext) -> BoxFuture<'static, Result<T>> + Send + Sync>,
    object_events: ObjectEvents,
}

impl<T> Request<T> {
    /// A verb, what it is about, and what runs when it is started.
    pub(crate) fn new<Fut>(
        verb: &'static str,
        of: String,
        run: impl FnOnce(RunContext) -> Fut + Send + Sync + 'static,
    ) -> Self
    where
        Fut: Future<Output = Result<T>> + Send + 'static,
    {
        let run = Box::new(|context| run(context).boxed());
        Self { verb, of, run, object_events: ObjectEvents::default() }
    }

    fn span(&self) -> Span {
        span(self.verb, &self.of)
    }

    async fn run(self, context: RunContext) -> Result<T> {
        (self.run)(context).await
    }
}

impl<T> fmt::Debug for Request<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("verb", &self.verb)
            .field("of", &self.of)
            .field("object_events", &self.object_events)
            .finish_non_exhaustive()
    }
}

request!(Request<T> => T where T);
