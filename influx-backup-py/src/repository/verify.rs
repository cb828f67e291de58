//! `verify`

use pyo3::{prelude::*, types::PyDict};

use super::Repository;
use crate::{convert::options, job::Job, runtime::handle};

/// Starts to verify a backup.
#[pyfunction]
fn verify(repository: &Repository, name: &str, given: &Bound<'_, PyDict>) -> PyResult<Job> {
    Job::of(repository.0.verify(name, options(given)?).start_on(&handle()?))
}

pub(super) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(verify, module)?)
}
