//! `backup`

use influx_backup_bindings::with_callees;
use influx_backup_core as core;
use napi::{
    Env, Result,
    bindgen_prelude::{Either, Object},
};
use napi_derive::napi;

use super::Repository;
use crate::{
    caller::Caller,
    document::Document,
    job::{Job, start_with_object_events},
    location::Location,
    options::Given,
};

/// What the JavaScript side takes of the options.
const OF_RUNS: &[&str] = &["signal", "object_events", "copier", "orchestrator"];

#[napi]
impl Repository {
    /// Starts a backup.
    #[napi]
    pub fn backup(
        &self,
        env: &Env,
        source: Either<&Document, &Location>,
        given: Object<'_>,
        caller: &Caller,
    ) -> Result<Job> {
        let mut given = Given::of(env, given, OF_RUNS)?;
        let source = source_of(source, &mut given)?;
        let request = self.0.backup(source, given.last()?);
        let request = with_callees!(request, caller.copier(), caller.orchestrator.clone());
        start_with_object_events!(request, caller)
    }
}

/// A cluster, or a place with the options that tell which one is meant there.
pub(super) fn source_of(source: Either<&Document, &Location>, given: &mut Given<'_>) -> Result<core::Source> {
    match source {
        Either::A(cluster) => Ok(core::Source::from(cluster.expect::<core::Cluster>()?)),
        Either::B(location) => Ok(core::Source::at(&location.0, given.take()?)),
    }
}
