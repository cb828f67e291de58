//! `backup`

use influx_backup_core as core;
use pyo3::{prelude::*, types::PyDict};

use super::Repository;
use crate::{
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
        event_loop: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Job> {
        let mut given = Given::of(given)?;
        let source = source_of(source, &mut given)?;
        let mut request = self.0.backup(source, given.last()?);
        if let Some(copier) = copier::chain(copier, event_loop)? {
            request = request.with_copier(copier);
        }
        if let Some(orchestrator) = orchestrator {
            request = request.with_orchestrator(orchestrator::of(orchestrator, event_loop)?);
        }
        start!(request, object_events)
    }
}

/// A cluster, or a place with the options that tell which one is meant there.
pub(super) fn source_of(source: &Bound<'_, PyAny>, given: &mut Given) -> PyResult<core::Source> {
    match source.cast::<Cluster>() {
        Ok(cluster) => Ok(core::Source::from(&cluster.get().0)),
        Err(_) => Ok(core::Source::at(&place(source)?, given.take()?)),
    }
}
