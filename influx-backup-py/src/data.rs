//! What the core returns as data, each type a frozen class.

mod certificate;
mod cluster;
mod error;
mod finding;
mod progress;
mod reports;
mod repository;

use pyo3::prelude::*;

/// Adds all classes.
pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    certificate::add_to(module)?;
    cluster::add_to(module)?;
    error::add_to(module)?;
    finding::add_to(module)?;
    progress::add_to(module)?;
    reports::add_to(module)?;
    repository::add_to(module)
}
