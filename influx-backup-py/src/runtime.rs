//! The runtime of all jobs, the process and interpreter it lives in, and its end.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{LazyLock, OnceLock},
    thread,
    time::{Duration, Instant},
};

use influx_backup_core::Error;
use pyo3::{
    exceptions::{PyImportError, PyRuntimeError},
    prelude::*,
};
use tokio::{
    runtime::{Handle, Runtime},
    sync::watch,
    time::timeout,
};

use crate::{error::raise, log};

/// How long the end of the interpreter waits for calls into Python that go on after their job has ended.
const LONGEST_CALL: Duration = Duration::from_secs(1);

/// How often a wait looks for Ctrl-C.
const STEP: Duration = Duration::from_millis(100);

/// The process that imported the module.
static PROCESS: OnceLock<u32> = OnceLock::new();

static RUNTIME: LazyLock<io::Result<Runtime>> = LazyLock::new(Runtime::new);

static WORK: LazyLock<watch::Sender<Work>> = LazyLock::new(|| watch::Sender::new(Work::default()));

/// What is under way that needs the interpreter.
#[derive(Debug, Default)]
pub(crate) struct Work {
    jobs: usize,
    calls: usize,
    is_ending: bool,
}

/// Counts a piece of work as long as it goes on.
#[derive(Debug)]
pub(crate) struct WorkGuard(fn(&mut Work) -> &mut usize);

impl WorkGuard {
    /// A job.
    pub(crate) fn job() -> Self {
        Self::begin(|work| &mut work.jobs)
    }

    /// A call into Python by a thread of the runtime.
    pub(crate) fn call() -> Self {
        Self::begin(|work| &mut work.calls)
    }

    fn begin(count: fn(&mut Work) -> &mut usize) -> Self {
        WORK.send_modify(|work| *count(work) += 1);
        Self(count)
    }
}

impl Drop for WorkGuard {
    fn drop(&mut self) {
        WORK.send_modify(|work| *self.0(work) -= 1);
    }
}

/// Waits until the interpreter is about to end.
pub(crate) async fn ending() {
    // The sender lives as long as the process.
    let _ = WORK.subscribe().wait_for(|work| work.is_ending).await;
}

/// Whether this is the process that imported the module. A fork of it has the memory, but none of the threads.
pub(crate) fn is_own_process() -> bool {
    PROCESS.get() == Some(&std::process::id())
}

/// The runtime of all jobs.
///
/// # Errors
/// `RuntimeError` in a process that was forked after the import.
pub(crate) fn runtime() -> PyResult<&'static Handle> {
    if !is_own_process() {
        return Err(PyRuntimeError::new_err(
            "influx_backup was imported before this process was forked, and its threads are not here: start processes \
             with the method `spawn` or `forkserver`, or import influx_backup in the child alone",
        ));
    }
    match &*RUNTIME {
        Ok(runtime) => Ok(runtime.handle()),
        Err(error) => Err(PyRuntimeError::new_err(format!("the threads of influx_backup cannot be started: {error}"))),
    }
}

/// The runtime, to start a job on.
///
/// # Errors
/// `RuntimeError` in a process that was forked after the import, and while the interpreter ends.
pub(crate) fn handle() -> PyResult<Handle> {
    let runtime = runtime()?;
    if WORK.borrow().is_ending {
        return Err(PyRuntimeError::new_err("the interpreter is ending: no job is started any more"));
    }
    log::install();
    Ok(runtime.clone())
}

/// Waits for something that may fail without holding the interpreter. A panic is an `InternalError`, as in a job.
pub(crate) fn result_of<T: Send>(
    py: Python<'_>,
    work: impl Future<Output = influx_backup_core::Result<T>> + Send,
) -> PyResult<T> {
    let runtime = runtime()?;
    let result = py.detach(|| catch_unwind(AssertUnwindSafe(|| runtime.block_on(work))));
    result.unwrap_or_else(|panic| Err(Error::panicked("call", panic.as_ref()))).map_err(raise)
}

/// Waits for something without holding the interpreter.
pub(crate) fn block_on<F>(py: Python<'_>, future: F) -> PyResult<F::Output>
where
    F: Future<Output: Send> + Send,
{
    let runtime = runtime()?;
    Ok(py.detach(|| runtime.block_on(future)))
}

/// Cancels all jobs and waits for them, and then a moment for calls into Python. Ctrl-C ends the wait.
#[pyfunction]
#[pyo3(name = "_end")]
fn end(py: Python<'_>) -> PyResult<()> {
    if !is_own_process() {
        return Ok(());
    }
    WORK.send_modify(|work| work.is_ending = true);
    wait_until(py, |work| work.jobs == 0, None)?;
    wait_until(py, |work| work.calls == 0, Some(LONGEST_CALL))?;
    log::close();
    Ok(())
}

fn wait_until(py: Python<'_>, is_over: fn(&Work) -> bool, limit: Option<Duration>) -> PyResult<()> {
    let began = Instant::now();
    // Without work the runtime was perhaps never started.
    while !is_over(&WORK.borrow()) && limit.is_none_or(|limit| began.elapsed() < limit) {
        block_on(py, async { timeout(STEP, WORK.subscribe().wait_for(is_over)).await.is_ok() })?;
        py.check_signals()?;
    }
    Ok(())
}

/// Refuses a sub-interpreter: the threads of the runtime call the main one.
fn check_interpreter(py: Python<'_>) -> PyResult<()> {
    // Each interpreter has a `sys` of its own. A new thread attaches to the main one.
    let own = |py: Python<'_>| py.import("sys").map(|sys| sys.as_ptr() as usize);
    let main = py.detach(|| thread::spawn(move || Python::attach(own)).join());
    if main.is_ok_and(|main| main.is_ok_and(|main| own(py).is_ok_and(|own| own == main))) {
        return Ok(());
    }
    Err(PyImportError::new_err(
        "influx_backup cannot be imported in a sub-interpreter: call it from the main interpreter, or start a process",
    ))
}

/// Remembers the process, and has the end of the interpreter wait.
pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    check_interpreter(py)?;
    PROCESS.get_or_init(std::process::id);
    let end = wrap_pyfunction!(end, module)?;
    py.import("atexit")?.call_method1("register", (end,))?;
    Ok(())
}
