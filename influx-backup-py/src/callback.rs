//! Calls from the core into Python code of the caller.

use std::sync::{Arc, Mutex, PoisonError};

use influx_backup_core::error::Source;
use pyo3::{
    exceptions::PyTypeError,
    prelude::*,
    types::{PyCFunction, PyDict, PyTuple, PyType},
};
use tokio::{sync::oneshot, task::spawn_blocking};

use crate::runtime::{Call, runtime};

/// An object of the caller's with methods that the core calls, and the event loop that its `async` methods run in.
#[derive(Debug)]
pub(crate) struct Callee {
    object: Py<PyAny>,
    event_loop: Py<PyAny>,
}

impl Callee {
    /// Takes an object of the caller's.
    ///
    /// # Errors
    /// `TypeError` with `expected` where it lacks one of the methods.
    pub(crate) fn new(
        object: &Bound<'_, PyAny>,
        methods: &[&str],
        expected: &str,
        event_loop: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Arc<Self>> {
        let shown = object.repr()?;
        if object.is_instance_of::<PyType>() {
            return Err(PyTypeError::new_err(format!("{expected}, and {shown} is a class: give an instance of it")));
        }
        for method in methods {
            if !object.getattr(*method).is_ok_and(|it| it.is_callable()) {
                return Err(PyTypeError::new_err(format!("{expected}, and {shown} has no method `{method}`")));
            }
        }
        let event_loop = event_loop.map_or_else(|| object.py().None(), |it| it.clone().unbind());
        Ok(Arc::new(Self { object: object.clone().unbind(), event_loop }))
    }

    /// Calls a method, in a thread that may wait, and takes what it returns. What it raises is the error.
    ///
    /// What has to be awaited runs in the event loop, and is cancelled there when this future is dropped.
    pub(crate) async fn call<T: Send + 'static>(
        self: &Arc<Self>,
        method: &'static str,
        arguments: impl FnOnce(Python<'_>) -> PyResult<Py<PyTuple>> + Send + 'static,
        take: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<T> + Send + 'static,
    ) -> Result<T, Source> {
        let callee = Arc::clone(self);
        let begin = move || {
            let _call = Call::begin();
            Python::attach(|py| {
                let returned = callee.object.bind(py).getattr(method)?.call1(arguments(py)?.into_bound(py))?;
                if returned.hasattr("__await__")? {
                    return await_in(callee.event_loop.bind(py), &returned, take);
                }
                take(&returned).map(Begun::Done)
            })
        };
        match spawn_blocking(begin).await?? {
            Begun::Done(answer) => Ok(answer),
            Begun::Awaited(mut coroutine, answer) => {
                let answer = answer.await;
                coroutine.has_ended = true;
                Ok(answer??)
            }
        }
    }
}

/// What a call came to.
enum Begun<T> {
    Done(T),
    Awaited(Coroutine, oneshot::Receiver<PyResult<T>>),
}

/// A coroutine that runs in an event loop. Dropping it cancels it there.
struct Coroutine {
    future: Arc<Py<PyAny>>,
    has_ended: bool,
}

impl Drop for Coroutine {
    fn drop(&mut self) {
        if self.has_ended {
            return;
        }
        let future = Arc::clone(&self.future);
        let cancel = move || {
            let _call = Call::begin();
            // Where it fails its loop is closed, and the coroutine with it.
            Python::try_attach(|py| future.call_method0(py, "cancel").is_ok())
        };
        if let Ok(runtime) = runtime() {
            runtime.spawn_blocking(cancel);
        }
    }
}

/// Has an event loop run what a method returned.
fn await_in<T: Send + 'static>(
    event_loop: &Bound<'_, PyAny>,
    returned: &Bound<'_, PyAny>,
    take: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<T> + Send + 'static,
) -> PyResult<Begun<T>> {
    let py = returned.py();
    let callbacks = py.import("influx_backup._callbacks")?;
    let result = callbacks.getattr("result")?.unbind();
    let (tell, answer) = oneshot::channel();
    let once = Mutex::new(Some((tell, take)));
    let is_done = move |arguments: &Bound<'_, PyTuple>, _: Option<&Bound<'_, PyDict>>| {
        let once = once.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((tell, take)) = once {
            let answer = result.bind(arguments.py()).call1(arguments).and_then(|answer| take(&answer));
            // The run may wait no longer.
            let _ = tell.send(answer);
        }
    };
    let future = callbacks.call_method1("submit", (event_loop, returned))?;
    future.call_method1("add_done_callback", (PyCFunction::new_closure(py, None, None, is_done)?,))?;
    Ok(Begun::Awaited(Coroutine { future: Arc::new(future.unbind()), has_ended: false }, answer))
}
