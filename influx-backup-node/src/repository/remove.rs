//! `remove`

use influx_backup_core::leftovers::Leftover;
use napi::{Env, Result, bindgen_prelude::Object};
use napi_derive::napi;

use super::Repository;
use crate::{
    caller::Caller,
    document::Document,
    job::{Job, start_with_object_events},
    options::{Given, WITH_OBJECT_EVENTS},
};

#[napi]
impl Repository {
    /// Starts to delete a leftover.
    #[napi]
    pub fn remove(&self, env: &Env, leftover: &Document, given: Object<'_>, caller: &Caller) -> Result<Job> {
        Given::of(env, given, WITH_OBJECT_EVENTS)?.finish()?;
        start_with_object_events!(self.0.remove(leftover.expect::<Leftover>()?), caller)
    }
}
