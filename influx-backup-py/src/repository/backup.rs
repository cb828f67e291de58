//! `backup`

use influx_backup_core as core;
use pyo3::{prelude::*, types::PyDict};

use super::Repository;
use crate::{
    callback::Caller,
    convert::Given,
    copier,
    data::Cluster,
    job::{Job, start},
    location::place,
    orchestrator,
};

#[pymethods]
impl Repository {
    /// Starts a backup.
    fn backup(
        &self,
        source: &Bound<'_, PyAny>,
        given: &Bound<'_, PyDict>,
        object_events: bool,
        copier: Option<&Bound<'_, PyAny>>,
        orchestrator: Option<&Bound<'_, PyAny>>,
        event_loop: &Bound<'_, PyAny>,
    ) -> PyResult<Job> {
        let mut given = Given::of(given)?;
        let source = source_of(source, &mut given)?;
        let mut request = self.0.backup(source, given.last()?);
        let caller = Caller::new(event_loop);
        if let Some(copier) = copier::chain(copier, &caller)? {
            request = request.with_copier(copier);
        }
        if let Some(orchestrator) = orchestrator {
            request = request.with_orchestrator(orchestrator::of(orchestrator, &caller)?);
        }
        start!(request, object_events, caller)
    }
}

/// A cluster, or a place with the options that tell which one is meant there.
pub(super) fn source_of(source: &Bound<'_, PyAny>, given: &mut Given) -> PyResult<core::Source> {
    match source.cast::<Cluster>() {
        Ok(cluster) => Ok(core::Source::from(&cluster.get().0)),
        Err(_) => Ok(core::Source::at(&place(source)?, given.take()?)),
    }
}
