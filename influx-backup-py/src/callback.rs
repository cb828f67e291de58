//! Calls from the core into Python code of the caller.

use influx_backup_core::error::Source;
use pyo3::{prelude::*, types::PyTuple};

/// An object of the caller's with methods that the core calls, and the event loop that its `async` methods run in.
#[derive(Debug)]
pub(crate) struct Callee {
    object: Py<PyAny>,
    event_loop: Option<Py<PyAny>>,
}

impl Callee {
    /// `event_loop` is the running one, or `None` for a call that waits in a thread.
    pub(crate) fn new(object: &Bound<'_, PyAny>, event_loop: Option<&Bound<'_, PyAny>>) -> Self {
        Self { object: object.clone().unbind(), event_loop: event_loop.map(|it| it.clone().unbind()) }
    }

    /// Calls a method, in a thread that may wait, and takes what it returns. What it raises is the error.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        method: &'static str,
        arguments: impl FnOnce(Python<'_>) -> PyResult<Py<PyTuple>> + Send + 'static,
        take: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<T> + Send + 'static,
    ) -> Result<T, Source> {
        let (object, event_loop) =
            Python::attach(|py| (self.object.clone_ref(py), self.event_loop.as_ref().map(|it| it.clone_ref(py))));
        let call = move || {
            Python::attach(|py| {
                let call = py.import("influx_backup._callbacks")?.getattr("call")?;
                let method = object.bind(py).getattr(method)?;
                let returned = call.call1((event_loop, method, arguments(py)?))?;
                take(&returned)
            })
        };
        Ok(tokio::task::spawn_blocking(call).await??)
    }
}
