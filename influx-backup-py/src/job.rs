//! [`Job`]: a running verb.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use influx_backup_core::{Error, Events, Job as CoreJob, JobHandle};
use pyo3::{exceptions::PyRuntimeError, prelude::*, types::PyTuple};
use pyo3_async_runtimes::tokio::future_into_py;
use tokio::{
    sync::watch,
    time::{Duration, timeout},
};

use crate::{
    convert::ToPython,
    error::exception,
    runtime::{block_on, handle},
};

/// A running verb. The class `influx_backup.Job` has the ways of Python to wait for it.
#[pyclass(frozen, module = "influx_backup._native")]
pub(crate) struct Job {
    handle: JobHandle,
    events: Arc<tokio::sync::Mutex<Events>>,
    outcome: Arc<Mutex<Outcome>>,
    has_ended: watch::Receiver<bool>,
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

/// Starts a request of the core on the runtime of all jobs; with `object_events`, one that may send events of single objects.
macro_rules! start {
    ($request:expr) => {
        $crate::job::Job::of($request.start_on(&$crate::runtime::handle()?))
    };
    ($request:expr, $object_events:expr) => {{
        let request = $request;
        start!(if $object_events { request.with_object_events() } else { request })
    }};
}
pub(crate) use start;

impl Job {
    /// Keeps a job of the core. A task of its own waits for it, so that it does not end when the object in Python does.
    pub(crate) fn of<T: ToPython + Send + 'static>(job: CoreJob<T>) -> PyResult<Self> {
        let (ends, has_ended) = watch::channel(false);
        let this = Self {
            handle: job.handle(),
            events: Arc::new(tokio::sync::Mutex::new(job.events())),
            outcome: Arc::new(Mutex::new(Outcome::Running)),
            has_ended,
        };
        let outcome = Arc::clone(&this.outcome);
        handle()?.spawn(async move {
            let ended = match job.await {
                Ok(result) => Outcome::Done(Box::new(result)),
                Err(error) => Outcome::Failed(error),
            };
            *lock(&outcome) = ended;
            ends.send_replace(true);
        });
        Ok(this)
    }
}

fn lock(outcome: &Mutex<Outcome>) -> MutexGuard<'_, Outcome> {
    outcome.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until a job has ended. Its task never ends without saying so.
async fn ended(mut has_ended: watch::Receiver<bool>) {
    let _ = has_ended.wait_for(|ended| *ended).await;
}

#[pymethods]
impl Job {
    /// Asks the job to stop.
    fn cancel(&self) {
        self.handle.cancel();
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

    /// Waits this many seconds at most, and says whether the job has ended.
    fn wait(&self, py: Python<'_>, seconds: f64) -> PyResult<bool> {
        let ended = ended(self.has_ended.clone());
        block_on(py, async move { timeout(Duration::from_secs_f64(seconds), ended).await.is_ok() })
    }

    /// The events that are there, after waiting this many seconds at most for the first: `None` after the last.
    fn next_events<'py>(&self, py: Python<'py>, seconds: f64) -> PyResult<Option<Bound<'py, PyTuple>>> {
        let events = Arc::clone(&self.events);
        let first = block_on(py, async move {
            timeout(Duration::from_secs_f64(seconds), async { events.lock().await.next().await }).await
        })?;
        match first {
            Ok(None) => Ok(None),
            Ok(Some(event)) => PyTuple::new(py, [event.to_python(py)?]).map(Some),
            Err(_) => Ok(Some(PyTuple::empty(py))),
        }
    }

    /// The next event, `None` after the last. To be awaited.
    fn next_event_async<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let events = Arc::clone(&self.events);
        future_into_py(py, async move {
            let event = events.lock().await.next().await;
            Python::attach(|py| event.to_python(py).map(Bound::unbind))
        })
    }

    /// Waits until the job has ended. To be awaited.
    fn wait_async<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let ended = ended(self.has_ended.clone());
        future_into_py(py, async move {
            ended.await;
            Ok(())
        })
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
