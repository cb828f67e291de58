//! `discover`

use influx_backup_core as core;
use napi::{Env, Result, bindgen_prelude::Object};
use napi_derive::napi;

use crate::{
    caller::Caller,
    job::{Job, start},
    location::Location,
    options::options,
};

/// Starts to look for the cluster at a place.
#[napi]
pub fn discover(env: &Env, source: &Location, given: Object<'_>, caller: &Caller) -> Result<Job> {
    start!(core::discover(&source.0, &options(env, given)?), caller)
}
