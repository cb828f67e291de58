//! `list` and `get`

use pyo3::prelude::*;

use super::Repository;
use crate::{job::Job, runtime::handle};

/// Starts to list what lies in a repository.
#[pyfunction]
fn list(repository: &Repository) -> PyResult<Job> {
    Job::of(repository.0.list().start_on(&handle()?))
}

/// Starts to open a backup.
#[pyfunction]
fn get(repository: &Repository, name: &str) -> PyResult<Job> {
    Job::of(repository.0.get(name).start_on(&handle()?))
}

pub(super) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(list, module)?)?;
    module.add_function(wrap_pyfunction!(get, module)?)
}
