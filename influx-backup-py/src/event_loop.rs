//! Futures of Rust for an event loop of Python.

use pyo3::{prelude::*, types::PyCFunction};

use crate::runtime::{WorkGuard, runtime};

/// A future of the running event loop that is done once `wait` is. Where it is cancelled, `wait` is dropped.
///
/// # Errors
/// `RuntimeError` where no event loop runs, or in a forked process.
pub(crate) fn awaitable<'py>(
    py: Python<'py>,
    wait: impl Future<Output = ()> + Send + 'static,
) -> PyResult<Bound<'py, PyAny>> {
    let runtime = runtime()?;
    let event_loop = py.import("asyncio")?.call_method0("get_running_loop")?;
    let future = event_loop.call_method0("create_future")?;
    let resolve = py.import("influx_backup._callbacks")?.getattr("resolve")?;
    let ready = (event_loop.unbind(), resolve.unbind(), future.clone().unbind());
    let waiting = runtime.spawn(async move {
        wait.await;
        tokio::task::spawn_blocking(move || {
            let _call = WorkGuard::call();
            Python::try_attach(|py| {
                let (event_loop, resolve, future) = ready;
                // Where it fails the loop is closed, and nothing waits any more.
                let _ = event_loop.call_method1(py, "call_soon_threadsafe", (resolve, future));
            })
        });
    });
    let abort = PyCFunction::new_closure(py, None, None, move |_, _| waiting.abort())?;
    future.call_method1("add_done_callback", (abort,))?;
    Ok(future)
}
