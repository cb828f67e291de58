//! [`Request`]: how a verb that was asked for becomes a job.

use std::fmt;

use futures::future::BoxFuture;
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

/// What is checked in a job before anything else.
pub(crate) type Check = Box<dyn FnOnce() -> BoxFuture<'static, Result<()>> + Send + Sync>;

/// What every request has: which events its job sends, and what is checked first.
#[derive(Default)]
pub(crate) struct Setup {
    pub(crate) object_events: ObjectEvents,
    pub(crate) check: Option<Check>,
}

impl Setup {
    pub(crate) async fn check(self, context: &RunContext) -> Result<()> {
        match self.check {
            Some(check) => context.unless_cancelled(check()).await,
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.object_events.fmt(f)
    }
}

/// A request whose job may have to check something first.
pub(crate) trait AfterCheck {
    /// The same request, whose job fails where this check does.
    fn after_check(self, check: Check) -> Self;
}

/// Gives a request its ways to run: started, started on a given runtime, or awaited.
///
/// The request has a field `setup: Setup`, a method `async fn run(self, context: RunContext)`, and a method
/// `fn span(&self) -> Span`, within which its job runs.
macro_rules! request {
    ($request:ty => $report:ty $(where $generic:ident)?) => {
        impl$(<$generic: Send + 'static>)? $request {
            /// Sends an event for each object that vanished, changed, was retried or deleted. Otherwise they are only
            /// counted, see [`Progress`](crate::event::Progress).
            pub fn with_object_events(mut self) -> Self {
                self.setup.object_events = crate::job::ObjectEvents::Sent;
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
            pub fn start_on(mut self, runtime: &tokio::runtime::Handle) -> crate::job::Job<$report> {
                let setup = std::mem::take(&mut self.setup);
                let span = self.span();
                crate::job::spawn_on(runtime, setup.object_events, span, |context| async move {
                    setup.check(&context).await?;
                    self.run(context).await
                })
            }
        }

        impl$(<$generic: Send + 'static>)? crate::job::AfterCheck for $request {
            fn after_check(mut self, check: crate::job::Check) -> Self {
                self.setup.check = Some(check);
                self
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

/// The most bytes that the future of a job has.
const LARGEST_JOB: usize = 16 << 10;

/// The future of a job on the heap, before it is wrapped: what wraps it moves it, and a debug build has room on its stack for
/// every move. The tests are not built with a larger one than [`LARGEST_JOB`].
pub(super) fn boxed<T, Fut>(run: Fut) -> BoxFuture<'static, Result<T>>
where
    Fut: Future<Output = Result<T>> + Send + 'static,
{
    const { assert!(!cfg!(test) || size_of::<Fut>() <= LARGEST_JOB, "box the largest future that this job waits for") };
    Box::pin(run)
}

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
    setup: Setup,
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
        let run = Box::new(|context| boxed(run(context)));
        Self { verb, of, run, setup: Setup::default() }
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
            .field("setup", &self.setup)
            .finish_non_exhaustive()
    }
}

request!(Request<T> => T where T);
