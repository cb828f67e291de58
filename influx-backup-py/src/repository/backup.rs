//! `backup`

use influx_backup_bindings::with_callees;
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
        let request = self.0.backup(source, given.last()?);
        let caller = Caller::new(event_loop);
        let orchestrator = orchestrator.map(|given| orchestrator::of(given, &caller)).transpose()?;
        let request = with_callees!(request, copier::chain(copier, &caller)?, orchestrator);
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
