//! The runtime of all jobs, and the process it lives in.

use std::sync::OnceLock;

use pyo3::{exceptions::PyRuntimeError, prelude::*};
use tokio::runtime::Handle;

/// The process that imported the module.
static PROCESS: OnceLock<u32> = OnceLock::new();

/// Remembers which process imports the module: its threads do not survive a `fork`.
pub(crate) fn remember_process() {
    PROCESS.get_or_init(std::process::id);
}

/// The runtime of all jobs, as long as the interpreter lives.
///
/// # Errors
/// `RuntimeError` in a process that was forked after the import.
pub(crate) fn handle() -> PyResult<Handle> {
    if PROCESS.get() == Some(&std::process::id()) {
        return Ok(pyo3_async_runtimes::tokio::get_runtime().handle().clone());
    }
    Err(PyRuntimeError::new_err(
        "influx_backup was imported before this process was forked, and its threads are not here: start processes with \
         the method `spawn` or `forkserver`, or import influx_backup in the child alone",
    ))
}

/// Waits for something without holding the interpreter.
pub(crate) fn block_on<F>(py: Python<'_>, future: F) -> PyResult<F::Output>
where
    F: Future<Output: Send> + Send,
{
    let runtime = handle()?;
    Ok(py.detach(|| runtime.block_on(future)))
}
