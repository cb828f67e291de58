//! `plan_restore` and `restore`

use std::sync::Arc;

use pyo3::{prelude::*, types::PyDict};

use super::Repository;
use crate::{
    callback::Callee,
    convert::{Given, options},
    copier,
    data::RestorePlan,
    job::Job,
    location::place,
    orchestrator::Orchestrator,
    runtime::handle,
};

/// Starts to plan a restore.
#[pyfunction]
fn plan_restore(
    repository: &Repository,
    name: &str,
    target: &Bound<'_, PyAny>,
    given: &Bound<'_, PyDict>,
) -> PyResult<Job> {
    Job::of(repository.0.plan_restore(name, &place(target)?, &options(given)?).start_on(&handle()?))
}

/// Starts a restore of what a plan says.
#[pyfunction]
fn restore(
    repository: &Repository,
    plan: &RestorePlan,
    target: Option<&Bound<'_, PyAny>>,
    given: &Bound<'_, PyDict>,
    copier: Option<&Bound<'_, PyAny>>,
    orchestrator: Option<&Bound<'_, PyAny>>,
    event_loop: Option<&Bound<'_, PyAny>>,
) -> PyResult<Job> {
    let mut request = repository.0.restore(&plan.0).with_run_options(Given::of(given)?.last()?);
    if let Some(target) = target {
        request = request.with_target(place(target)?);
    }
    if let Some(copier) = copier::chain(copier, event_loop)? {
        request = request.with_copier(copier);
    }
    if let Some(orchestrator) = orchestrator {
        request = request.with_orchestrator(Arc::new(Orchestrator(Callee::new(orchestrator, event_loop))));
    }
    Job::of(request.start_on(&handle()?))
}

pub(super) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(plan_restore, module)?)?;
    module.add_function(wrap_pyfunction!(restore, module)?)
}
