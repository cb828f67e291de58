//! What the core returns as data, each type a frozen class.

mod certificate;
mod cluster;
mod error;
mod finding;
mod generated;
mod objects;
mod plans;
mod progress;
mod reports;
mod repository;
mod target;

use pyo3::prelude::*;

pub(crate) use self::{
    cluster::Cluster,
    generated::Generated,
    plans::RestorePlan,
    repository::{Backup, Leftover},
};

/// Adds all classes.
pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    certificate::add_documents_to(module)?;
    cluster::add_to(module)?;
    error::add_documents_to(module)?;
    finding::add_documents_to(module)?;
    generated::add_documents_to(module)?;
    objects::add_documents_to(module)?;
    plans::add_to(module)?;
    progress::add_documents_to(module)?;
    reports::add_documents_to(module)?;
    repository::add_to(module)?;
    target::add_documents_to(module)
}
