//! [`Event`]: what happens while a verb runs, a class for each kind.

use influx_backup_core::Event as CoreEvent;
use pyo3::{exceptions::PyRuntimeError, prelude::*};

use crate::{
    convert::{ToPython, from_json, loads, to_json},
    document::{self, hash_of},
};

/// One event of a job: what happened, when, and as which event in a row. Each kind has a class of its own.
#[pyclass(frozen, subclass, module = "influx_backup")]
#[derive(Debug)]
pub(crate) struct Event(CoreEvent);

#[pymethods]
impl Event {
    /// Its number, from 1. The next event has the next number, except after `Lagged`.
    #[getter]
    fn seq(&self) -> u64 {
        self.0.seq
    }

    /// When it happened, by this machine's clock.
    #[getter]
    fn at<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.at.to_python(py)
    }

    /// What happened, by its name in JSON, such as `stage_started`.
    #[getter]
    fn kind(&self) -> &'static str {
        self.0.kind.name()
    }

    /// The event as JSON.
    fn to_json(&self) -> PyResult<String> {
        to_json(&self.0)
    }

    /// The event as dicts, lists and plain values.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        loads(py, &self.to_json()?)
    }

    /// Reads what `to_json` wrote. Raises `UsageError` for anything else.
    #[staticmethod]
    fn from_json<'py>(py: Python<'py>, json: &str) -> PyResult<Bound<'py, PyAny>> {
        from_json::<CoreEvent>(json, "event")?.to_python(py)
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| self.0 == other.get().0)
    }

    fn __hash__(&self) -> PyResult<u64> {
        Ok(hash_of(&self.to_json()?))
    }

    fn __str__(&self) -> String {
        self.0.kind.to_string()
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        Ok(format!("<{} {}: {}>", slf.get_type().name()?, slf.get().0.seq, slf.get().0.kind))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        document::reduce(slf.as_any())
    }
}

macro_rules! kinds {
    ($(
        $(#[doc = $doc:literal])+
        $class:ident = $pattern:pat => {
            $( $(#[doc = $attribute_doc:literal])+ $attribute:ident = $value:expr, )*
        }
    )+) => {
        $(
            $(#[doc = $doc])+
            #[pyclass(frozen, extends = Event, module = "influx_backup")]
            #[derive(Debug)]
            pub(crate) struct $class;

            #[pymethods]
            impl $class {
                $(
                    $(#[doc = $attribute_doc])+
                    #[getter]
                    #[allow(unused_variables, reason = "each attribute takes its own from the pattern")]
                    fn $attribute<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
                        let $pattern = &slf.as_super().get().0.kind else {
                            return Err(PyRuntimeError::new_err("an event of another kind"));
                        };
                        $value.to_python(slf.py())
                    }
                )*
            }
        )+

        impl ToPython for CoreEvent {
            fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
                let event = Event(self.clone());
                #[allow(unused_variables, reason = "only the kind counts")]
                match &self.kind {
                    $($pattern => Ok(Bound::new(py, PyClassInitializer::from(event).add_subclass($class))?.into_any()),)+
                    _ => Ok(Bound::new(py, event)?.into_any()),
                }
            }
        }

        /// Adds the classes of all kinds.
        pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
            module.add_class::<Event>()?;
            $(module.add_class::<$class>()?;)+
            Ok(())
        }
    };
}

influx_backup_bindings::event_tables!(kinds);
