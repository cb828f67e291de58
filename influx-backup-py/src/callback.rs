//! Calls from the core into Python code of the caller.

use std::sync::{Arc, Mutex, PoisonError};

use influx_backup_core::error::Source;
use pyo3::{
    exceptions::PyTypeError,
    prelude::*,
    types::{PyCFunction, PyDict, PyTuple, PyType},
};
use tokio::{
    sync::{oneshot, watch},
    task::spawn_blocking,
};

use crate::runtime::{WorkGuard, runtime};

/// What one verb needs to call code of the caller: the event loop of `async` methods, and how many calls go on.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    event_loop: Arc<Py<PyAny>>,
    calls: watch::Sender<usize>,
}

impl Caller {
    pub(crate) fn new(event_loop: &Bound<'_, PyAny>) -> Self {
        Self { event_loop: Arc::new(event_loop.clone().unbind()), calls: watch::Sender::new(0) }
    }

    /// Waits until no call goes on.
    pub(crate) async fn idle(&self) {
        // The sender is this one.
        let _ = self.calls.subscribe().wait_for(|calls| *calls == 0).await;
    }

    fn begin(&self) -> Ongoing {
        self.calls.send_modify(|calls| *calls += 1);
        Ongoing { calls: self.calls.clone(), _call: WorkGuard::call() }
    }
}

/// A call into code of the caller, as long as it goes on.
struct Ongoing {
    calls: watch::Sender<usize>,
    _call: WorkGuard,
}

impl Drop for Ongoing {
    fn drop(&mut self) {
        self.calls.send_modify(|calls| *calls -= 1);
    }
}

/// An object of the caller's with methods that the core calls.
#[derive(Debug, Clone)]
pub(crate) struct Callee {
    object: Arc<Py<PyAny>>,
    caller: Caller,
}

impl Callee {
    /// Takes an object of the caller's.
    ///
    /// # Errors
    /// `TypeError` with `expected` where it lacks one of the methods.
    pub(crate) fn new(object: &Bound<'_, PyAny>, methods: &[&str], expected: &str, caller: &Caller) -> PyResult<Self> {
        let shown = object.repr()?;
        if object.is_instance_of::<PyType>() {
            return Err(PyTypeError::new_err(format!("{expected}, and {shown} is a class: give an instance of it")));
        }
        for method in methods {
            if !object.getattr(*method).is_ok_and(|it| it.is_callable()) {
                return Err(PyTypeError::new_err(format!("{expected}, and {shown} has no method `{method}`")));
            }
        }
        Ok(Self { object: Arc::new(object.clone().unbind()), caller: caller.clone() })
    }

    /// Calls a method, in a thread that may wait, and takes what it returns. What it raises is the error.
    ///
    /// What has to be awaited runs in the event loop, and is cancelled there when this future is dropped.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        method: &'static str,
        arguments: impl FnOnce(Python<'_>) -> PyResult<Py<PyTuple>> + Send + 'static,
        take: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<T> + Send + 'static,
    ) -> Result<T, Source> {
        let callee = self.clone();
        let ongoing = self.caller.begin();
        let begin = move || {
            Python::attach(|py| {
                let returned = callee.object.bind(py).getattr(method)?.call1(arguments(py)?.into_bound(py))?;
                if returned.hasattr("__await__")? {
                    return await_in(callee.caller.event_loop.bind(py), &returned, take, ongoing);
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
            let _call = WorkGuard::call();
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
    ongoing: Ongoing,
) -> PyResult<Begun<T>> {
    let py = returned.py();
    let (tell, answer) = oneshot::channel();
    let once = Mutex::new(Some((tell, take, ongoing)));
    let ended = move |arguments: &Bound<'_, PyTuple>, _: Option<&Bound<'_, PyDict>>| -> PyResult<()> {
        let once = once.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (returned, raised) = arguments.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>()?;
        if let Some((tell, take, _ongoing)) = once {
            let answer = if raised.is_none() { take(&returned) } else { Err(PyErr::from_value(raised)) };
            // The run may wait no longer.
            let _ = tell.send(answer);
        }
        Ok(())
    };
    let ended = PyCFunction::new_closure(py, None, None, ended)?;
    let submit = py.import("influx_backup._callbacks")?.getattr("submit")?;
    let future = submit.call1((event_loop, returned, ended))?;
    Ok(Begun::Awaited(Coroutine { future: Arc::new(future.unbind()), has_ended: false }, answer))
}
