//! `restore`

use influx_backup_bindings::with_callees;
use influx_backup_core::Restore;
use pyo3::{
    exceptions::PyTypeError,
    prelude::*,
    types::{PyDict, PyString},
};

use super::Repository;
use crate::{
    callback::Caller,
    convert::Given,
    copier,
    data::RestorePlan,
    job::{Job, start},
    location::place,
    orchestrator,
};

#[pymethods]
impl Repository {
    /// Starts a restore: of what a plan says, or of a backup by its name.
    #[allow(clippy::too_many_arguments, reason = "each is one of Python's")]
    fn restore(
        &self,
        what: &Bound<'_, PyAny>,
        target: Option<&Bound<'_, PyAny>>,
        given: &Bound<'_, PyDict>,
        approved_hash: Option<&str>,
        object_events: bool,
        copier: Option<&Bound<'_, PyAny>>,
        orchestrator: Option<&Bound<'_, PyAny>>,
        event_loop: &Bound<'_, PyAny>,
    ) -> PyResult<Job> {
        let mut given = Given::of(given)?;
        let mut request = self.request(what, target, &mut given)?.with_run_options(given.last()?);
        if let Some(hash) = approved_hash {
            request = request.approving_hash(hash);
        }
        let caller = Caller::new(event_loop);
        let orchestrator = orchestrator.map(|given| orchestrator::of(given, &caller)).transpose()?;
        let request = with_callees!(request, copier::chain(copier, &caller)?, orchestrator);
        start!(request, object_events, caller)
    }
}

impl Repository {
    fn request(
        &self,
        what: &Bound<'_, PyAny>,
        target: Option<&Bound<'_, PyAny>>,
        given: &mut Given,
    ) -> PyResult<Restore> {
        let target = target.map(place).transpose()?;
        if let Ok(plan) = what.cast::<RestorePlan>() {
            let request = self.0.restore(&plan.get().0);
            return Ok(match target {
                Some(target) => request.with_target(target),
                None => request,
            });
        }
        let name = what.cast::<PyString>().map_err(|_| {
            PyTypeError::new_err("what is restored is a RestorePlan, or the name of a backup together with a target")
        })?;
        let target = target.ok_or_else(|| PyTypeError::new_err("a restore by name needs a target"))?;
        Ok(self.0.restore_backup(name.to_str()?, &target, given.take()?))
    }
}
