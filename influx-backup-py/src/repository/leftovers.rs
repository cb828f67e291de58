//! `leftovers` and `remove`

use pyo3::prelude::*;

use super::Repository;
use crate::{data::Leftover, job::Job, runtime::handle};

/// Starts to look for what attempts that ended without a commit left.
#[pyfunction]
fn leftovers(repository: &Repository) -> PyResult<Job> {
    Job::of(repository.0.leftovers().start_on(&handle()?))
}

/// Starts to delete a leftover.
#[pyfunction]
fn remove(repository: &Repository, leftover: &Leftover) -> PyResult<Job> {
    Job::of(repository.0.remove(&leftover.0).start_on(&handle()?))
}

pub(super) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(leftovers, module)?)?;
    module.add_function(wrap_pyfunction!(remove, module)?)
}
