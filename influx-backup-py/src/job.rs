//! [`Job`]: a running verb.

use std::{
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use influx_backup_bindings::EventReader;
use influx_backup_core::{Error, Job as CoreJob, JobHandle};
use pyo3::{exceptions::PyRuntimeError, prelude::*};
use tokio::{
    sync::watch,
    time::{Duration, timeout},
};

use crate::{
    callback::Caller,
    convert::ToPython,
    error::exception,
    event_loop::awaitable,
    log,
    runtime::{WorkGuard, block_on, ending, handle, is_own_process},
};

/// How long a job waits for calls that it has given up. With the end of the job itself it is within a second.
const LONGEST_CLEAN_UP: Duration = Duration::from_millis(700);

/// A running verb. The class `influx_backup.Job` has the ways of Python to wait for it. Dropping it cancels the verb, unless
/// it was detached.
#[pyclass(frozen, module = "influx_backup._native")]
pub(crate) struct Job {
    handle: JobHandle,
    reader: Arc<tokio::sync::Mutex<EventReader>>,
    outcome: Arc<Mutex<Outcome>>,
    has_ended: watch::Receiver<bool>,
    is_detached: AtomicBool,
}

/// What became of a job.
enum Outcome {
    Running,
    /// As the core returned it.
    Done(Box<dyn ToPython + Send>),
    Failed(Error),
    /// As Python has it.
    Shown(Py<PyAny>),
}

/// Starts a request of the core on the runtime of all jobs; with `object_events`, one that may send events of single objects;
/// with a `Caller`, one that may call code of the caller.
macro_rules! start {
    ($request:expr) => {
        $crate::job::Job::of($request.start_on(&$crate::runtime::handle()?), None)
    };
    ($request:expr, $object_events:expr $(, $caller:expr)?) => {{
        let request = $request;
        let request = if $object_events { request.with_object_events() } else { request };
        let caller = None$(.or(Some($caller)))?;
        $crate::job::Job::of(request.start_on(&$crate::runtime::handle()?), caller)
    }};
}
pub(crate) use start;

impl Job {
    /// Keeps a job of the core. A task of its own waits for it and keeps its result; the end of the interpreter cancels it.
    /// Calls into code of the caller that it has given up get a moment to clean up.
    pub(crate) fn of<T: ToPython + Send + 'static>(job: CoreJob<T>, caller: Option<Caller>) -> PyResult<Self> {
        let (ends, has_ended) = watch::channel(false);
        let this = Self {
            handle: job.handle(),
            reader: Arc::new(tokio::sync::Mutex::new(EventReader::new(job.events()))),
            outcome: Arc::new(Mutex::new(Outcome::Running)),
            has_ended,
            is_detached: AtomicBool::new(false),
        };
        let outcome = Arc::clone(&this.outcome);
        let handle_of_job = this.handle.clone();
        let running = WorkGuard::job();
        handle()?.spawn(async move {
            let mut job = pin!(job);
            let result = tokio::select! {
                result = &mut job => result,
                () = ending() => {
                    handle_of_job.cancel();
                    job.await
                }
            };
            if let Some(caller) = caller {
                // What takes longer goes on without the job.
                let _ = timeout(LONGEST_CLEAN_UP, caller.idle()).await;
            }
            log::flush().await;
            *lock(&outcome) = match result {
                Ok(result) => Outcome::Done(Box::new(result)),
                Err(error) => Outcome::Failed(error),
            };
            ends.send_replace(true);
            drop(running);
        });
        Ok(this)
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if !self.is_detached.load(Ordering::Relaxed) && is_own_process() {
            self.handle.cancel();
        }
    }
}

fn lock(outcome: &Mutex<Outcome>) -> MutexGuard<'_, Outcome> {
    outcome.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until a job has ended. Its task always tells.
async fn ended(mut has_ended: watch::Receiver<bool>) {
    let _ = has_ended.wait_for(|ended| *ended).await;
}

#[pymethods]
impl Job {
    /// Asks the job to stop.
    fn cancel(&self) {
        self.handle.cancel();
    }

    /// Lets the job go on when nothing refers to it any more.
    fn detach(&self) {
        self.is_detached.store(true, Ordering::Relaxed);
    }

    /// How far the job is now.
    #[getter]
    fn progress<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.handle.progress().to_python(py)
    }

    /// What the job has found so far, in order.
    #[getter]
    fn findings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.handle.findings().to_python(py)
    }

    /// Whether the job has ended, in whatever way.
    #[getter]
    fn is_finished(&self) -> bool {
        *self.has_ended.borrow()
    }

    /// Whether the last event was taken.
    #[getter]
    fn events_ended(&self) -> bool {
        self.reader.try_lock().is_ok_and(|reader| reader.has_ended())
    }

    /// Waits this many seconds at most, and returns whether the job has ended.
    fn wait(&self, py: Python<'_>, seconds: f64) -> PyResult<bool> {
        let ended = ended(self.has_ended.clone());
        block_on(py, async move { timeout(Duration::from_secs_f64(seconds), ended).await.is_ok() })
    }

    /// Waits until the job has ended. To be awaited.
    fn wait_async<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        awaitable(py, ended(self.has_ended.clone()))
    }

    /// Waits this many seconds at most, and returns whether there is an event to take or the last was taken.
    fn wait_event(&self, py: Python<'_>, seconds: f64) -> PyResult<bool> {
        let reader = Arc::clone(&self.reader);
        block_on(py, async move {
            timeout(Duration::from_secs_f64(seconds), async { reader.lock().await.wait().await }).await.is_ok()
        })
    }

    /// Waits until there is an event to take, or the last was taken. To be awaited.
    fn wait_event_async<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let reader = Arc::clone(&self.reader);
        awaitable(py, async move { reader.lock().await.wait().await })
    }

    /// The next event, or `None` where there is none now.
    fn take_event<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        // Where it is locked, something waits for an event: there is none.
        let event = self.reader.try_lock().ok().and_then(|mut reader| reader.take());
        event.to_python(py)
    }

    /// The result of a job that has ended, or its exception. Raises `RuntimeError` for one that has not.
    fn result(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let mut outcome = lock(&self.outcome);
        match &*outcome {
            Outcome::Running => Err(PyRuntimeError::new_err("the job has not ended: wait for it")),
            Outcome::Failed(error) => Err(exception(py, error, &self.handle.report(error))),
            Outcome::Shown(result) => Ok(result.clone_ref(py)),
            Outcome::Done(result) => {
                let result = result.to_python(py)?.unbind();
                *outcome = Outcome::Shown(result.clone_ref(py));
                Ok(result)
            }
        }
    }
}

/// Adds the class.
pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Job>()
}
