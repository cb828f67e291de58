//! `plan_backup` and `backup`

use std::sync::Arc;

use influx_backup_core as core;
use pyo3::{prelude::*, types::PyDict};

use super::Repository;
use crate::{
    callback::Callee, convert::Given, copier, data::Cluster, job::Job, location::place, orchestrator::Orchestrator,
    runtime::handle,
};

/// Starts to plan a backup.
#[pyfunction]
fn plan_backup(repository: &Repository, source: &Bound<'_, PyAny>, given: &Bound<'_, PyDict>) -> PyResult<Job> {
    let mut given = Given::of(given)?;
    let source = source_of(source, &mut given)?;
    Job::of(repository.0.plan_backup(source, &given.last()?).start_on(&handle()?))
}

/// Starts a backup.
#[pyfunction]
fn backup(
    repository: &Repository,
    source: &Bound<'_, PyAny>,
    given: &Bound<'_, PyDict>,
    copier: Option<&Bound<'_, PyAny>>,
    orchestrator: Option<&Bound<'_, PyAny>>,
    event_loop: Option<&Bound<'_, PyAny>>,
) -> PyResult<Job> {
    let mut given = Given::of(given)?;
    let source = source_of(source, &mut given)?;
    let mut request = repository.0.backup(source, given.last()?);
    if let Some(copier) = copier::chain(copier, event_loop)? {
        request = request.with_copier(copier);
    }
    if let Some(orchestrator) = orchestrator {
        request = request.with_orchestrator(Arc::new(Orchestrator(Callee::new(orchestrator, event_loop))));
    }
    Job::of(request.start_on(&handle()?))
}

/// A cluster, or a place with the options that tell which one is meant there.
fn source_of(source: &Bound<'_, PyAny>, given: &mut Given) -> PyResult<core::Source> {
    match source.cast::<Cluster>() {
        Ok(cluster) => Ok(core::Source::from(&cluster.get().0)),
        Err(_) => Ok(core::Source::at(&place(source)?, given.take()?)),
    }
}

pub(super) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(plan_backup, module)?)?;
    module.add_function(wrap_pyfunction!(backup, module)?)
}
