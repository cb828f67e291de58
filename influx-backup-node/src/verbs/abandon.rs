//! `abandon`

use influx_backup_core as core;
use napi::{Env, Result, bindgen_prelude::Object};
use napi_derive::napi;

use crate::{
    caller::Caller,
    job::{Job, start_with_object_events},
    location::Location,
    options::{Given, WITH_OBJECT_EVENTS},
};

/// Starts to undo an unfinished restore.
#[napi]
pub fn abandon(env: &Env, target: &Location, given: Object<'_>, caller: &Caller) -> Result<Job> {
    start_with_object_events!(core::abandon(&target.0, Given::of(env, given, WITH_OBJECT_EVENTS)?.last()?), caller)
}
