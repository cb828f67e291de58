//! `inspect`

use influx_backup_core::Target;
use napi::{Env, Result, bindgen_prelude::Object};
use napi_derive::napi;

use crate::{
    caller::Caller,
    job::{Job, start},
    location::Location,
    options::no_options,
};

/// Starts to look at what is at the place that a backup would be restored to.
#[napi]
pub fn inspect(env: &Env, target: &Location, given: Object<'_>, caller: &Caller) -> Result<Job> {
    no_options(env, given)?;
    start!(Target::inspect(&target.0), caller)
}
