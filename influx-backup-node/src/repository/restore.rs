//! `restore`

use influx_backup_bindings::with_callees;
use influx_backup_core::{Restore, RestorePlan};
use napi::{Env, Result, bindgen_prelude::Object};
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
const OF_RESTORES: &[&str] = &["signal", "object_events", "copier", "orchestrator", "approved_hash"];

#[napi]
impl Repository {
    /// Starts a restore of what a plan says.
    #[napi]
    pub fn restore_plan(
        &self,
        env: &Env,
        plan: &Document,
        target: Option<&Location>,
        given: Object<'_>,
        approved_hash: Option<String>,
        caller: &Caller,
    ) -> Result<Job> {
        let mut request = self.0.restore(plan.expect::<RestorePlan>()?);
        if let Some(target) = target {
            request = request.with_target(target.0.clone());
        }
        run(request, Given::of(env, given, OF_RESTORES)?, approved_hash, caller)
    }

    /// Starts a restore of a backup by its name.
    #[napi]
    pub fn restore_backup(
        &self,
        env: &Env,
        name: String,
        target: &Location,
        given: Object<'_>,
        approved_hash: Option<String>,
        caller: &Caller,
    ) -> Result<Job> {
        let mut given = Given::of(env, given, OF_RESTORES)?;
        let request = self.0.restore_backup(&name, &target.0, given.take()?);
        run(request, given, approved_hash, caller)
    }
}

fn run(request: Restore, given: Given<'_>, approved_hash: Option<String>, caller: &Caller) -> Result<Job> {
    let mut request = request.with_run_options(given.last()?);
    if let Some(hash) = approved_hash {
        request = request.approving_hash(hash);
    }
    let request = with_callees!(request, caller.copier(), caller.orchestrator.clone());
    start_with_object_events!(request, caller)
}
