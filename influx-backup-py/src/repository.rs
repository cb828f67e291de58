//! [`Repository`]: a location that holds backups, and its verbs.

use influx_backup_core as core;
use pyo3::{prelude::*, types::PyDict};

use crate::{
    convert::{ToPython, options},
    error::raise,
    job::Job,
    location::place,
    runtime::{block_on, handle},
};

/// A location that holds backups, each in a directory of its own.
#[pyclass(frozen, module = "influx_backup._native")]
#[derive(Debug)]
pub(crate) struct Repository(core::Repository);

#[pymethods]
impl Repository {
    #[new]
    fn new(py: Python<'_>, location: &Bound<'_, PyAny>) -> PyResult<Self> {
        block_on(py, core::Repository::open(place(location)?))?.map(Self).map_err(raise)
    }

    /// Where it is.
    #[getter]
    fn location<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.location().to_python(py)
    }

    /// Starts to list what lies here.
    fn list(&self) -> PyResult<Job> {
        Job::of(self.0.list().start_on(&handle()?))
    }

    /// Starts to verify a backup.
    fn verify(&self, name: &str, given: &Bound<'_, PyDict>) -> PyResult<Job> {
        Job::of(self.0.verify(name, options(given)?).start_on(&handle()?))
    }
}

/// Adds the class.
pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Repository>()
}
