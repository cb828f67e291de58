//! How a request becomes a job.

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
/// The request has a field `object_events: ObjectEvents` and a method `async fn run(self, context: RunContext)`. Its job runs
/// within a span that names the verb and what it is about: a name or a location.
macro_rules! request {
    ($request:ty => $report:ty, $verb:literal, |$this:ident| $subject:expr) => {
        impl $request {
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
                let $this = &self;
                let span = tracing::info_span!("job", verb = $verb, of = %$subject);
                crate::job::spawn_on(runtime, object_events, span, |context| self.run(context))
            }
        }

        /// Starts it on the current tokio runtime and waits for it. Dropping the future cancels the job.
        impl IntoFuture for $request {
            type Output = crate::error::Result<$report>;
            type IntoFuture = crate::job::Job<$report>;

            fn into_future(self) -> Self::IntoFuture {
                self.start()
            }
        }
    };
}
pub(crate) use request;
