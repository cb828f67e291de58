//! [`Job`]: a running verb.

use std::{
    fmt, mem,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use influx_backup_bindings::EventReader;
use influx_backup_core::{Error, Job as CoreJob, JobHandle, Progress};
use napi::{Env, Result, Status, Unknown};
use napi_derive::napi;
use tokio::time::timeout;

use crate::{callback::Calls, caller::Caller, convert::ToNode, error::throw, runtime};

/// How long a job waits for calls that it has given up. With the end of the job itself it is within a second.
const LONGEST_CLEAN_UP: Duration = Duration::from_millis(700);

/// A running verb. The class `Job` of the JavaScript side makes a promise of it.
#[napi]
pub struct Job {
    handle: JobHandle,
    calls: Arc<Calls>,
    reader: Arc<tokio::sync::Mutex<EventReader>>,
    is_waiting: Arc<AtomicBool>,
    outcome: Arc<Mutex<Outcome>>,
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("calls", &self.calls).finish_non_exhaustive()
    }
}

/// What became of a job.
enum Outcome {
    Running,
    Done(Box<dyn ToNode + Send>),
    Failed(Error),
    /// The caller has it.
    Taken,
}

/// How far a job is that was not started.
#[napi]
pub fn no_progress(env: &Env) -> Result<Unknown<'_>> {
    Progress::default().to_node(env)
}

/// Starts a request of the core on the runtime of all jobs.
macro_rules! start {
    ($request:expr, $caller:expr) => {
        $crate::job::Job::of($request.start_on($crate::runtime::handle()?), $caller)
    };
}
pub(crate) use start;

/// Starts a request that may send events of single objects.
macro_rules! start_with_object_events {
    ($request:expr, $caller:expr) => {{
        let request = $request;
        let caller = $caller;
        $crate::job::start!(if caller.object_events { request.with_object_events() } else { request }, caller)
    }};
}
pub(crate) use start_with_object_events;

impl Job {
    /// Keeps a job of the core. A task of its own waits for it and keeps its result; the end of the environment cancels it.
    /// Calls into code of the caller that it has given up get a moment to clean up.
    pub(crate) fn of<T: ToNode + Send + 'static>(job: CoreJob<T>, caller: &Caller) -> Result<Self> {
        let this = Self {
            handle: job.handle(),
            calls: Arc::clone(&caller.calls),
            reader: Arc::new(tokio::sync::Mutex::new(EventReader::new(job.events()))),
            is_waiting: Arc::default(),
            outcome: Arc::new(Mutex::new(Outcome::Running)),
        };
        let handle = this.handle.clone();
        let calls = Arc::clone(&this.calls);
        let outcome = Arc::clone(&this.outcome);
        let ongoing = caller.session.begin();
        runtime::handle()?.spawn(async move {
            let mut job = pin!(job);
            let result = tokio::select! {
                result = &mut job => {
                    // What takes longer goes on without the job.
                    let _ = timeout(LONGEST_CLEAN_UP, calls.idle()).await;
                    result
                }
                // Its JavaScript runs no more.
                () = ongoing.ending() => {
                    handle.cancel();
                    job.await
                }
            };
            *lock(&outcome) = match result {
                Ok(result) => Outcome::Done(Box::new(result)),
                Err(error) => Outcome::Failed(error),
            };
            calls.wake();
            drop(ongoing);
        });
        Ok(this)
    }

    /// Wakes the caller once there is an event to take, or none will come.
    fn wait_for_event(&self) -> Result<()> {
        if self.is_waiting.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        let reader = Arc::clone(&self.reader);
        let is_waiting = Arc::clone(&self.is_waiting);
        let calls = Arc::clone(&self.calls);
        runtime::handle()?.spawn(async move {
            reader.lock().await.wait().await;
            is_waiting.store(false, Ordering::Release);
            calls.wake();
        });
        Ok(())
    }
}

fn lock(outcome: &Mutex<Outcome>) -> MutexGuard<'_, Outcome> {
    outcome.lock().unwrap_or_else(PoisonError::into_inner)
}

#[napi]
impl Job {
    /// Asks the job to stop.
    #[napi]
    pub fn cancel(&self) {
        self.handle.cancel();
    }

    /// How far the job is now.
    #[napi(getter)]
    pub fn progress<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
        self.handle.progress().to_node(env)
    }

    /// What the job has found so far, in order.
    #[napi(getter)]
    pub fn findings<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
        self.handle.findings().to_node(env)
    }

    /// Whether the job has ended, in whatever way.
    #[napi(getter)]
    pub fn is_finished(&self) -> bool {
        !matches!(*lock(&self.outcome), Outcome::Running)
    }

    /// Whether the last event was taken.
    #[napi(getter)]
    pub fn events_ended(&self) -> bool {
        self.reader.try_lock().is_ok_and(|reader| reader.has_ended())
    }

    /// The next event. Where there is none now it is `null`, and the caller is woken for the next one.
    #[napi]
    pub fn take_event<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
        // Where it is locked, something waits for an event: there is none.
        let event = self.reader.try_lock().ok().and_then(|mut reader| reader.take());
        if event.is_none() && !self.events_ended() {
            self.wait_for_event()?;
        }
        event.to_node(env)
    }

    /// Takes the result of a job that has ended, once; throws what it failed with.
    #[napi]
    pub fn result<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
        let mut outcome = lock(&self.outcome);
        if matches!(*outcome, Outcome::Running) {
            return Err(napi::Error::new(Status::GenericFailure, "the job has not ended: wait for it"));
        }
        match mem::replace(&mut *outcome, Outcome::Taken) {
            Outcome::Failed(error) => Err(throw(env, &error, self.handle.report(&error))),
            Outcome::Done(result) => result.into_node(env),
            Outcome::Running | Outcome::Taken => {
                Err(napi::Error::new(Status::GenericFailure, "the result was taken before"))
            }
        }
    }
}
