//! [`Repository`]: a location that holds backups. Each of its verbs has a file of its own.

mod backup;
mod certify;
mod get;
mod leftovers;
mod list;
mod plan_backup;
mod plan_restore;
mod remove;
mod restore;
mod verify;

use influx_backup_core as core;
use pyo3::prelude::*;

use crate::{convert::ToPython, location::place, runtime::result_of};

/// A location that holds backups, each in a directory of its own.
#[pyclass(frozen, module = "influx_backup._native")]
#[derive(Debug)]
pub(crate) struct Repository(core::Repository);

#[pymethods]
impl Repository {
    #[new]
    fn new(py: Python<'_>, location: &Bound<'_, PyAny>) -> PyResult<Self> {
        result_of(py, core::Repository::open(place(location)?)).map(Self)
    }

    /// Where it is.
    #[getter]
    fn location<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.location().to_python(py)
    }

    /// The marker of the repository, or `None` where nothing was backed up to it yet.
    fn marker<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        result_of(py, self.0.marker())?.to_python(py)
    }
}

/// Adds the class.
pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Repository>()
}
